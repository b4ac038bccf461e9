"""Patterns that words name, each drawn on the sheet around the face: tattoos, paint, scars, marks. Metres."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.stages.edit.drawn.blemishes import BLEMISHES
from idto3d.stages.edit.drawn.sheet import PIXEL, Layer, Spot, bent, disc, filled, grid, noise, stroked

# Middles on the sheet (off the middle of the face, height) and half sizes of what lies there.
PLACES: Mapping[str, tuple[float, float, float]] = {
    **{"forehead": (0.0, 0.082, 0.013), "cheek": (0.047, -0.004, 0.013), "cheeks": (0.047, -0.004, 0.013)},
    **{"temple": (0.076, 0.040, 0.013), "chin": (0.0, -0.062, 0.009), "nose": (0.0, 0.016, 0.007)},
    **{"neck": (0.062, -0.112, 0.016), "lip": (0.021, -0.019, 0.004), "eye": (0.040, 0.012, 0.006)},
    **{"eyes": (0.040, 0.012, 0.006), "face": (0.047, -0.004, 0.013)},
}
# Blades of a tattoo from the corner of an eye outwards: start, past, end and half width, in metres.
BLADES = (
    ((0.010, 0.010), (0.034, 0.014), (0.024, 0.052), 0.0042),
    ((0.012, 0.003), (0.046, -0.002), (0.052, 0.032), 0.0040),
    ((0.010, -0.004), (0.040, -0.016), (0.036, -0.056), 0.0044),
    ((0.006, -0.012), (0.022, -0.026), (0.010, -0.062), 0.0034),
    ((0.020, -0.002), (0.040, -0.004), (0.048, -0.030), 0.0030),
    ((0.006, 0.014), (0.014, 0.022), (0.008, 0.042), 0.0026),
    ((0.014, -0.030), (0.026, -0.044), (0.022, -0.072), 0.0026),
)


def _turned(points, spot: Spot, scale: float = 1.0, at: np.ndarray | None = None) -> np.ndarray:
    """Places given outwards and upwards of a middle, on the spot's side of the face."""
    return (spot.middle if at is None else at) + scale * np.asarray(points) * [spot.side, 1]


def tattoo(spot: Spot) -> list[Layer]:
    """Curved blades about the temple, or a form."""
    if spot.form:
        return [Layer(FORMS[spot.form](spot))]
    blades = [
        stroked(_turned(bent(*blade[:3]), spot, spot.half / 0.013, _fan(spot)), blade[3] * spot.half / 0.013, 1.0)
        for blade in BLADES
    ]
    return [Layer(filled(*blades))]


def _fan(spot: Spot) -> np.ndarray:
    """Where blades begin: beside the eye for the temple, else so that they lie about the middle."""
    return spot.middle - [spot.side * 0.026 * spot.half / 0.013, 0.0]


def facepaint(spot: Spot) -> list[Layer]:
    """A form, or paint all over the face."""
    return [Layer(FORMS[spot.form](spot) if spot.form else _whole_face(spot))]


def _whole_face(spot: Spot) -> np.ndarray:
    """The face in front of the ears, but for the eyes."""
    face = gaussian_filter(filled(disc((0.0, 0.012), 0.078, 1.22)), 8)
    return face * (1 - filled(*(_lids(spot, side) for side in (-1, 1))))


def _lids(spot: Spot, side: int) -> np.ndarray:
    return spot.marks[42:48] if side > 0 else spot.marks[36:42]


def warpaint(spot: Spot) -> list[Layer]:
    """Stripes over both cheeks, the second across the nose, with the brush's edge."""
    stripes = [((-0.072, 0.014), (0.0, 0.022), (0.072, 0.014), 0.0034)]
    for side in (-1, 1):
        stripes += [((side * 0.026, 0.002), (side * 0.05, 0.004), (side * 0.070, 0.001), 0.0032)]
        stripes += [((side * 0.030, -0.011), (side * 0.05, -0.009), (side * 0.064, -0.012), 0.0028)]
    stripes.append(((0.0, -0.052), (0.0, -0.06), (0.0, -0.070), 0.0034))
    painted = filled(*(stroked(bent(*one[:3]), one[3], 0.25) for one in stripes))
    rough = np.clip(0.86 + 0.22 * noise(spot.random, 0.0006), 0, 1)
    return [Layer(painted * rough)]


