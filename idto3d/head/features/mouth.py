"""The inside of the mouth stays inside of the head, also where a jaw is much shorter than the template's: a baby's."""

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.template import MOUTH_SOCKET, SKIN
from idto3d.head.template_model import Template

DEEP_M = 0.004  # below the skin that every part of the mouth keeps which lies as deep on the mean head
NEAR_M = 0.015  # from the skin, beyond which what lies behind the inside of a lip is no nearer to the outside
ROUNDS = 2  # what was drawn in may be nearest to other skin


def mouth_inside(template: Template, vertices: Tensor) -> Tensor:
    """[V, 3] the head `vertices` [V, 3] with socket, gums and throat drawn in where they came through the skin.

    Each goes along the normal of the skin's nearest vertex, as deep below it as on the mean head but at most DEEP_M.
    """
    own = _inside(template)
    for _ in range(ROUNDS):
        vertices = vertices + _drawn_in(template, vertices[None], own, _nearest(vertices, own))[0]
    return vertices


def mouth_kept_inside(template: Template, vertices: Tensor, moved: Tensor) -> Tensor:
    """[E, V, 3] the displacements `moved` [E, V, 3] of a head `vertices` [V, 3], the mouth drawn in likewise."""
    own = _inside(template)
    return moved + _drawn_in(template, vertices + moved, own, _nearest(vertices, own))


def _inside(template: Template) -> Tensor:
    """[K] the vertices of the mouth's socket, gums, throat and tongue."""
    parts = (MOUTH_SOCKET, template.part("gums_tongue").vertices)
    return torch.cat([torch.arange(part.start, part.stop) for part in parts]).to(template.neutral.device)


def _nearest(vertices: Tensor, own: Tensor) -> Tensor:
    """[K] the skin's vertex that is nearest to each of the vertices `own` [K]."""
    points = vertices.detach().cpu().numpy()
    return torch.from_numpy(cKDTree(points[: SKIN.stop]).query(points[own.cpu().numpy()])[1]).to(vertices.device)


def _drawn_in(template: Template, posed: Tensor, own: Tensor, nearest: Tensor) -> Tensor:
    """[E, V, 3] metres by which the vertices `own` [K] of heads `posed` [E, V, 3] go below the skin's `nearest` [K].

    Those that the mean head has before that skin, as teeth behind the lips' inner side, stay.
    """
    kept, _ = _depth(template, template.neutral[None], own, nearest)
    depth, normal = _depth(template, posed, own, nearest)
    near = (posed[:, nearest] - posed[:, own]).norm(dim=-1) < NEAR_M
    short = (kept.clamp_max(DEEP_M) - depth).clamp_min(0) * (kept > 0) * near
    return torch.zeros_like(posed).index_copy(1, own, -short[..., None] * normal)


def _depth(template: Template, posed: Tensor, own: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor]:
    """How deep `own` [K] lie below `nearest` [K], [E, K] metres, and the skin's normals there, [E, K, 3]."""
    normal = vertex_normals(posed, template.part("skin").faces)[:, nearest]
    return ((posed[:, nearest] - posed[:, own]) * normal).sum(-1), normal
