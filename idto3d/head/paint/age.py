"""What years leave on a face: lines of the forehead, about the eyes, from nose to mouth and on the neck, and spots.

Lines are drawn as seen from in front on the mean head, which every head shares, and read at the texels. Which ones
come with age, and where: Lemperle et al., "A classification of facial wrinkles" (2001).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter, map_coordinates

from idto3d.head.paint.atlas import Texels
from idto3d.head.template import FACE, LANDMARKS, MOUTH_SOCKET
from idto3d.words.traits import AGE_GROUPS

PIXEL = 0.00025  # metres of the drawing's pixels
LOW, HIGH = (-0.080, -0.175), (0.080, 0.110)  # of the drawing: x and y, metres on the mean head
WALL = 2.2  # times a line's half width: how far its banks reach
BANK = 0.22  # of its depth that they rise
DARK = 0.34  # of the logarithm of the brightness that the deepest line loses
LINED = {"female": 0.7}  # of an old face's lines, by gender
SPOTS = 0.994, 3.0, 0.22  # quantile of a noise above which age spots lie, its size in texels of 1024, their strength


@dataclass(frozen=True, eq=False)
class Aged:
    """depth [N] 0..1 of lines at texels, under 0 on their banks; shade [N] the logarithm by which years darken."""

    depth: np.ndarray
    shade: np.ndarray


@dataclass(frozen=True, eq=False)
class Line:
    """A wrinkle: points [P, 2] metres, x and y on the mean head from in front; half its width, metres; depth 0..1."""

    points: np.ndarray
    half: float
    depth: float


def lined(traits: Mapping[str, str]) -> float:
    """0..1 how deep what years leave is on somebody with `traits`: a woman's skin, which is finer, folds less."""
    return LINED.get(traits.get("gender", ""), 1.0) * years_of(traits)


def years_of(traits: Mapping[str, str]) -> float:
    """0..1 how old the word for an age is; 0 where none is said."""
    age = AGE_GROUPS.get(traits.get("age", ""))
    return age.modes.get("old", 0.0) if age else 0.0


def aged(mean: np.ndarray, years: float, texels: Texels, seed: int) -> Aged | None:
    """What `years` 0..1 leave at the texels of the mean head's skin, `mean` [V, 3] metres; None of a young face."""
    if years <= 0:
        return None
    random = np.random.default_rng([seed, 31])
    drawing = drawn(lines(mean[list(LANDMARKS)], random))
    front = _front(mean)
    rows = np.flatnonzero(front[texels.corners].max(1) > 0)
    points = np.einsum("nk,nkc->nc", texels.weights[rows], mean[texels.corners[rows]])
    share = np.einsum("nk,nk->n", texels.weights[rows], front[texels.corners[rows]])
    place = np.stack([(HIGH[1] - points[:, 1]) / PIXEL, (points[:, 0] - LOW[0]) / PIXEL])
    depth = np.zeros(len(texels.corners))
    depth[rows] = years * share * map_coordinates(drawing, place, order=1, mode="nearest")
    outside = ~(texels.corners >= MOUTH_SOCKET.start).all(1)
    return Aged(depth, -DARK * np.maximum(depth, 0) - years * outside * _spots(texels, random))


def _front(mean: np.ndarray) -> np.ndarray:
    """[V] 0..1 where lines drawn from in front belong: the face and the throat, not lids' rims and the mouth."""
    front = np.clip((mean[:, 2] - 0.015) / 0.03, 0, 1)
    front[MOUTH_SOCKET.start :] = 0
    below = np.clip((-0.085 - mean[:, 1]) / 0.01, 0, 1)
    on_face = np.zeros(len(mean))
    on_face[FACE] = 1
    return front * np.maximum(on_face, below)


