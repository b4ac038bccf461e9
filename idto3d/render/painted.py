"""Finished textures of a material, as they are painted, saved and written."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

MAPS = ("albedo", "roughness", "normal")


@dataclass(frozen=True, eq=False)
class PaintedMaterial:
    """The textures of a material without metal, uint8, square, row 0 on top.

    albedo [S, S, 3] sRGB, or [S, S, 4] with the opacity, linear, as its alpha. roughness [S, S] linear. normal
    [S, S, 3] is the tangent-space normal map, (n + 1) / 2, green up; None where the material has no relief. Raises
    ValueError for other shapes or kinds of numbers.
    """

    albedo: np.ndarray
    roughness: np.ndarray
    normal: np.ndarray | None = None

    def __post_init__(self):
        sides = {"albedo": (3, (3, 4)), "roughness": (2, ()), "normal": (3, (3,))}
        for name, (axes, channels) in sides.items():
            image = getattr(self, name)
            if image is None and name == "normal":
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
    normal = tensors.get(f"{name}.normal")
    kept = (tensors[f"{name}.albedo"].cpu().numpy(), tensors[f"{name}.roughness"].cpu().numpy())
    return PaintedMaterial(*kept, None if normal is None else normal.cpu().numpy())
