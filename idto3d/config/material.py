"""How textures are painted."""

from dataclasses import dataclass

from idto3d.config.declared import option
from idto3d.config.shape import HashGridOptions


@dataclass(frozen=True)
class MaterialOptions:
    """How the texture is painted: three phases as in the paper (albedo; all; refinement).

    What is None is as the weights say, see `bundle.resolved`.
    """

    steps: int = option(40, "optimisation steps", least=1)
    views: int = option(2, "cameras per step", least=1)
    image_size: int | None = option(None, "side of a rendered image, pixels", least=16, most=2048, like=128)
    learning_rate: float = option(2e-3, "Adam rate", least=0)
    albedo_share: float = option(0.8, "share of the steps that learn albedo alone", least=0, most=1)
    refine_steps: int = option(8, "last steps, small timesteps (and the refinement guidance, if any)", least=0)
    albedo_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the first phase", least=0, most=999, like=(50, 900)
    )
    joint_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the second phase", least=0, most=999, like=(50, 500)
    )
    refine_timesteps: tuple[int, int] | None = option(
        None, "timestep range of the refinement", least=0, most=999, like=(50, 100)
    )
    lit_share: float = option(0.3, "share of first-phase views drawn under a random light", least=0, most=1)
    smoothness: float = option(0.1, "weight of the texture smoothness", least=0)
    translate: bool = option(True, "read how skin that no photo shows shines and rises from its colour, by a network")
    relief: str = option(
        "painted",
        "painted: pores of heads of words dent and dull it as painted, else brightness tells; read: by that network",
        choices=("painted", "read"),
    )
    anchor: float | None = option(
        None, "weight that holds what a colour is known of near that colour", least=0, like=4000.0
    )
    hash_grid: HashGridOptions = HashGridOptions(log2_size=17, base=16, growth=1.6)


@dataclass(frozen=True)
class TextureOptions:
    """Score distillation of the skin's atlas: by the guidance of views and by a diffusion model of atlases, at once.

    First the code of the atlas alone is judged, then pictures under lights (DreamFace, section 5.2). Only weights that
    have a model of atlases can do it; what photos show stays.
    """

    steps: int = option(0, "steps on the code of the atlas; 0: none", least=0)
    lit_steps: int = option(0, "steps on pictures under random lights after them; 0: none", least=0)
    views: int = option(2, "cameras per step", least=1)
    learning_rate: float = option(0.1, "Adam rate of the code", least=0)
    atlas: float = option(1.0, "weight of the diffusion model of atlases", least=0)
    generic: float = option(1.0, "weight of the guidance of views", least=0)
    guidance_scale: float = option(2.0, "classifier-free guidance scale of the model of atlases", least=0)
    start_timestep: int = option(600, "first timestep; from it they fall evenly to 0", least=1, most=999)
    order: str = option("falling", "how timesteps follow", choices=("falling", "uniform"))
    domain: str = option("unlit", "the learned word that is said to the model of atlases", choices=("unlit", "none"))
    anchor: float = option(0.05, "weight that holds the code near what words have painted", least=0)
