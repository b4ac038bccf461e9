"""Which way hair is combed: away from a parting, out of a whorl, towards a knot; and the pull of gravity.

Directions are asked for at points of the mean head, metres, and answered before they are laid onto the hair's surface.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from idto3d.head.hair.lattice import normalised

CROWN = np.array([0.012, 0.135, -0.045])  # where the whorl lies, metres on the mean head


class Comb(Protocol):
    """A way to comb hair.

    end: a place [3] and how near to it hair ends, metres; None where it ends nowhere. parted: 0..1, how deep a line
    the scalp shows at its source.
    """

    end: tuple[tuple[float, float, float], float] | None
    parted: float

    def directions(self, points: np.ndarray) -> np.ndarray:
        """[N, 3] the way that hair runs at `points` [N, 3]; about unit, any length is allowed."""
        ...

    def from_source(self, points: np.ndarray) -> np.ndarray:
        """[N] metres from where hair parts or whirls, or from the hairline that it is drawn back from."""
        ...


@dataclass(frozen=True)
class Parting:
    """Hair falls to both sides of a line at x = `offset` that runs back to z = `behind`, metres.

    back: how much it is combed backwards as well; gravity: the pull down; both against 1 for the way to the side.
    """

    offset: float = 0.0
    behind: float = -0.055
    back: float = 0.25
    gravity: float = 1.0
    parted: float = 1.0
    end: None = None

    def directions(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.directions`."""
        x, z = points[:, 0] - self.offset, points[:, 2] - self.behind
        behind = np.minimum(z, 0)
        sideways = normalised(np.stack([x, 0 * x, behind], -1))
        return sideways + [0, -self.gravity, 0] + np.outer(z > 0, [0, 0, -self.back])

    def from_source(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.from_source`."""
        return np.hypot(points[:, 0] - self.offset, np.minimum(points[:, 2] - self.behind, 0))


@dataclass(frozen=True)
class Whorl:
    """Hair runs out of the crown to all sides, turned by `turn` radians; `sweep` bends it to the left in front."""

    turn: float = 0.3
    sweep: float = 0.0
    gravity: float = 0.7
    centre: tuple[float, float, float] = tuple(CROWN)
    parted: float = 0.0
    end: None = None

    def directions(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.directions`."""
        away = normalised(points - np.array(self.centre))
        near = np.exp(-np.linalg.norm(points - np.array(self.centre), axis=1) / 0.05)
        angle = self.turn * near
        turned = np.stack(
            [away[:, 0] * np.cos(angle) + away[:, 2] * np.sin(angle), away[:, 1],
             away[:, 2] * np.cos(angle) - away[:, 0] * np.sin(angle)], -1
        )  # fmt: skip
        front = np.clip((points[:, 2] - 0.01) / 0.05, 0, 1) * np.clip((points[:, 1] - 0.06) / 0.04, 0, 1)
        return turned + [0, -self.gravity, 0] + np.outer(front, [self.sweep, 0, 0])

    def from_source(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.from_source`."""
        return np.linalg.norm(points - np.array(self.centre), axis=1)


@dataclass(frozen=True)
class Knot:
    """Hair is drawn to a point from all sides, and ends near it."""

    end: tuple[tuple[float, float, float], float]
    parted: float = 0.0

    def directions(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.directions`."""
        return normalised(np.array(self.end[0]) - points)

    def from_source(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.from_source`."""
        return np.maximum(0.17 - np.linalg.norm(points - np.array(self.end[0]), axis=1), 0)


@dataclass(frozen=True)
class Tucked:
    """Hair as another comb has it, but at the sides it is drawn back over the ears before it falls."""

    base: Comb
    end: None = None

    @property
    def parted(self) -> float:
        """See `Comb`."""
        return self.base.parted

    def directions(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.directions`."""
        x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
        beside = (
            np.clip((x - 0.035) / 0.025, 0, 1) * np.clip((0.115 - y) / 0.03, 0, 1) * np.clip((z + 0.055) / 0.025, 0, 1)
        )
        way = normalised(self.base.directions(points))
        return way + beside[:, None] * (np.array([0.0, 0.05, -1.3]) - 0.85 * way)

    def from_source(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.from_source`."""
        return self.base.from_source(points)


@dataclass(frozen=True)
class Back:
    """Hair is combed back from the forehead and falls behind."""

    gravity: float = 0.5
    parted: float = 0.0
    end: None = None

    def directions(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.directions`."""
        outward = np.clip(points[:, :1] / 0.08, -1, 1) * [0.25, 0, 0]
        return outward + [0, -self.gravity, -1.0]

    def from_source(self, points: np.ndarray) -> np.ndarray:
        """See `Comb.from_source`."""
        return np.maximum(0.09 - points[:, 2], 0)
