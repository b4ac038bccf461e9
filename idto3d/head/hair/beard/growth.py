"""Which way a beard grows on the mean head, and how long and how far off the skin it is there. Metres."""

import numpy as np

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import Roots, Skin, smoothstep
from idto3d.head.hair.strands import Guides
from idto3d.head.hair.told.locks import gathered, locks_of

LIP_Y, LIP_SLOPE = -0.0355, 0.1  # the upper lip's edge in the middle, and how it falls to the sides
LIP_GAP = 0.0015  # that a moustache's tips keep above that edge
MOUSTACHE = (0.0030, 0.0095)  # least and most length of a strand above the lip
MOUSTACHE_END = 0.035  # distance from the middle that its tips keep within
LIP_SIDE, LIP_ABOVE = (0.034, 0.027), 0.002  # where it passes into what grows beside the mouth, and at the lip's edge
LENGTH = (1.0, 1.9)  # of a strand, in depths of the beard: on the cheeks, and what the chin adds
LIFT = 0.62  # of the beard's depth that the outer layer reaches at its tips
LEVELS = (0.30, 0.65, 1.0)  # shares of it that layers reach
STRAY, OF_LOCKS = 0.12, 0.22  # standard deviations of a strand's and a lock's turn in the skin's plane, radians
IN_LOCK, GATHER = 6, 0.45  # strands of a lock; how far they meet at their tips
CHEEK_LINE = (0.32, 0.075, -0.012)  # the border of a beard on the cheeks: height rises with depth so, metres
THINS = ((0.0, 0.034), (0.0, 0.020))  # metres under it over which a beard gets full: on the cheeks, before the ears
CHEEKS, BEFORE_EARS = (0.022, 0.036), (0.050, 0.030)  # metres from the middle, and depths, where those are
SAG = 0.22  # of its length that a strand sinks where the skin hangs over
SUNK = 0.0006  # metres under the skin that strands begin
ROWS = 3


def grown(skin: Skin, roots: Roots, thick: np.ndarray, depth: float, random: np.random.Generator) -> Guides:
    """A short strand [N, ROWS, 3] from each of `roots`. thick [N]: 0..1, how full the beard is there; depth: metres."""
    mean, count = roots.read(skin.mean), len(roots.points)
    level = np.array(LEVELS)[random.integers(0, len(LEVELS), count)]
    lock = locks_of(roots.points, max(count // IN_LOCK, 1), random)
    length = lengths(mean, depth) * (0.3 + 0.7 * thick) * random.uniform(0.75, 1.2, count)
    stray = random.normal(0, STRAY, count) + random.normal(0, OF_LOCKS, lock.max() + 1)[lock]
    along = _turned(directions(mean), roots.normals, stray)
    rise = np.minimum(LIFT * depth * level * (0.2 + 0.8 * thick), 0.5 * length)
    share = np.linspace(0, 1, ROWS)[None, :, None]
    out = roots.normals[:, None]
    run = np.sqrt(np.maximum(length**2 - rise**2, 0))[:, None, None] * share * along[:, None]
    hang = SAG * (length * smoothstep(-roots.normals[:, 1], -0.2, 0.6))[:, None, None] * share**2
    points = roots.points[:, None] - SUNK * out + run + rise[:, None, None] * (1 - (1 - share) ** 2) * out
    points = gathered(points - hang * np.array([0.0, 1.0, 0.0]), lock, GATHER)
    return Guides(points, np.repeat(out, ROWS, 1), level, lock)


def thinned(mean: np.ndarray) -> np.ndarray:
    """[N] 0..1 how full a full beard is at points `mean` [N, 3]: upwards on the cheeks it thins out."""
    slope, depth, height = CHEEK_LINE
    below = slope * np.clip(depth - mean[:, 2], 0, 1) + height - mean[:, 1]
    cheek, before = (smoothstep(below, *one) for one in THINS)
    ear = smoothstep(mean[:, 2], *BEFORE_EARS)
    side = smoothstep(np.abs(mean[:, 0]), *CHEEKS)
    return 1 - side * (1 - (cheek * (1 - ear) + before * ear))


def directions(mean: np.ndarray) -> np.ndarray:
    """[N, 3] unit, the way that hair runs at points `mean` [N, 3] of the mean head: outwards over the lip, else down.

    On the chin it runs a little forwards.
    """
    side, sign = np.abs(mean[:, 0]), np.where(mean[:, 0] < 0, -1.0, 1.0)
    lip = above_lip(mean)[:, None]
    chin = smoothstep(mean[:, 2], 0.03, 0.09)
    inward = 0.25 * smoothstep(side, 0.02, 0.05) + 0.30 * chin * smoothstep(mean[:, 1], -0.05, -0.08) * side / 0.03
    down = np.stack([-sign * inward, -np.ones_like(side), 0.15 + 0.35 * chin], -1)
    return normalised(lip * _over_lip(mean) + (1 - lip) * normalised(down))


def lengths(mean: np.ndarray, depth: float) -> np.ndarray:
    """[N] metres that strands are long at points `mean` [N, 3]; those above the lip end before it and its corners."""
    chin = smoothstep(mean[:, 2], 0.05, 0.09) * smoothstep(mean[:, 1], -0.04, -0.07)
    side, lip = np.abs(mean[:, 0]), above_lip(mean)
    along = _over_lip(mean)
    free = (mean[:, 1] - LIP_Y + LIP_SLOPE * side - LIP_GAP) / -along[:, 1]
    aside = (MOUSTACHE_END - side) / np.abs(along[:, 0])
    own = np.clip(np.minimum(free, aside), *MOUSTACHE)
    return lip * own + (1 - lip) * depth * (LENGTH[0] + LENGTH[1] * chin)


def above_lip(mean: np.ndarray) -> np.ndarray:
    """[N] 0..1 how much a point of the mean head lies between nose and upper lip."""
    side = np.abs(mean[:, 0])
    high = smoothstep(mean[:, 1] - LIP_Y + LIP_SLOPE * side, -LIP_ABOVE, LIP_ABOVE)
    return high * smoothstep(side, *LIP_SIDE) * (mean[:, 2] > 0.068)


def _over_lip(mean: np.ndarray) -> np.ndarray:
    """[N, 3] unit, the way of a moustache: down in the middle, and to the sides the farther from it."""
    side, sign = np.abs(mean[:, 0]), np.where(mean[:, 0] < 0, -1.0, 1.0)
    return normalised(np.stack([sign * (0.25 + side / 0.018), -np.ones_like(side), 0 * side], -1))


def _turned(ways: np.ndarray, normals: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """[N, 3] unit `ways` laid into the skin's plane and turned in it by `angle` [N], radians."""
    flat = normalised(ways - (ways * normals).sum(1, keepdims=True) * normals)
    return flat * np.cos(angle)[:, None] + np.cross(normals, flat) * np.sin(angle)[:, None]
