"""A mesh that wears textures: what every covered pixel shows of them."""

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from idto3d.render.draw import Surface

CHANNELS = 5  # of a map: linear albedo, roughness, and how far both are known for certain


@dataclass(frozen=True, eq=False)
class Dressed:
    """uvs [F, 3, 2] of a mesh's faces, the number [F] int64 of each face's map, and the maps [S, S, 5], 0..1."""

    uvs: Tensor
    worn: Tensor
    maps: tuple[Tensor, ...]


def read_dressed(dressed: Dressed, surface: Surface) -> Tensor:
    """[P, 5] linear albedo, roughness and certainty at the covered pixels, bilinear."""
    fragments = surface.fragments
    face = fragments.face[fragments.covered]
    uvs = (dressed.uvs[face] * fragments.barycentric[fragments.covered].detach()[..., None]).sum(1)
    worn, values = dressed.worn[face], uvs.new_zeros(len(face), CHANNELS)
    for number, image in enumerate(dressed.maps):
        rows = (worn == number).nonzero()[:, 0]
        values[rows] = read_map(image, uvs[rows])
    return values


def read_map(image: Tensor, uvs: Tensor) -> Tensor:
    """Bilinear values [N, C] of `image` [S, S, C] at `uvs` [N, 2], u to the right and v down."""
    grid = (2 * uvs - 1).view(1, 1, -1, 2)
    values = F.grid_sample(image.permute(2, 0, 1)[None], grid, padding_mode="border", align_corners=False)
    return values[0, :, 0].T
