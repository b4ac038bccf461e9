"""The normals of what a normal map says lies on a drawn surface."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.render.draw import Surface
from idto3d.render.dressed import Dressed, read_map
from idto3d.stages.texture.code import SKIN


def as_relief(normal: np.ndarray, size: int, device: torch.device) -> Tensor:
    """A normal map [S, S, 3] uint8, green up, as directions [s, s, 3] no finer than `size` pixels."""
    image = torch.from_numpy(normal).to(device).float() / 255 * 2 - 1
    return F.avg_pool2d(image.permute(2, 0, 1)[None], max(1, len(normal) // size))[0].permute(1, 2, 0)


def bent(surface: Surface, positions: Tensor, dressed: Dressed, relief: Tensor) -> Surface:
    """`surface` with the skin's normals as its `relief` [s, s, 3] turns them; positions [B, V, 3] of its vertices.

    The tangent of a pixel is that of its face: where u grows, and v grows downwards.
    """
    covered = surface.fragments.covered
    face, view = surface.fragments.face[covered], covered.nonzero()[:, 0]
    rows = (dressed.worn[face] == SKIN).nonzero()[:, 0]
    face, normal = face[rows], surface.normal[rows]
    corners = positions[view[rows, None], surface.faces[face]]
    along_u, up = _axes(corners, dressed.uvs[face])
    along_u = F.normalize(along_u - (along_u * normal).sum(-1, keepdim=True) * normal, dim=-1)
    side = (torch.linalg.cross(normal, along_u) * up).sum(-1, keepdim=True).sign()
    place = (dressed.uvs[face] * surface.fragments.barycentric[covered].detach()[rows, :, None]).sum(1)
    local = read_map(relief, place)
    turned = local[:, :1] * along_u + local[:, 1:2] * side * torch.linalg.cross(normal, along_u) + local[:, 2:] * normal
    return replace(surface, normal=surface.normal.index_put((rows,), F.normalize(turned, dim=-1)))


def _axes(corners: Tensor, uvs: Tensor) -> tuple[Tensor, Tensor]:
    """[N, 3] where u grows and where v shrinks on faces with `corners` [N, 3, 3] at `uvs` [N, 3, 2]."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    (du, dv), (eu, ev) = (uvs[:, 1] - uvs[:, 0]).unbind(-1), (uvs[:, 2] - uvs[:, 0]).unbind(-1)
    turn = (du * ev - eu * dv).sign()[:, None]  # its size goes when the axes are brought to unit length
    return turn * (first * ev[:, None] - second * dv[:, None]), -turn * (second * du[:, None] - first * eu[:, None])
