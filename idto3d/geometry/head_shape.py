"""A head with its expressions, all on one topology."""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class HeadShape:
    """canonical [V, 3] metres (lips slightly parted); faces [F, 3] int64; expressions [E, V, 3] metres.

    `expressions[i]` are the positions of the canonical mesh's vertices in the expression `names[i]`. Raises
    ValueError when the sizes do not fit together.
    """

    canonical: Tensor
    faces: Tensor
    names: tuple[str, ...]
    expressions: Tensor

    def __post_init__(self):
        expected = (len(self.names), *self.canonical.shape)
        if tuple(self.expressions.shape) != expected:
            raise ValueError(f"expressions must be {list(expected)}, not {list(self.expressions.shape)}")

    def expression(self, name: str) -> Tensor:
        """Vertex positions [V, 3] of one expression. Raises ValueError for a name this head has not."""
        return self.expressions[self.names.index(name)]

    def mixed(self, weights: Mapping[str, float]) -> Tensor:
        """Vertex positions [V, 3]: the first expression plus each named one's difference to it times its weight."""
        base = self.expressions[0]
        return base + sum(weight * (self.expression(name) - base) for name, weight in weights.items())
