"""A frame of glasses for a face: two rims before the eyes, a bridge on the nose, temples over the ears. Metres.

Sizes go with the distance between the eyes, so that a child's frame is small. The front is laid as near to the face as
nose and cheeks let it.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import cKDTree

from idto3d.head.glasses.forms import USUAL, Form
from idto3d.head.glasses.sweep import Bar
from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import Skin
from idto3d.head.template import LANDMARKS

USUAL_M = 0.062  # metres between the eyes' middles of the head that the sizes below are for
OUT, SPREAD = 0.0020, 0.4  # metres of a rim's middle beside the eye's; of what a rim is larger, how far it goes there
LOWER, WRAP_DEG, TILT_DEG = 0.0025, 5.0, 7.0  # of a rim's middle below the eye's; how it is turned
RIM = (0.0017, 0.0019)  # half of a rim's bar, in the front's plane and deep
BRIDGE = (0.0016, 0.0017)
BRIDGE_UP, ARCH = 0.006, 0.0035  # metres above the rims' middles where the bridge is, and by how much it is arched
TEMPLE, TIP = (0.0026, 0.0010), (0.0019, 0.0011)  # half of a temple's bar, high and wide, at its hinge and its end
HINGE_UP, HINGE_OUT = 0.45, 0.0055  # of a rim's height where its temple begins; metres that stands out
CLEAR, OFF_CORNEA, OFF_HEAD = 0.0008, 0.007, 0.0016  # least metres from skin, eyes, and between temples and head
BRIDGE_POINTS, TEMPLE_POINTS = 14, 26
HOOK = (0.028, 0.011)  # metres that a temple goes on behind the ear: down and back
INWARD = 0.006  # and towards the head
GROOVE = 0.10  # of an ear's height, how much lower than its top the groove behind it is
SIDES = ((1.0, (42, 45)), (-1.0, (36, 39)))  # of x, and landmarks of both corners of the eye there


@dataclass(frozen=True, eq=False)
class Front:
    """The rims' middles [2, 3], and of each the ways to its outer side and up [2, 3]; `size` against USUAL_M.

    thick: of bars against usual ones.
    """

    middles: np.ndarray
    outwards: np.ndarray
    up: np.ndarray
    size: float
    form: Form = USUAL
    thick: float = 1.0

    def rims(self) -> np.ndarray:
        """[2, P, 3] the middle lines of both rims, from their outer side upwards."""
        to, high = self.form.outline()
        flat = self.size * (to[:, None] * self.outwards[:, None] + high[:, None] * self.up[:, None])
        return self.middles[:, None] + flat


def front_of(skin: Skin, form: Form = USUAL, thick: float = 1.0, larger: float = 1.0) -> Front:
    """The front of a frame of a form, so much `larger` than a usual one, as near to the face as it can lie."""
    return _laid(_front(skin, form, thick, larger), _heights(skin))


def apart(form: Form, larger: float) -> float:
    """How far apart both rims' points lie on average, metres, by the `size` of a front that is so much larger."""
    turned, to = np.cos(np.radians(WRAP_DEG)), form.outline()[0].mean()
    return (USUAL_M + 2 * turned * _out(form, larger)) / larger + 2 * turned * to


def _out(form: Form, larger: float) -> float:
    return OUT + SPREAD * (larger - 1) * form.half[0]


def bars_of(skin: Skin, front: Front) -> list[Bar]:
    """The bars of a frame that fits the head: of the left rim and temple, the right ones, and the bridge."""
    rims, bars, wide = front.rims(), [], front.size * front.thick
    for number, (side, _) in enumerate(SIDES):
        bars.append(_bar(rims[number], _from(rims[number]), RIM, RIM, wide, closed=True))
        temple = _temple(skin, rims[number], front, number, side)
        bars.append(_bar(temple, np.tile([0.0, 1.0, 0.0], (len(temple), 1)), TEMPLE, TIP, front.size))
    bridge = _bridge(rims, front)
    bars.append(_bar(bridge, np.tile(front.up.mean(0), (len(bridge), 1)), BRIDGE, BRIDGE, wide))
    return bars


def _bar(curve: np.ndarray, up: np.ndarray, first, last, size: float, closed: bool = False) -> Bar:
    share = np.linspace(0, 1, len(curve))
    high, deep = (size * (a + (b - a) * share) for a, b in zip(first, last, strict=True))
    return Bar(curve, up, high, deep, closed)


def _from(rim: np.ndarray) -> np.ndarray:
    return normalised(rim - rim.mean(0))


def _front(skin: Skin, form: Form, thick: float, larger: float) -> Front:
    """The front about the eyes, before it is laid onto the face."""
    marks = skin.vertices[list(LANDMARKS)]
    eyes = np.stack([marks[list(corners)].mean(0) for _, corners in SIDES])
    size = float(np.linalg.norm(eyes[0] - eyes[1]) / USUAL_M)
    wrap, tilt = np.radians(WRAP_DEG), np.radians(TILT_DEG)
    outwards = np.stack([[side * np.cos(wrap), 0.0, -np.sin(wrap)] for side, _ in SIDES])
    up = np.tile([0.0, np.cos(tilt), np.sin(tilt)], (2, 1))
    middles = eyes + [0, -LOWER * size, OFF_CORNEA * size] + _out(form, larger) * size * outwards
    return Front(middles, outwards, up, size * larger, form, thick)


