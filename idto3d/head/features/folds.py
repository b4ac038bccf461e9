"""Small folds of the skin smoothed out: where identity and words add up, triangles turn over at lids and ear lobes."""

import torch
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.template_model import Template

ROUNDS = 24  # what is smoothed may fold its neighbours
WIDER = 6  # rounds after which a fold that stayed is smoothed with one ring more of its neighbours
SLIVER = 5e-8  # square metres; in the creases at the mouth's corners the mean head has smaller ones folded as well
STEP = 0.5  # of the way to the middle of the neighbours


def unfolded(template: Template, vertices: Tensor) -> Tensor:
    """[V, 3] the head `vertices` [V, 3], metres, its skin without triangles that turn away from their corners' normals.

    The corners of such triangles go towards the middle of their neighbours, and no others move, unless a triangle stays
    turned over: then those around it do as well, since an ear lobe may be folded with all that a corner touches.
    """
    own, faces = template.part("skin").vertices, template.part("skin").faces
    skin = vertices[own]
    for number in range(ROUNDS):
        turned = _turned(skin, faces)
        if not turned.any():
            break
        corners = faces[turned].unique()
        for _ in range(number // WIDER):
            corners = faces[torch.isin(faces, corners).any(1)].unique()
        skin = skin.index_copy(0, corners, torch.lerp(skin[corners], _middles(skin, faces)[corners], STEP))
    return torch.cat([vertices[: own.start], skin, vertices[own.stop :]])


def _turned(skin: Tensor, faces: Tensor) -> Tensor:
    """[F] bool, which faces of `skin` [V, 3] turn away from the normals of their corners and are no slivers."""
    a, b, c = skin[faces].unbind(1)
    across = torch.linalg.cross(b - a, c - a)
    away = (across * vertex_normals(skin, faces)[faces].sum(1)).sum(-1) < 0
    return away & (across.norm(dim=1) / 2 > SLIVER)


def _middles(skin: Tensor, faces: Tensor) -> Tensor:
    """[V, 3] the mean of the two other corners of all faces around each vertex."""
    total, count = torch.zeros_like(skin), skin.new_zeros(len(skin), 1)
    for corner in range(3):
        others = skin[faces[:, corner - 1]] + skin[faces[:, corner - 2]]
        total.index_add_(0, faces[:, corner], others / 2)
        count.index_add_(0, faces[:, corner], count.new_ones(len(faces), 1))
    return total / count.clamp(min=1)