def drawn(wrinkles: Sequence[Line]) -> np.ndarray:
    """[H, W] depth 0..1 of all lines, under 0 on their banks, in pixels of PIXEL from LOW to HIGH, row 0 on top."""
    width, height = (round((high - low) / PIXEL) for low, high in zip(LOW, HIGH, strict=True))
    marked = np.zeros((height, width), np.int32)
    for number, line in enumerate(wrinkles):
        for x, y, share in _samples(line):
            column, row = int((x - LOW[0]) / PIXEL), int((HIGH[1] - y) / PIXEL)
            if 0 <= column < width and 0 <= row < height:
                marked[row, column] = 1 + 256 * number + int(255 * share)
    gap, nearest = distance_transform_edt(marked == 0, return_indices=True)
    told = marked[tuple(nearest)] - 1
    half = np.array([line.half for line in wrinkles])[told // 256]
    deep = np.array([line.depth for line in wrinkles])[told // 256] * (told % 256) / 255
    off = gap * PIXEL / half
    valley = np.exp(-(off**2))
    bank = np.exp(-(((off - WALL) / (0.6 * WALL)) ** 2)) * BANK
    return gaussian_filter((deep * (valley - bank * (1 - valley))).astype(np.float32), 0.7)


def _samples(line: Line):
    """x, y and how deep it is, 0..1, along a line: shallow at both ends."""
    way = np.concatenate([[0.0], np.linalg.norm(np.diff(line.points, axis=0), axis=1).cumsum()])
    along = np.arange(0, way[-1], PIXEL / 2)
    ends = np.minimum(along, way[-1] - along) / max(0.35 * way[-1], 1e-6)
    x, y = (np.interp(along, way, line.points[:, axis]) for axis in range(2))
    return zip(x, y, np.sin(0.5 * np.pi * np.clip(ends, 0.06, 1)), strict=True)


def lines(marks: np.ndarray, random: np.random.Generator) -> list[Line]:
    """The wrinkles of an old face, whose 68 landmarks on the mean head are `marks` [68, 3]."""
    found = [*_forehead(marks, random), *_throat(marks, random)]
    for side, eye, nostril, mouth in ((-1, 36, 31, 48), (1, 45, 35, 54)):
        found += _beside_eye(marks[eye], side, random)
        found += _under_eye(marks[36:42] if side < 0 else marks[42:48], side)
        found += _cheek(marks[nostril], marks[mouth], side)
        found.append(
            _wobbly(_curve(side * 0.0065, 0.047, side * 0.0075, 0.055, side * 0.0085, 0.064), 0.0009, 0.5, random)
        )
        found += _above_lip(marks, side, random)
    return found


def _forehead(marks: np.ndarray, random: np.random.Generator) -> list[Line]:
    brow, found = marks[17:27, 1].max(), []
    for number, depth in enumerate((0.7, 1.0, 0.9, 0.6)):
        x = np.linspace(-1, 1, 40) * (0.042 - 0.004 * number) + random.normal(0, 0.002)
        y = brow + 0.009 + 0.0072 * number + 0.003 * np.cos(np.pi * x / 0.045) + _wave(x, 0.0009, random)
        cut = int(random.integers(8, 32))  # few run through without a gap
        line = np.stack([x, y], -1)
        found += [Line(line[: cut + 2], 0.0012, depth), Line(line[cut:] - [0, 0.0014], 0.0012, 0.85 * depth)]
    return found


def _beside_eye(corner: np.ndarray, side: int, random: np.random.Generator) -> list[Line]:
    found = []
    for angle_deg in (38, 17, -4, -24, -42):
        angle = np.radians(angle_deg + random.normal(0, 4))
        start = corner[:2] + 0.006 * np.array([side * np.cos(angle), np.sin(angle)])
        length, bend = random.uniform(0.010, 0.016), -0.3 * np.sign(angle_deg)
        share = np.linspace(0, 1, 12)[:, None]
        way = np.stack([side * np.cos(angle + bend * share), np.sin(angle + bend * share)], -1)[:, 0]
        found.append(Line(start + length * share * way, 0.0008, random.uniform(0.45, 0.7)))
    return found


def _under_eye(eye: np.ndarray, side: int) -> list[Line]:
    inner, outer = (eye[3], eye[0]) if side < 0 else (eye[0], eye[3])
    found = []
    for drop, depth in ((0.0085, 0.55), (0.0125, 0.4)):
        x = np.linspace(inner[0], outer[0], 16)
        share = np.linspace(0, 1, 16)
        y = inner[1] * (1 - share) + outer[1] * share - 0.004 - drop * np.sin(np.pi * (0.12 + 0.76 * share))
        found.append(Line(np.stack([x, y], -1), 0.0013, depth))
    return found


def _cheek(nostril: np.ndarray, mouth: np.ndarray, side: int) -> list[Line]:
    """From the wing of the nose past the corner of the mouth, and from there down."""
    start = nostril[:2] + [side * 0.0075, 0.006]
    fold = _curve(*start, mouth[0] + side * 0.0085, mouth[1] + 0.012, mouth[0] + side * 0.0115, mouth[1] - 0.004)
    down = _curve(mouth[0] + side * 0.003, mouth[1] - 0.003, mouth[0] + side * 0.0065, mouth[1] - 0.013,
                  mouth[0] + side * 0.006, mouth[1] - 0.026)  # fmt: skip
    return [Line(fold, 0.0016, 1.0), Line(down, 0.0014, 0.7)]


def _above_lip(marks: np.ndarray, side: int, random: np.random.Generator) -> list[Line]:
    found, lip = [], marks[48:55, :2]
    lip = lip[lip[:, 0].argsort()]
    for x in np.arange(0.004, 0.022, 0.0042):
        top = np.interp(side * x, lip[:, 0], lip[:, 1]) + 0.0005
        found.append(_wobbly(_curve(side * x, top, side * 1.06 * x, top + 0.004, side * 1.1 * x, top + 0.0075), 0.0006,
                             random.uniform(0.2, 0.4), random))  # fmt: skip
    return found


def _throat(marks: np.ndarray, random: np.random.Generator) -> list[Line]:
    chin, found = marks[8, 1], []
    for drop, depth in ((0.020, 0.3), (0.034, 0.4), (0.050, 0.3)):
        x = np.linspace(-0.05, 0.05, 24)
        found.append(_wobbly(np.stack([x, chin - drop + 2.2 * x**2], -1), 0.0016, depth, random))
    return found


def _curve(*flat: float) -> np.ndarray:
    """[16, 2] a bend from the first to the last of three points, past the second."""
    a, b, c = np.array(flat).reshape(3, 2)
    t = np.linspace(0, 1, 16)[:, None]
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


def _wobbly(points: np.ndarray, half: float, depth: float, random: np.random.Generator) -> Line:
    way = np.linspace(0, 0.05, len(points))
    return Line(points + np.stack([_wave(way, 0.0004, random), _wave(way, 0.0004, random)], -1), half, depth)


def _wave(way: np.ndarray, height: float, random: np.random.Generator) -> np.ndarray:
    """A slow wave of about `height` metres along `way`, metres."""
    return height * sum(np.sin(way / length + random.uniform(0, 6.3)) / 2 for length in (0.011, 0.006, 0.0035))


def _spots(texels: Texels, random: np.random.Generator) -> np.ndarray:
    """[N] 0..1: age spots, soft and of uneven size."""
    quantile, size, strength = SPOTS
    noise = gaussian_filter(random.standard_normal(texels.covered.shape), size * len(texels.covered) / 1024)
    noise = noise[texels.covered] / noise.std()
    border = np.quantile(noise[::16], quantile)
    return strength * np.clip((noise - border) / 0.25, 0, 1)
