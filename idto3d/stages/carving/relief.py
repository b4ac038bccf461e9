"""Relief as a tangent-space normal map: its slopes, how two are laid over each other, and what a mesh shows of them.

A slope [.., 2] is how fast the surface rises to the right and upwards in the texture, without unit. Those of two
reliefs add up ("partial derivative blending", Barre-Brisebois and Hill 2012): the fine one follows the coarse one.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.geometry.mesh import unit
from idto3d.render.draw import Surface
from idto3d.render.dressed import read_map

FLAT = (128, 128, 255)  # of a normal map without relief
LEAST_FACING = 0.1  # of a normal to its surface, below which its slope is not told


def slopes_of(normal: np.ndarray) -> np.ndarray:
    """[S, S, 2] float32 of a normal map [S, S, 3] uint8, (n + 1) / 2, green up."""
    local = normal.astype(np.float32) / 127.5 - 1
    return -local[..., :2] / np.maximum(local[..., 2:], LEAST_FACING)


def normal_map_of(slopes: np.ndarray) -> np.ndarray:
    """[S, S, 3] uint8, (n + 1) / 2, green up, the normal map of `slopes` [S, S, 2]."""
    local = np.concatenate([-slopes, np.ones((*slopes.shape[:2], 1), np.float32)], -1)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    return np.round((local + 1) * 127.5).astype(np.uint8)


def over(normal: np.ndarray | None, slopes: np.ndarray, least: float = 0.01) -> np.ndarray:
    """The normal map [S, S, 3] with `slopes` [S, S, 2] over its own; None is flat.

    Texels whose slope changes by less than `least` stay, byte for byte.
    """
    base = np.full((*slopes.shape[:2], 3), FLAT, np.uint8) if normal is None else normal
    changed = np.abs(slopes).max(-1, keepdims=True) > least
    return np.where(changed, normal_map_of(slopes_of(base) + slopes), base)


@dataclass(frozen=True, eq=False)
class Tangents:
    """Of a mesh's first faces, which have texture coordinates: uvs [F, 3, 2], and the unit direction along_u [F, 3],
    in which u rises; side [F, 1] is -1 where the texture lies mirrored.
    """

    uvs: Tensor
    along_u: Tensor
    side: Tensor


def tangents_of(vertices: Tensor, faces: Tensor, uvs: Tensor) -> Tangents:
    """The tangents of faces [F, 3] over vertices [V, 3], metres, with corners at uvs [F, 3, 2], v down."""
    first, second, third = (vertices.index_select(0, faces[:, corner]) for corner in range(3))
    up = uvs * uvs.new_tensor([1.0, -1.0])
    a, b = up[:, 1] - up[:, 0], up[:, 2] - up[:, 0]
    area = a[:, :1] * b[:, 1:] - a[:, 1:] * b[:, :1]
    side = torch.where(area < 0, -1.0, 1.0)
    return Tangents(uvs, unit(side * ((second - first) * b[:, 1:] - (third - first) * a[:, 1:])), side)


def bent_normals(surface: Surface, tangents: Tangents, slopes: Tensor) -> Tensor:
    """[P, 3] unit world normals of the covered pixels with the relief of `slopes` [S, S, 2] on the first faces.

    Differentiable in the slopes and in the surface's normals.
    """
    fragments = surface.fragments
    face = fragments.face[fragments.covered]
    rows = (face < len(tangents.uvs)).nonzero()[:, 0]
    face, normal = face[rows], surface.normal[rows]
    uvs = (tangents.uvs[face] * fragments.barycentric[fragments.covered][rows].detach()[..., None]).sum(1)
    rise = read_map(slopes, uvs)
    along_u = tangents.along_u[face]
    along_u = F.normalize(along_u - (along_u * normal).sum(-1, keepdim=True) * normal, dim=-1)
    along_v = torch.linalg.cross(normal, along_u) * tangents.side[face]
    bent = F.normalize(normal - rise[:, :1] * along_u - rise[:, 1:] * along_v, dim=-1)
    return surface.normal.index_put((rows,), bent)
