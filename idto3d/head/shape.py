"""What carries a head's shape while it is grown. The shape stage drives it without knowing what it is made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

from idto3d.head.parts import Head
from idto3d.render.rasterizer import Rasterizer


class ShapeVanished(Exception):
    """There was no surface for a moment; the carrier is back at its last good state and may be asked again."""


@dataclass(frozen=True, eq=False)
class Grown:
    """A shape as it is at one step, differentiable. `head` holds the expressions that were asked for alone.

    roughness is the parts' Laplacian loss, see `geometry.regularisers`; strayed how far surface and expressions were
    moved from where they started, mean squares in square millimetres; shifted the mean square of what was added to the
    shape coefficients. All three are scalars.
    """

    head: Head
    roughness: Tensor
    strayed: Tensor
    shifted: Tensor


class ShapeCarrier(Protocol):
    """Grows a head's shape. What it is made of is its own concern; all lengths are metres."""

    @property
    def module(self) -> nn.Module:
        """What is learned, with everything of it that must be kept."""
        ...

    @property
    def rasterizer(self) -> Rasterizer:
        """What draws the head while it grows."""
        ...

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """What to optimise: the parameters of `module` in groups, each with its learning rate."""
        ...

    def refresh(self, step: int) -> None:
        """To be called before every step, counted from 0: works out anew, now and then, what stays between."""
        ...

    def grow(self, expression_ids: Sequence[int]) -> Grown:
        """The shape in the expressions of these ids, with gradients. Raises ShapeVanished."""
        ...

    def finished(self) -> Head:
        """The whole head in all its expressions, without gradients."""
        ...

    def coefficients(self) -> Tensor:
        """[K] the shape coefficients of the head prior that the head has now."""
        ...

    def kept(self) -> dict[str, Tensor]:
        """What `refresh` worked out and is needed to go on as if never stopped, besides the state of `module`."""
        ...

    def restore(self, kept: Mapping[str, Tensor]) -> None:
        """Put back what `kept` gave; to be called when `module` has its state again."""
        ...
