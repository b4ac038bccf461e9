"""Lashes stay outside of the skin: the sheets of the template go with the lids, and other heads' skin crosses them."""

import torch
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.lid_skin import Lid

OUTSIDE_M = 0.0005  # that a lash keeps from the skin
NEAR_M = 0.006  # a lash further away than this from any vertex of the skin is in the open
SMALLEST_MOVE_M = 0.0002  # of lids, from which on lashes are looked at


def outside(lid: Lid, skin: Tensor, lashes: Tensor) -> Tensor:
    """[K, 3] the `lashes` [K, 3] of a lid, moved out of its `skin` [N, 3] along the normal of the nearest vertex."""
    outer = (lid.most > 0).nonzero()[:, 0]
    distance, nearest = torch.cdist(lashes, skin[outer]).min(1)
    normal = vertex_normals(skin, lid.faces)[outer][nearest]
    height = ((lashes - skin[outer][nearest]) * normal).sum(1)
    short = torch.where(distance < NEAR_M, OUTSIDE_M - height, 0.0).clamp_min(0)
    return lashes + short[:, None] * normal


def lashes_outside(lid: Lid, vertices: Tensor, moved: Tensor) -> Tensor:
    """[E, K, 3] displacements of a lid's lashes: `moved` [E, V, 3] of a head `vertices` [V, 3], out of the skin."""
    result = moved[:, lid.lashes].clone()
    for number, move in enumerate(moved):
        if move[lid.skin].abs().max() > SMALLEST_MOVE_M:
            placed = outside(lid, (vertices + move)[lid.skin], (vertices + move)[lid.lashes])
            result[number] = placed - vertices[lid.lashes]
    return result
