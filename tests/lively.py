"""A prior that is small and does something: shared by the tests of what grows from one."""

import torch

from idto3d.config import HashGridOptions, ShapeOptions
from idto3d.head.ellipsoid import EllipsoidPrior
from idto3d.head.prior import SdfBasis
from idto3d.head.start import WORDS, Start, Trait
from idto3d.words.expressions import NAMES
from idto3d.words.traits import HAIR_STYLES

HASH_GRID = HashGridOptions(levels=3, log2_size=8, base=2, growth=2.0)
OPTIONS = ShapeOptions(resolution=16, refresh=2, hash_grid=HASH_GRID)
EXPRESSIONS = ("neutral", "mouth stretch")


class LivelyPrior(EllipsoidPrior):
    """An egg that one coefficient inflates, whose lower half drops in 'mouth stretch', with a ball for a bun."""

    def basis(self, points):
        plain = super().basis(points)
        hair = plain.hair.clone()
        hair[:, HAIR_STYLES.index("bun")] = (points - points.new_tensor((0.0, 0.1, 0.0))).norm(dim=-1) - 0.05
        return SdfBasis(plain.mean, torch.full((len(points), 1), -0.01), hair)

    def warp(self, points, z=None):
        warp = super().warp(points)
        warp[:, NAMES.index("mouth stretch"), 1] = torch.where(points[:, 1] < 0, -0.02, 0.0)
        return warp


def begun(z=0.0, **traits) -> Start:
    """The start of somebody who is said to have these traits."""
    return Start(None, {name: Trait(word, WORDS) for name, word in traits.items()}, "person", torch.tensor([z]))