def clown(spot: Spot) -> list[Layer]:
    """A white face, a red nose, a wide red mouth, blue about the eyes, and red cheeks."""
    mouth = spot.marks[48:60]
    middle = mouth.mean(0)
    wide = middle + (mouth - middle) * [1.55, 1.75] + np.outer(np.abs(mouth[:, 0] - middle[0]) / 0.025, [0, 0.006])
    eyes = []
    for side in (-1, 1):
        at = _lids(spot, side).mean(0)
        eyes.append(at + np.array([[0, 0.034], [0.010, 0.0], [0, -0.030], [-0.010, 0.0]]))
    lids = 1 - filled(_lids(spot, -1), _lids(spot, 1))
    cheeks = filled(*(disc((side * 0.050, -0.014), 0.011) for side in (-1, 1)))
    return [
        Layer(_whole_face(spot), "white"),
        Layer(gaussian_filter(cheeks, 10), "red"),
        Layer(gaussian_filter(filled(*eyes), 1.5) * lids, "dark blue"),
        Layer(filled(wide), "red"),
        Layer(filled(disc((0.0, 0.002), 0.0165)), "red"),
    ]


def scar(spot: Spot) -> list[Layer]:
    """A healed cut, aslant, with what is left of its stitches."""
    line = _turned(bent((-0.016, 0.022), (0.004, 0.002), (0.010, -0.024)), spot, spot.half / 0.013)
    line = line + spot.random.normal(0, 0.00025, line.shape)
    across = [_crossing(line, at, 0.0032, 0.0004) for at in range(3, 22, 4)]
    return [Layer(0.55 * filled(*across)), Layer(filled(stroked(line, 0.0021, 0.7)))]


def stitches(spot: Spot) -> list[Layer]:
    """A cut that is held together by threads."""
    line = _turned(bent((-0.030, 0.004), (0.0, -0.006), (0.030, 0.003), 40), spot, spot.half / 0.013)
    threads = [_crossing(line, at, 0.0042, 0.0006) for at in range(2, 39, 4)]
    return [Layer(filled(stroked(line, 0.0012, 0.4)), "rotten red"), Layer(filled(*threads))]


def _crossing(line: np.ndarray, at: int, half: float, thick: float) -> np.ndarray:
    """The outline of a thread across a line."""
    way = line[min(at + 1, len(line) - 1)] - line[at - 1]
    across = np.array([-way[1], way[0]]) / max(float(np.linalg.norm(way)), 1e-9)
    return stroked([line[at] - half * across, line[at], line[at] + half * across], thick)


def birthmark(spot: Spot) -> list[Layer]:
    """A patch of another colour with an uneven border."""
    x, y = grid()
    gap = np.hypot(x - spot.middle[0], y - spot.middle[1]) / spot.half
    inside = 1.1 - gap + 0.34 * noise(spot.random, 0.0035) + 0.12 * noise(spot.random, 0.0012)
    return [Layer((0.85 / (1 + np.exp(-inside / 0.05)) * (gap < 3)).astype(np.float32))]


def mole(spot: Spot) -> list[Layer]:
    """A small round one."""
    return [Layer(gaussian_filter(filled(disc(spot.middle, 0.0017)), 1.5))]


def decay(spot: Spot) -> list[Layer]:
    """Skin that rots: patches of dead flesh with dark borders, and veins between them."""
    x, y = grid()
    patches = noise(spot.random, 0.009) + 0.45 * noise(spot.random, 0.003) + 0.25 * noise(spot.random, 0.0011)
    within = np.clip((0.105 - np.hypot(x, 0.75 * (y + 0.02))) / 0.03, 0, 1)
    deep = np.clip((patches - 0.95) / 0.7, 0, 1)  # flesh dies from the middle of a patch: its border is no line
    rotten = deep * deep * (3 - 2 * deep) * within * (1 + 0.15 * noise(spot.random, 0.0008)).clip(0.6, 1.2)
    rim = np.exp(-(((patches - 1.05) / 0.3) ** 2)) * within
    veins = np.clip(1 - np.abs(noise(spot.random, 0.006)) / 0.035, 0, 1) * within * (patches < 1.0)
    layers = (gaussian_filter(one.astype(np.float32), 1.0) for one in (0.26 * veins, 0.80 * rotten, 0.38 * rim))
    return [Layer(share, paint) for share, paint in zip(layers, ("bruised", "rotten red", ""), strict=True)]


