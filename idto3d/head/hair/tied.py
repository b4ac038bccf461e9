"""What is tied of hair: strands that fall as a tail from a knot, or wind about one. Metres, on the mean head."""

import numpy as np
from scipy.interpolate import CubicSpline

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.strands import Guides
from idto3d.head.hair_volumes import KNOT

ROWS = 10
STRANDS, LOCKS = 110, 22
# A tail's middle line from the knot over the tie, and where along it, 0..1, these places and radii are; metres.
FALL = ((0.0, 0.083, -0.086), (0.0, 0.080, -0.108), (0.0, 0.050, -0.129), (0.0, -0.030, -0.124), (0.0, -0.135, -0.112))
FALLS = (0.0, 0.08, 0.26, 0.6, 1.0)
FULLNESS = ((0.0, 0.014), (0.08, 0.011), (0.25, 0.021), (0.6, 0.024), (1.0, 0.007))
WINDINGS = 1.4  # turns of a strand about a bun


def tail_guides(random: np.random.Generator) -> Guides:
    """Strands along the tail of a ponytail, from its tie to its end, at all depths of it."""
    share = np.linspace(0, 1, ROWS)
    middle, radius = _tail(share)
    ahead = normalised(np.gradient(middle, axis=0))
    side = normalised(np.cross(ahead, [1.0, 0.0, 0.001]))
    other = np.cross(ahead, side)
    turn = random.uniform(0, 2 * np.pi, STRANDS)[:, None] + 0.25 * share * random.normal(0, 1, (STRANDS, 1))
    depth = random.choice((0.55, 0.8, 1.0), STRANDS)[:, None]
    out = np.cos(turn)[..., None] * side + np.sin(turn)[..., None] * other
    reach = 1 - 0.40 * random.uniform(size=(STRANDS, 1)) ** 2  # strands end at different heights
    points = middle + (radius * depth)[..., None] * out
    points[..., 1] = points[:, :1, 1] + (points[..., 1] - points[:, :1, 1]) * reach
    return Guides(points, out, depth[:, 0], (turn[:, 0] / (2 * np.pi) * LOCKS).astype(int) % LOCKS)


def _tail(share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle line [T, 3] and radius [T] along the tail: narrow at the tie, full, and pointed at the end."""
    middle = np.stack([CubicSpline(FALLS, line)(share) for line in np.array(FALL).T], -1)
    return middle, np.interp(share, *zip(*FULLNESS, strict=True))


def bun_guides(random: np.random.Generator) -> Guides:
    """Strands that wind about the knot of a bun."""
    centre, radius = np.array(KNOT[0]), KNOT[1]
    axis = normalised(centre - [0.0, 0.03, 0.0])
    side = normalised(np.cross(axis, [1.0, 0.0, 0.0]))
    other = np.cross(axis, side)
    turn = random.uniform(0, 2 * np.pi, (STRANDS, 1)) + WINDINGS * np.pi * np.linspace(0, 1, ROWS)
    height = random.uniform(-0.75, 0.92, (STRANDS, 1)) + np.linspace(-0.14, 0.14, ROWS)
    height = np.clip(height, -0.9, 0.97)
    ring = np.sqrt(1 - height**2)[..., None] * (np.cos(turn)[..., None] * side + np.sin(turn)[..., None] * other)
    out = normalised(ring + height[..., None] * axis)
    level = random.choice((0.85, 0.95, 1.0), STRANDS)
    coils = 1 + 0.06 * np.cos(9 * height + 2 * turn)
    points = centre + radius * (level[:, None] * coils)[..., None] * (out - 0.15 * height[..., None] * axis)
    return Guides(points, out, level, random.integers(0, LOCKS, STRANDS))
