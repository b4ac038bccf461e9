"""Parts that lie on the skin, such as hair and a beard, taken along where the skin goes. Metres."""

from dataclasses import replace

import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.head.hair.beard.part import NAME as BEARD
from idto3d.head.parts import Part

CARRIERS = 12  # vertices of the skin that carry a point of another part


def carried(part: Part, skin: Tensor, moved: Tensor, change: Tensor) -> Part:
    """A part that lies on the `skin` [S, 3], such as hair, taken along where that is `moved` [S, 3] to.

    A beard goes as well with what the expressions of the skin have changed by, `change` [E, S, 3]; hair, which hardly
    moves with the face, does not.
    """
    placed = replace(part, vertices=part.vertices + taken_along(skin, moved, part.vertices))
    if part.name != BEARD:
        return placed
    more = [taken_along(skin, one, part.vertices) if one.any() else torch.zeros_like(part.vertices) for one in change]
    return replace(placed, displacements=part.displacements + torch.stack(more))


def taken_along(skin: Tensor, moved: Tensor, points: Tensor) -> Tensor:
    """[N, 3] how far the `skin` [S, 3] that is `moved` [S, 3] takes `points` [N, 3]: the mean of what is nearest."""
    gap, near = cKDTree(skin.cpu().numpy()).query(points.cpu().numpy(), k=CARRIERS)
    weight = torch.from_numpy(1 / (gap + 0.1 * gap.mean(1, keepdims=True) + 1e-6)).to(moved)
    return (weight[..., None] * moved[torch.from_numpy(near).to(skin.device)]).sum(1) / weight.sum(1, keepdim=True)
