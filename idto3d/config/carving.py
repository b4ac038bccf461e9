"""How details are carved into a head's surface."""

from dataclasses import dataclass

from idto3d.config.declared import option

JUDGES = ("light", "normals")  # what the guidance is shown: pictures under a lamp, or normal maps


@dataclass(frozen=True)
class CarvingOptions:
    """Displacement along the normal and a normal map, by score distillation under a light from the front.

    Unevenness is laid on the skin without any step. Weights of the terms are for losses per vertex and per texel, so
    that they hold for every size of either.
    """

    relief: float = option(1.0, "strength of the skin's usual unevenness where no photo shows it", least=0, most=5)
    steps: int = option(0, "optimisation steps; 0: none", least=0)
    judge: str = option("normals", "light: pictures under a random lamp; normals: normal maps", choices=JUDGES)
    views: int = option(2, "cameras per step", least=1)
    image_size: int | None = option(
        None, "side of a picture, pixels; otherwise as large as for the colours", least=16, most=2048, like=128
    )
    close: float = option(1.4, "how much closer the camera is than that of the whole head", least=1, most=4)
    timesteps: tuple[int, int] | None = option(
        None, "timestep range; otherwise the paper's, as far as the weights go", least=0, most=999, like=(20, 980)
    )
    learning_rate: float = option(4e-3, "Adam rate of displacement (millimetres) and slopes", least=0)
    latent_rate: float = option(5e-3, "Adam rate of the shape coefficients", least=0)
    reach: float = option(0.3, "millimetres that the surface moves at most", least=0, most=10)
    sds: float = option(1.0, "weight of the distillation loss", least=0)
    drift: float = option(1.0, "weight that holds the shape coefficients", least=0)
    laplacian: float = option(20.0, "weight of the displacement's Laplacian smoothing", least=0)
    smoothness: float = option(20.0, "weight of the normal map's smoothness", least=0)
