"""Patterns of what skin has or gets: spots, patches, bruises, blood and dirt, dents, hair between brows. Metres."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.stages.edit.drawn.sheet import PIXEL, Layer, Spot, bent, disc, filled, grid, noise, stroked

FACE_HIGH, FACE_WIDE = (-0.072, 0.092), 0.070  # of the skin on which spots lie
FAINT = 0.015  # share of a patch that nobody sees
CLEAR_OF = 0.004  # of eyes and lips
DIMPLE = (0.0125, 0.004, 0.0052)  # outwards and up from the corners of the mouth, and half a dimple's height
CLEFT = (0.0135, 0.0165)  # below the lower lip where a chin is cleft, and half its height
BETWEEN_BROWS = 0.0045  # half the height of what grows there


def acne(spot: Spot) -> list[Layer]:
    """Pimples with red about them, on cheeks, forehead and chin."""
    middles = _scattered(spot, 70)
    sizes = spot.random.uniform(0.0007, 0.0016, len(middles))
    red = filled(*(disc(at, 1.9 * size) for at, size in zip(middles, sizes, strict=True)))
    heads = filled(*(disc(at, 0.9 * size) for at, size in zip(middles, sizes, strict=True)))
    return [Layer(0.42 * gaussian_filter(red, 0.0007 / PIXEL)), Layer(0.5 * gaussian_filter(heads, 1.2))]


def agespots(spot: Spot) -> list[Layer]:
    """Brown spots of uneven size at temples, forehead and cheeks."""
    middles = _scattered(spot, 46)
    middles = middles[np.abs(middles[:, 0]) + 0.35 * middles[:, 1] > 0.030]
    sizes = 0.0010 + 0.0026 * spot.random.uniform(0, 1, len(middles)) ** 2
    tall = spot.random.uniform(0.7, 1.4, len(middles))
    spots = filled(*(disc(at, size, high) for at, size, high in zip(middles, sizes, tall, strict=True)))
    rough = np.clip(0.75 + 0.35 * noise(spot.random, 0.0006), 0, 1)
    return [Layer(0.5 * gaussian_filter(spots, 0.0005 / PIXEL) * rough)]


def vitiligo(spot: Spot) -> list[Layer]:
    """Patches that have lost their pigment, about alike on both sides, mostly around eyes and mouth."""
    uneven = noise(spot.random, 0.0065)
    uneven = 0.75 * (uneven + uneven[:, ::-1]) + 0.30 * noise(spot.random, 0.0016)
    x, y = grid()
    eyes = np.minimum(
        *(np.hypot(x - at[0], y - at[1]) for at in (spot.marks[36:42].mean(0), spot.marks[42:48].mean(0)))
    )
    mouth = np.hypot((x - spot.marks[48:60, 0].mean()) / 1.4, y - spot.marks[48:60, 1].mean())
    likely = 1.1 * np.exp(-((eyes / 0.024) ** 2)) + 1.1 * np.exp(-((mouth / 0.022) ** 2))
    patches = 0.92 / (1 + np.exp(-(uneven + likely - 1.15) / 0.05))
    return [Layer(_faint_left_out(patches * _on_face()))]


def bruise(spot: Spot) -> list[Layer]:
    """Blood below the skin, about an eye or where it is said to be, yellowish at its border."""
    x, y = grid()
    middle = spot.middle - [0.006 * spot.side, 0.0]
    gap = np.hypot(x - middle[0], (y - middle[1]) * 1.25) / (3.2 * spot.half) + 0.16 * noise(spot.random, 0.004)
    inside, rim = np.clip(1.15 - gap, 0, 1), np.exp(-(((gap - 1.02) / 0.20) ** 2))
    soft = [gaussian_filter(one.astype(np.float32), 0.0012 / PIXEL) for one in (0.22 * rim, 0.62 * inside**0.8)]
    return [Layer(soft[0], "light brown"), Layer(soft[1])]


def bloodstains(spot: Spot) -> list[Layer]:
    """Blood that ran down from the forehead, and drops of it."""
    runs = []
    for _ in range(7):
        x, top = spot.random.uniform(-0.050, 0.055), spot.random.uniform(0.050, 0.090)
        end = top - spot.random.uniform(0.030, 0.100)
        bend = x + spot.random.normal(0, 0.004)
        wide = spot.random.uniform(0.0011, 0.0026)
        runs += [
            stroked(bent((x, top), (bend, (top + end) / 2), (bend, end), 40), wide, 0.35),
            disc((bend, end), 1.5 * wide),
        ]
    drops = [
        disc(at, spot.random.uniform(0.0004, 0.0017), spot.random.uniform(0.8, 1.6)) for at in _scattered(spot, 60)
    ]
    pool = filled(
        *(disc((spot.random.normal(0.022, 0.012), spot.random.normal(0.080, 0.007)), 0.006) for _ in range(6))
    )
    wet = np.maximum(filled(*runs, *drops), gaussian_filter(pool, 3))
    return [Layer(np.clip(wet * (0.92 + 0.2 * noise(spot.random, 0.0012)), 0, 0.96))]


def dirt(spot: Spot) -> list[Layer]:
    """Smears of dirt."""
    patches = noise(spot.random, 0.012) + 0.55 * noise(spot.random, 0.004) + 0.30 * noise(spot.random, 0.0012)
    return [Layer((0.66 * np.clip((patches - 0.20) / 1.5, 0, 1)).astype(np.float32) * _on_face())]


def sunburn(spot: Spot) -> list[Layer]:
    """Red where the sun falls: nose, cheeks and forehead."""
    x, y = grid()
    band = np.exp(-(((y - 0.004) / 0.024) ** 2)) * np.exp(-((np.abs(x) / 0.064) ** 4))
    high = 0.75 * np.exp(-(((y - 0.078) / 0.020) ** 2)) * np.exp(-((np.abs(x) / 0.050) ** 4))
    chin = 0.6 * np.exp(-(((y + 0.064) / 0.011) ** 2)) * np.exp(-((x / 0.017) ** 2))
    burnt = np.maximum(np.maximum(band, high), chin) * np.clip(0.85 + 0.14 * noise(spot.random, 0.006), 0, 1)
    return [Layer(_faint_left_out(0.55 * burnt))]


def bindi(spot: Spot) -> list[Layer]:
    """A dot between the brows, a little above them."""
    between = (spot.marks[21] + spot.marks[22]) / 2
    return [Layer(gaussian_filter(filled(disc(between + [0.0, 0.009], 0.0036)), 1.0))]


def unibrow(spot: Spot) -> list[Layer]:
    """Hair from one brow to the other."""
    left, right = spot.marks[21], spot.marks[22]
    half, middle = 0.62 * (right[0] - left[0]), (left + right) / 2 - [0.0, 0.0012]
    off = spot.random.normal(0, 1, (420, 2)) * [0.50, 0.42]
    roots = middle + off[np.abs(off[:, 0]) < 1] * [half, BETWEEN_BROWS]
    return [_hairs(spot, roots, (0.0, 0.0032))]


def soulpatch(spot: Spot) -> list[Layer]:
    """Hair below the middle of the lower lip."""
    down = spot.random.uniform(0, 1, 260)
    across = spot.random.uniform(-1, 1, 260) * (0.0060 - 0.0038 * down)
    roots = spot.marks[57] - [0.0, 0.0022] + np.stack([across, -0.0125 * down], -1)
    return [_hairs(spot, roots, (0.0, -0.0034))]


def _hairs(spot: Spot, roots: np.ndarray, way: tuple[float, float]) -> Layer:
    """Single hairs from `roots` [N, 2] along a `way`, of which each errs a little."""
    turns = spot.random.normal(way, (0.0013, 0.0008), (len(roots), 2))
    hairs = [
        stroked(bent(at, at + turn * [0.5, 0.9], at + turn, 8), 0.00022, 0.9)
        for at, turn in zip(roots, turns, strict=True)
    ]
    return Layer(np.clip(1.05 * gaussian_filter(filled(*hairs), 0.7), 0, 0.9))


def dimples(spot: Spot) -> list[Layer]:
    """A short groove beside each corner of the mouth."""
    out, up, high = DIMPLE
    grooves = []
    for side, corner in ((1, 54), (-1, 48)):
        at = spot.marks[corner] + [side * out, up]
        grooves.append(
            stroked(
                bent(at + [-0.0008 * side, high], at + [0.0016 * side, 0], at + [-0.0008 * side, -high]), 0.0012, 0.9
            )
        )
    return [Layer(gaussian_filter(filled(*grooves), 0.0008 / PIXEL))]


def cleft(spot: Spot) -> list[Layer]:
    """A groove in the middle of the chin."""
    below, high = CLEFT
    at = spot.marks[57] - [0.0, below + high / 2]
    line = bent(at + [0, high / 2], at + [0.0002, 0], at - [0, high / 2])
    return [Layer(gaussian_filter(filled(stroked(line, 0.0014, 0.8)), 0.0011 / PIXEL))]


def _scattered(spot: Spot, count: int) -> np.ndarray:
    """[count, 2] places on the face's skin, at random, clear of eyes, brows and lips."""
    found = spot.random.uniform(-1, 1, (8 * count, 2)) * [FACE_WIDE, 1.0]
    found[:, 1] = FACE_HIGH[0] + (found[:, 1] + 1) / 2 * (FACE_HIGH[1] - FACE_HIGH[0])
    inside = (found[:, 0] / FACE_WIDE) ** 2 + ((found[:, 1] - 0.010) / 0.086) ** 2 < 1
    near = np.min([np.linalg.norm(found - mark, axis=1) for mark in spot.marks[17:]], 0)
    return found[inside & (near > CLEAR_OF + 0.002)][:count]


def _faint_left_out(share: np.ndarray) -> np.ndarray:
    """[H, W] float32: a share that ends, where formulas only fade."""
    return np.clip((share - FAINT) / (1 - FAINT), 0, 1).astype(np.float32)


def _on_face() -> np.ndarray:
    """[H, W] 0..1 the face in front of the ears."""
    x, y = grid()
    return np.clip((0.092 - np.hypot(x, 0.80 * (y - 0.005))) / 0.02, 0, 1).astype(np.float32)


BLEMISHES: Mapping[str, Callable[[Spot], list[Layer]]] = {
    **{"acne": acne, "agespots": agespots, "vitiligo": vitiligo, "bruise": bruise, "bloodstains": bloodstains},
    **{"dirt": dirt, "sunburn": sunburn, "bindi": bindi, "unibrow": unibrow, "dimples": dimples, "cleft": cleft},
    "soulpatch": soulpatch,
}
