"""A morphable head with random weights, small enough for tests."""

import torch

from idto3d.guidance.networks.morphable import MorphableHead, MorphableSize
from idto3d.guidance.networks.tiny import BaseSpec
from idto3d.words.expressions import EXPRESSIONS


def tiny_morphable(spec: BaseSpec, id_dim: int) -> MorphableHead:
    """A morphable head for a base of `spec`'s sizes with random readings (seed torch first).

    An octahedron that may wear a cap and a beard, and each of whose corners follows itself.
    """
    counts = {"vertices": 6, "handles": 6, "faces": 8, "modes": 4, "moves": len(EXPRESSIONS), "words": 5}
    size = MorphableSize(**counts, hair=((0, 0), (5, 4)), beards=2, hidden=8)
    head = MorphableHead(spec.text_width, id_dim, spec.image_size, {**vars(size)}).requires_grad_(False)
    axes, sides = torch.eye(3), torch.tensor([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4]])
    corners = 0.09 * torch.stack([axes[0], -axes[0], axes[2], -axes[2], axes[1], -axes[1]])
    head.mean.copy_(corners)
    head.faces.copy_(torch.cat([sides, sides.flip(1) + (sides.flip(1) == 4)]))
    head.near[:, 0].copy_(torch.arange(6))
    head.pull[:, 0].fill_(1)
    head.beard_way.copy_(corners)
    head.beard_depth[1], head.beard_cover[1] = 0.2, 0.5
    head.hair_roots.copy_(torch.arange(5))
    head.hair_faces.copy_(sides)
    head.hair_offsets.copy_(0.3 * corners[:5])
    head.hair_shade.fill_(1)
    for values, deviation in ((head.modes, 0.01), (head.moves, 0.01), (head.paint, 0.5), (head.bent.weight, 0.5)):
        values.normal_(std=deviation)
    return head
