"""How a head moves under the strengths of the template's shapes, before lids, lips and mouth are seen to. Metres."""

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.head.motion.jaw import with_jaw
from idto3d.head.motion.personal import personal_moves
from idto3d.head.template import FACE
from idto3d.head.template_model import Template


def moves_of(template: Template, vertices: Tensor) -> Tensor:
    """[S, V, 3] metres by which each of the template's shapes at full strength moves a head `vertices` [V, 3].

    Those of the mean head for a template without `personal`.
    """
    moves = template.dense_moves()
    if template.personal is None:
        return moves
    own = with_jaw(template, vertices, personal_moves(template.personal, template.neutral, vertices, moves))
    return _with_lashes(template, moves, own)


def displacement_of(template: Template, vertices: Tensor, weights: Tensor) -> Tensor:
    """[..., V, 3] metres by which the shapes at strengths `weights` [..., S] move a head `vertices` [V, 3]."""
    if template.personal is None:
        return template.displacement(weights)
    return (weights @ moves_of(template, vertices).flatten(1)).unflatten(-1, (-1, 3))


def _with_lashes(template: Template, plain: Tensor, moves: Tensor) -> Tensor:
    """`moves` [S, V, 3] with lashes that differ from the mean head's, `plain`, as the skin below them."""
    own, points = template.part("lashes").vertices, template.neutral.cpu().numpy()
    nearest = torch.from_numpy(cKDTree(points[FACE]).query(points[own])[1]).to(moves.device)
    result = moves.clone()
    moving = (plain[:, own] != 0).any(-1, keepdim=True)
    result[:, own] += moving * (moves[:, nearest] - plain[:, nearest])
    return result
