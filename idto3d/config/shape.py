"""How shapes are grown, and the hash grid of all fields."""

from dataclasses import dataclass

from idto3d.config.declared import option


@dataclass(frozen=True)
class HashGridOptions:
    """A multiresolution hash grid; level l has base * growth^l cells along the longest side of the head's box."""

    levels: int = option(8, "resolutions", least=1, most=32)
    features: int = option(2, "features per level", least=1, most=8)
    log2_size: int = option(15, "binary logarithm of the entries per level", least=1, most=24)
    base: int = option(8, "cells of the coarsest level", least=1)
    growth: float = option(1.5, "factor between the cells of two levels", least=1)
    kind: str = option(
        "auto",
        "our own lattice, or that of tiny-cuda-nn; auto takes the one that is faster here",
        choices=("auto", "torch", "tcnn"),
    )


@dataclass(frozen=True)
class ShapeOptions:
    """How the shape is grown. What is None is as the weights say, see `bundle.resolved`."""

    carrier: str = option("template", "head of parts, or one tetrahedral field", choices=("template", "tets"))
    meshes: str = option("shared", "tets: one mesh that expressions move, or one each", choices=("shared", "each"))
    resolution: int = option(80, "cells of the tetrahedral grid along the longest side of its box", least=8, most=512)
    steps: int = option(30, "optimisation steps", least=1)
    views: int = option(2, "cameras per step", least=1)
    image_size: int | None = option(None, "side of a rendered normal map, pixels", least=16, most=2048, like=128)
    learning_rate: float = option(6e-4, "Adam rate of hash grid, networks and codes", least=0)
    latent_rate: float = option(5e-4, "Adam rate of the head prior's shape coefficients", least=0)
    laplacian: float = option(20.0, "weight of the Laplacian smoothing", least=0)
    sds: float = option(1.0, "weight of the distillation loss", least=0)
    early_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the first half", least=0, most=999, like=(200, 700)
    )
    late_timesteps: tuple[int, int] | None = option(
        None, "timestep range the second half is annealed to", least=0, most=999, like=(50, 200)
    )
    refresh: int = option(20, "steps between rebuilds of the narrow band", least=1)
    prior: bool = option(True, "start as face and words let expect; otherwise from the mean head, or as photos show")
    band_cells: float = option(2.0, "half the width of the narrow band, grid cells", least=1)
    residual_scale: float = option(0.005, "metres of signed distance per unit of the shape network's output", least=0)
    warp_scale: float = option(
        0.005, "metres of expression displacement per unit of the expression network's output", least=0
    )
    hash_grid: HashGridOptions = HashGridOptions()
    latent: float = option(0.02, "weight that holds the shape coefficients near their start", least=0)
    anchor: float | None = option(
        None, "weight that holds the surface near its start, per square millimetre", least=0, like=30.0
    )
