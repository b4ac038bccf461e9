"""Lashes curl and stay outside of the skin: the sheets go with the lids, and the skin of other heads crosses them."""

import numpy as np
import torch
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.features.charts import charts_of
from idto3d.head.features.lid_skin import Lid
from idto3d.head.template_model import Template

OUTSIDE_M = 0.0005  # that a lash keeps from the skin
NEAR_M = 0.006  # a lash further away than this from any vertex of the skin is in the open
CURL_M = 0.0034  # by which tips of upper lashes rise; the template's stand straight out, like thorns
SMALLEST_MOVE_M = 0.0002  # of lids, from which on lashes are looked at


def curled(template: Template, vertices: Tensor) -> Tensor:
    """[V, 3] the head `vertices` [V, 3] metres with upper lashes that bend upwards, the more the nearer to their tips.

    To be called once: again bends them further.
    """
    part, rise = template.part("lashes"), torch.zeros_like(vertices)
    rise[part.vertices, 1] = CURL_M * torch.from_numpy(tip_share(template) ** 2).to(vertices)
    return vertices + rise


def tip_share(template: Template) -> np.ndarray:
    """[K] of the lashes' vertices, 0 at the root to 1 at the tip of upper ones; 0 on the lower lids.

    In ICT-FaceKit's sheets roots lie at the top, and the upper lids' sheets in the upper half.
    """
    part = template.part("lashes")
    faces, uvs = part.faces.cpu().numpy(), part.uvs.cpu().double().numpy()
    labels, share = charts_of(part.uvs.cpu().numpy()), np.zeros(part.vertices.stop - part.vertices.start)
    for label in range(labels.max() + 1):
        down = uvs[labels == label][..., 1]
        if down.max() < 0.5:
            share[faces[labels == label]] = (down - down.min()) / np.ptp(down)
    return share


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