def _heights(skin: Skin) -> LinearNDInterpolator:
    """How far forward the face is at (x, y)."""
    front = (skin.mean[:, 2] > 0.03) & (skin.normals[:, 2] > 0.05)
    return LinearNDInterpolator(skin.vertices[front, :2], skin.vertices[front, 2], fill_value=-1.0)


def _laid(front: Front, height: LinearNDInterpolator) -> Front:
    """The front moved forward until neither rims nor bridge are in the face."""
    size = front.size
    rims = front.rims().reshape(-1, 3)
    short = height(rims[:, :2]) + CLEAR + RIM[1] * size * front.thick - rims[:, 2]
    nose = _bridge_line(front)
    rests = height(nose[:, :2]) + CLEAR + BRIDGE[1] * size * front.thick - nose[:, 2]
    forward = max(0.0, float(short.max()), float(rests.max()))
    return replace(front, middles=front.middles + [0, 0, forward])


def _bridge_line(front: Front) -> np.ndarray:
    """[P, 3] from rim to rim above the nose."""
    inner = front.middles - 0.9 * front.size * front.form.half[0] * front.outwards
    share = np.linspace(0, 1, BRIDGE_POINTS)[:, None]
    line = inner[0] * (1 - share) + inner[1] * share
    return line + front.size * (BRIDGE_UP + ARCH * 4 * share * (1 - share)) * front.up[0]


def _bridge(rims: np.ndarray, front: Front) -> np.ndarray:
    line = _bridge_line(front)
    ends = [rims[number][cKDTree(rims[number]).query(line[place])[1]] for number, place in ((0, 0), (1, -1))]
    line[0], line[-1] = ends
    return line


def _temple(skin: Skin, rim: np.ndarray, front: Front, number: int, side: float) -> np.ndarray:
    """[P, 3] from the rim's outer side around the hinge, back over the ear and down behind it, outside of the head."""
    size, middle = front.size, front.middles[number]
    level = middle + HINGE_UP * front.form.half[1] * size * front.up[number]
    start = rim[cKDTree(rim).query(level + front.outwards[number] * front.form.half[0] * size)[1]]
    hinge = start + size * HINGE_OUT * np.array([side, 0.0, -0.35])
    over, behind = _ear(skin, side)
    way = [start, hinge, hinge + size * np.array([side * 0.001, 0.0, -0.008]), over, behind]
    curve = _evenly(np.array(way))
    curve[2:] = _outside(skin, curve[2:], side)
    return _eased(curve)


def _ear(skin: Skin, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the temple lies in the groove between ear and head, [3], and where it ends behind the ear, [3]."""
    ear = skin.vertices[(skin.ears > 0.5) & (skin.mean[:, 0] * side > 0)]
    height = np.ptp(ear[:, 1])
    top = ear[ear[:, 1] > ear[:, 1].max() - GROOVE * height].mean(0)
    over = np.array([top[0], ear[:, 1].max() - GROOVE * height, top[2]])
    return over, over + [-side * INWARD, -HOOK[0], -HOOK[1]]


def _evenly(way: np.ndarray) -> np.ndarray:
    """[TEMPLE_POINTS, 3] points on the line through `way`, close together at its bends."""
    length = np.concatenate([[0.0], np.linalg.norm(np.diff(way, axis=0), axis=1).cumsum()])
    bends = np.concatenate([np.linspace(0, length[2], 8), np.linspace(length[2], length[3], 11)[1:],
                            np.linspace(length[3], length[4], TEMPLE_POINTS - 17)[1:]])  # fmt: skip
    return np.stack([np.interp(bends, length, way[:, axis]) for axis in range(3)], -1)


def _outside(skin: Skin, curve: np.ndarray, side: float) -> np.ndarray:
    """The curve farther to its side where it would touch the head; ears are bent away by glasses, not it by them."""
    head = skin.vertices[(skin.ears < 0.05) & (skin.vertices[:, 0] * side > 0)]
    tree = cKDTree(head[:, 1:])
    near = tree.query_ball_point(curve[:, 1:], 0.006)
    least = np.array([np.abs(head[own, 0]).max() + OFF_HEAD if own else 0.0 for own in near])
    moved = curve.copy()
    moved[:, 0] = side * np.maximum(side * curve[:, 0], least)
    return moved


def _eased(curve: np.ndarray) -> np.ndarray:
    """The curve with rounded bends, its ends where they are."""
    for _ in range(2):
        middle = (curve[:-2] + 2 * curve[1:-1] + curve[2:]) / 4
        curve = np.concatenate([curve[:1], middle, curve[-1:]])
    return curve
