"""The textures of one material, uint8 [S, S, C], row 0 on top, baked or painted before."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from idto3d.render.painted import PaintedMaterial


@dataclass(frozen=True)
class Textures:
    """albedo is sRGB, with a fourth channel where the material is not opaque everywhere: its opacity.

    metallic_roughness (R 255, G roughness, B metallic) and the OpenGL normal map are linear; normal is None where there
    is no relief. specular [S, S], linear: the share of the reflectance of plastics; None where it is that.
    """

    albedo: np.ndarray
    metallic_roughness: np.ndarray
    normal: np.ndarray | None
    specular: np.ndarray | None = None

    @property
    def see_through(self) -> bool:
        """Whether the albedo has an alpha channel."""
        return self.albedo.shape[-1] == 4


def unbroken(name: str) -> str:
    """The name of a part or a material for files, and for formats in which a blank ends a name."""
    return name.replace(" ", "_")


def painted_textures(painted: PaintedMaterial, size: int) -> Textures:
    """The textures of a painted material, as they are or, where they are larger, reduced to `size` pixels."""
    rough = fitted(painted.roughness, size)
    normal, specular = (None if one is None else fitted(one, size) for one in (painted.normal, painted.specular))
    packed = np.stack([np.full_like(rough, 255), rough, np.zeros_like(rough)], axis=-1)
    return Textures(fitted(painted.albedo, size), packed, normal, specular)


def fitted(image: np.ndarray, size: int) -> np.ndarray:
    """`image` [S, S] or [S, S, C] at `size` pixels where it is larger.

    Channels are averaged each for itself: colours below an alpha of 0 stay what they are.
    """
    if len(image) <= size:
        return image
    channels = [image] if image.ndim == 2 else [image[..., k] for k in range(image.shape[2])]
    small = [np.asarray(Image.fromarray(one).resize((size, size), Image.Resampling.BOX)) for one in channels]
    return small[0] if image.ndim == 2 else np.stack(small, axis=-1)
