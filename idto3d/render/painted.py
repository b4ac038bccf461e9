"""Finished textures of a material, as they are painted, saved and written."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

MAPS = ("albedo", "roughness", "normal", "specular", "known")
# What texels of a map that is None count as: no relief, the reflectance of plastics, and no photo that shows them.
PLAIN = {"normal": (128, 128, 255), "specular": (255,), "known": (0,)}


@dataclass(frozen=True, eq=False)
class PaintedMaterial:
    """The textures of a material without metal, uint8, square, row 0 on top.

    albedo [S, S, 3] sRGB, or [S, S, 4] with the opacity, linear, as its alpha. roughness [S, S] linear. normal
    [S, S, 3] is the tangent-space normal map, (n + 1) / 2, green up; None where the material has no relief. specular
    [S, S] is the share of the reflectance of plastics, 4 % at normal incidence; None where it is that. known [S, S] is
    how far photos show a texel; None where none does. Raises ValueError for other shapes or kinds of numbers.
    """

    albedo: np.ndarray
    roughness: np.ndarray
    normal: np.ndarray | None = None
    specular: np.ndarray | None = None
    known: np.ndarray | None = None

    def __post_init__(self):
        sides = {"albedo": (3, (3, 4)), "normal": (3, (3,))}
        for name in MAPS:
            image, (axes, channels) = getattr(self, name), sides.get(name, (2, ()))
            if image is None and name in PLAIN:
                continue
            square = image.ndim == axes and image.shape[0] == image.shape[1]
            if not square or image.dtype != np.uint8 or (channels and image.shape[2] not in channels):
                raise ValueError(f"the {name} of a painted material cannot be {image.dtype} {list(image.shape)}")


def painted_tensors(painted: Mapping[str, PaintedMaterial]) -> dict[str, Tensor]:
    """Materials by name as tensors, to be saved: `NAME.MAP`; the inverse of `painted_from`."""
    return {
        f"{name}.{kind}": torch.from_numpy(image)
        for name, material in painted.items()
        for kind in MAPS
        if (image := getattr(material, kind)) is not None
    }


def painted_from(tensors: Mapping[str, Tensor]) -> dict[str, PaintedMaterial]:
    """The materials that were saved as `painted_tensors`. Raises KeyError or ValueError where they are none."""
    names = dict.fromkeys(name.rpartition(".")[0] for name in tensors)
    return {name: _material(name, tensors) for name in names}


def _material(name: str, tensors: Mapping[str, Tensor]) -> PaintedMaterial:
    kept = {kind: tensors.get(f"{name}.{kind}") for kind in PLAIN}
    kept |= {kind: tensors[f"{name}.{kind}"] for kind in MAPS if kind not in PLAIN}
    return PaintedMaterial(**{kind: None if image is None else image.cpu().numpy() for kind, image in kept.items()})