def eyeliner(spot: Spot) -> list[Layer]:
    """A dark line along the lids, drawn out beyond their outer corners."""
    lines = []
    for side, order in ((1, (42, 43, 44, 45)), (-1, (39, 38, 37, 36))):
        upper = spot.marks[list(order)][:: 1 if side > 0 else 1]
        wing = upper[-1] + [side * 0.006, 0.0035]
        lines.append(stroked(_smooth([*upper, wing]), 0.0011))
        lower = spot.marks[[47, 46, 45] if side > 0 else [40, 41, 36]]
        lines.append(stroked(_smooth(lower), 0.0006))
    return [Layer(gaussian_filter(filled(*lines), 1.0))]


def _smooth(points) -> np.ndarray:
    """[40, 2] a line through points, evenly."""
    points = np.asarray(points)
    return np.stack([np.interp(np.linspace(0, len(points) - 1, 40), range(len(points)), one) for one in points.T], -1)


def circles(spot: Spot) -> list[Layer]:
    """Shadows below both eyes."""
    arcs = []
    for side in (-1, 1):
        inner, outer = (42, 45) if side > 0 else (39, 36)
        start, end = spot.marks[inner] - [0, 0.006], spot.marks[outer] - [0, 0.007]
        arcs.append(stroked(bent(start, (start + end) / 2 - [0, 0.014], end), 0.0042, 0.8))
    return [Layer(0.6 * gaussian_filter(filled(*arcs), 0.0022 / PIXEL))]


def _star(spot: Spot) -> np.ndarray:
    turn = np.pi / 2 + np.arange(10) * np.pi / 5
    reach = spot.half * np.where(np.arange(10) % 2 == 0, 1.0, 0.4)
    return filled(spot.middle + reach[:, None] * np.stack([np.cos(turn), np.sin(turn)], -1))


def _heart(spot: Spot) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    x = 16 * np.sin(turn) ** 3
    y = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
    return filled(spot.middle + spot.half / 17 * np.stack([x, y], -1))


def _tear(spot: Spot) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    drop = np.stack([0.55 * np.sin(turn) * np.sin(turn / 2) ** 1.5, np.cos(turn)], -1)
    return filled(spot.middle + spot.half * drop)


def _cross(spot: Spot) -> np.ndarray:
    half, thick = spot.half, 0.22 * spot.half
    bars = ([[0, half], [0, 0], [0, -half]], [[-0.65 * half, 0.3 * half], [0, 0.3 * half], [0.65 * half, 0.3 * half]])
    return np.maximum(*(filled(spot.middle + stroked(bar, thick)) for bar in bars))


def _lightning(spot: Spot) -> np.ndarray:
    bolt = [[0.1, 1], [-0.45, -0.05], [-0.05, -0.05], [-0.25, -1], [0.45, 0.2], [0.05, 0.2], [0.5, 1]]
    return filled(_turned(bolt, spot, spot.half))


def _web(spot: Spot) -> np.ndarray:
    half, lines = 1.4 * spot.half, []
    rays = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    ends = np.stack([np.cos(rays), np.sin(rays)], -1)
    lines += [stroked([spot.middle, spot.middle + half * end / 2, spot.middle + half * end], 0.0004) for end in ends]
    for ring in (0.3, 0.55, 0.8, 1.0):
        for first, second in zip(ends, np.roll(ends, -1, axis=0), strict=True):
            sag = 0.82 * ring * half * (first + second) / 2
            lines.append(
                stroked(bent(*(spot.middle + one for one in (ring * half * first, sag, ring * half * second))), 0.0004)
            )
    return filled(*lines)


FORMS: Mapping[str, Callable[[Spot], np.ndarray]] = {
    **{"star": _star, "heart": _heart, "tear": _tear, "cross": _cross, "lightning": _lightning, "web": _web}
}
PATTERNS: Mapping[str, Callable[[Spot], list[Layer]]] = {
    **{"tattoo": tattoo, "facepaint": facepaint, "warpaint": warpaint, "clown": clown, "scar": scar},
    **{"stitches": stitches, "birthmark": birthmark, "mole": mole, "decay": decay, "eyeliner": eyeliner},
    **{"circles": circles},
    **BLEMISHES,
}
