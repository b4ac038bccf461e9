"""Brows painted hair by hair on the skin: up at the inner end, along the brow towards the outer one, both rows meeting.

Each brow is drawn on a sheet of its own, unrolled along the line through its landmarks on the mean head: s runs from 0
at the inner end to 1 at the outer one, t metres above the line. Texels read it there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import map_coordinates

from idto3d.head.paint.atlas import Texels
from idto3d.head.template import LANDMARKS

BROWS = (LANDMARKS[17:22][::-1], LANDMARKS[22:27])  # right and left, from inside
PIXEL = 0.00016  # metres of a sheet's pixel
REACH = (0.006, 0.0105)  # metres of the sheet before and after the line, and above and below it
HAIRS = 190
HALF = ((0.0, 0.0030), (0.12, 0.0042), (0.45, 0.0040), (0.75, 0.0026), (1.0, 0.0006))  # half its height by s, metres
LEAN_DEG = ((0.0, 82.0), (0.10, 66.0), (0.30, 34.0), (0.60, 14.0), (1.0, 2.0))  # of hairs above the line, by s
LENGTH = (0.0056, 0.0090)  # least and most of a hair, metres
THICK = (0.00016, 0.00029)  # half of one at its root
STRENGTH = ((0.0, 0.20), (0.14, 0.65), (0.3, 1.0), (0.75, 1.0), (1.0, 0.45))  # of hairs by s
UNDER = 0.36  # how much the skin between the hairs is shaded
TUFTS, UNEVEN = 7, 0.35  # waves of hairs that stand closer along a brow, and by how much
ARCH_AT, ARCH_OVER = 0.66, 0.28  # where along a brow it is highest, and how far that reaches


@dataclass(frozen=True)
class Brow:
    """How brows are: their height about 1, metres that they arch and lie higher, share of HAIRS, and cover 0..1."""

    full: float = 1.0
    arch: float = 0.0004
    up: float = 0.0
    hairs: float = 1.0
    cover: float = 1.0


GENDERS = {"female": Brow(0.76, 0.0022, 0.0010, 1.0, 0.96), "male": Brow(1.18, -0.0004, -0.0005, 1.3)}
SMALL = {"baby": Brow(0.62, 0.0010, 0.0008, 0.34, 0.42), "child": Brow(0.70, 0.0008, 0.0006, 0.70, 0.78)}
BOY = Brow(0.88, 0.0, 0.0, 0.95, 0.85)
THINNED = {"old": 0.78, "middle-aged": 0.92}  # of an adult's hairs, by age


@dataclass(frozen=True, eq=False)
class _Line:
    """A brow's line on the mean head: side is the sign of x; at distances x [K] from the middle its height and way."""

    side: float
    x: np.ndarray
    y: np.ndarray
    way: np.ndarray

    def unrolled(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Metres along the line and above it, [N] each, of points [N, 3] of the mean head."""
        x = self.side * points[:, 0]
        slope = np.interp(x, self.x, np.gradient(self.y, self.way))
        return np.interp(x, self.x, self.way), (points[:, 1] - np.interp(x, self.x, self.y)) * np.sqrt(1 - slope**2)


def brows(mean: np.ndarray, traits: Mapping[str, str], texels: Texels, seed: int) -> np.ndarray:
    """[N] 0..1 how much hair of the brows hides the skin at its texels; mean [V, 3] metres is the mean head's skin."""
    return brows_like(mean, brow_of(traits), texels, seed)


def brows_like(mean: np.ndarray, brow: Brow, texels: Texels, seed: int) -> np.ndarray:
    """[N] likewise, of brows that are as `brow` says."""
    random, cover = np.random.default_rng([seed, 5]), np.zeros(len(texels.corners))
    for marks in BROWS:
        line = _line(mean[list(marks)], brow)
        x = line.side * mean[:, 0]
        near = (x > line.x[0]) & (x < line.x[-1]) & (np.abs(mean[:, 1] - line.y.mean()) < 0.025) & (mean[:, 2] > 0.04)
        rows = np.flatnonzero(near[texels.corners].all(1))
        points = np.einsum("nk,nkc->nc", texels.weights[rows], mean[texels.corners[rows]])
        along, above = line.unrolled(points)
        sheet = brow.cover * drawn(line.way[-1] - 2 * REACH[0], brow, random)
        place = np.stack([(REACH[1] - above) / PIXEL, along / PIXEL])
        cover[rows] = np.maximum(cover[rows], map_coordinates(sheet, place, order=1, mode="constant"))
    return cover


def brow_of(traits: Mapping[str, str]) -> Brow:
    """The brows of somebody with `traits`: high and arched in women, thick and level in men, sparse in the small."""
    age = traits.get("age", "")
    if age in SMALL:
        return BOY if (age, traits.get("gender")) == ("child", "male") else SMALL[age]
    brow = GENDERS.get(traits.get("gender", ""), Brow())
    return replace(brow, hairs=brow.hairs * THINNED.get(age, 1.0))


def drawn(length: float, brow: Brow, random: np.random.Generator) -> np.ndarray:
    """[H, W] 0..1, the sheet of a brow `length` metres long, of REACH around it in pixels of PIXEL."""
    shape = round(2 * REACH[1] / PIXEL) + 1, round((length + 2 * REACH[0]) / PIXEL) + 1
    s, t = (np.arange(shape[1]) * PIXEL - REACH[0]) / length, (REACH[1] - np.arange(shape[0]) * PIXEL)[:, None]
    off = np.abs(t) / np.maximum(brow.full * _by(s, HALF), 1e-4)
    ends = np.clip((s + 0.02) / 0.30, 0, 1) * np.clip((1.02 - s) / 0.35, 0, 1)
    sheet = UNDER * min(brow.hairs, 1) * np.clip(1.30 - off, 0, 1) * ends
    for hair in _hairs(length, brow, random):
        _draw(sheet, *hair)
    return sheet


def _hairs(length: float, brow: Brow, random: np.random.Generator):
    """Of each hair: its curve [K, 2], metres on the sheet to the right and down, its half width and its strength."""
    share, count, full = np.linspace(0, 1, 30), round(HAIRS * brow.hairs), brow.full
    phase = random.uniform(0, 2 * np.pi)
    for s in (np.arange(count) + random.uniform(0, 1, count)) / count:
        half, side = full * _by(s, HALF), random.uniform(-1, 0.75)  # where it grows, in half heights above the line
        lean = np.radians(_by(s, LEAN_DEG)) * (0.75 - 0.55 * side) + random.normal(0, 0.10)
        reach = random.uniform(*LENGTH) * (1 - 0.35 * s) * (0.60 + 0.35 * full)
        turn = lean * (1 - 0.55 * share)  # it bends to the brow's way
        step = np.stack([np.cos(turn), -np.sin(turn)], -1) * reach / len(share)
        root = [REACH[0] + (s * 0.97 - 0.01) * length, REACH[1] - half * side]
        tuft = 1 - UNEVEN * (0.5 + 0.5 * np.sin(2 * np.pi * TUFTS * s + phase + 1.5 * side))
        yield root + np.cumsum(step, 0), random.uniform(*THICK), random.uniform(0.5, 1.0) * _by(s, STRENGTH) * tuft


def _draw(sheet: np.ndarray, curve: np.ndarray, thick: float, strength: float) -> None:
    """Lays one hair over the sheet; it tapers."""
    low = np.maximum(((curve.min(0) - 0.0005) / PIXEL).astype(int), 0)
    high = np.minimum(((curve.max(0) + 0.0005) / PIXEL).astype(int) + 1, sheet.shape[::-1])
    if (high <= low).any():
        return
    x, y = np.arange(low[0], high[0]) * PIXEL, np.arange(low[1], high[1])[:, None] * PIXEL
    half = thick * np.sqrt(np.linspace(1.0, 0.12, len(curve)))
    gap = np.sqrt((x[..., None] - curve[:, 0]) ** 2 + (y[..., None] - curve[:, 1]) ** 2)
    seen = strength * np.clip((half - gap) / PIXEL + 0.5, 0, 1).max(-1)
    place = sheet[low[1] : high[1], low[0] : high[0]]
    place += seen * (1 - place)


def _line(points: np.ndarray, brow: Brow) -> _Line:
    """Through landmarks [5, 3] from inside, as the `brow` is arched, carried on straight for REACH at both ends."""
    side = float(np.sign(points[2, 0]))
    x, share = side * points[:, 0], np.linspace(0, 1, 5)
    fine = np.linspace(0, 1, 60)
    curve = np.stack([np.polyval(np.polyfit(share, values, 3), fine) for values in (x, points[:, 1], points[:, 2])], -1)
    curve[:, 1] += brow.up + brow.arch * np.exp(-(((fine - ARCH_AT) / ARCH_OVER) ** 2))
    ends = [curve[0] - _unit(curve[1] - curve[0]) * REACH[0], curve[-1] + _unit(curve[-1] - curve[-2]) * REACH[0]]
    curve = np.concatenate([ends[:1], curve, ends[1:]])
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(curve, axis=0), axis=1).cumsum()])
    return _Line(side, curve[:, 0], curve[:, 1], way)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _by(s, table: tuple[tuple[float, float], ...]):
    """The `table` of places and values at `s`, straight between."""
    return np.interp(s, *zip(*table, strict=True))
