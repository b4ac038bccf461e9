"""How thick hair is in every direction, from the outlines that photos show, and how wide it hangs at every height."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_closing, gaussian_filter1d

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import Skin, smoothstep
from idto3d.head.hair.seen.view import HairView

MIDDLE = np.array([0.0, 0.035, -0.005])  # of the skull, metres on the mean head
ANGLES = 180  # directions around the middle
LEAST, MOST = 0.005, 0.075  # metres of hair
HIGH_MOST, LOW_USUAL = 2.0, 0.8  # most hair on top, and lower down, as often the usual
LOW_MOST, RISING = 0.042, (0.0, 0.6)  # metres of it lower down; sines of elevation between lower down and on top
OWN = 0.12  # weight of the usual thickness against that of outlines
BESIDE, WIDEST = 0.05, 0.14  # metres from the middle between which hair hangs
FLARE = 0.008  # metres that hair stands off farther below than above
GAP = 13  # points of a row that a strand's shade may take
SMOOTH = 2.0  # of the angles, standard deviation


@dataclass(frozen=True, eq=False)
class Outline:
    """What one view says of hair around the skull's middle: thickness [ANGLES] metres, known [ANGLES] 0..1.

    Angle 0 points up in the picture and grows to the picture's right. usual: the median thickness over the top.
    """

    view: HairView
    middle: np.ndarray
    thickness: np.ndarray
    known: np.ndarray
    usual: float

    def at(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[N] metres of hair in the direction of `points` [N, 3], and what that is worth: less towards the camera."""
        way = normalised(points - self.middle)
        right, up, back = way @ self.view.c2w[:3, 0], way @ self.view.c2w[:3, 1], way @ self.view.back
        place = (np.arctan2(right, up) / (2 * np.pi) % 1) * ANGLES
        low = place.astype(int) % ANGLES
        share = place - np.floor(place)
        read = [
            values[low] * (1 - share) + values[(low + 1) % ANGLES] * share for values in (self.thickness, self.known)
        ]
        high, low = min(MOST, HIGH_MOST * self.usual), max(LOW_MOST, LOW_USUAL * self.usual)
        most = low + max(high - low, 0) * smoothstep(way[:, 1], *RISING)
        return np.minimum(read[0], most), read[1] * (1 - back**2) ** 2


def measure_outline(view: HairView, skin: Skin, middle: np.ndarray) -> Outline:
    """The outline of the hair against that of the skull without ears, along rays from the skull's `middle` [3]."""
    scale = np.linalg.norm(view.c2w[:3, 3] - middle) / view.focal
    centre = view.project(middle[None])[0][0]
    angle = np.arange(ANGLES) / ANGLES * 2 * np.pi
    rays = np.stack([np.sin(angle), -np.cos(angle)], -1)
    far = np.arange(1, int(0.25 / scale) * 2) / 2
    pixels = (centre + far[:, None, None] * rays).reshape(-1, 2)
    inside = ((pixels > 0) & (pixels < view.size)).all(1)
    hair = (view.read(view.hair, pixels) > 0.5) & inside
    reach = np.where(hair.reshape(len(far), ANGLES), far[:, None], 0).max(0)
    skull = _skull_reach(view, skin, centre, angle)
    raw = (reach - skull) * scale
    known = ((reach > 0) & (raw > -0.004)).astype(float)
    thickness = np.clip(raw, LEAST, MOST)
    top = np.cos(angle) > 0.3
    usual = float(np.median(thickness[top & (known > 0)])) if (top & (known > 0)).any() else LEAST
    weight = gaussian_filter1d(known, SMOOTH, mode="wrap")
    even = gaussian_filter1d(thickness * known, SMOOTH, mode="wrap") / np.maximum(weight, 1e-3)
    return Outline(view, middle, np.where(weight > 0.2, even, usual), np.clip(weight, 0, 1), usual)


def _skull_reach(view: HairView, skin: Skin, centre: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """[ANGLES] pixels from the centre to the outline of the head without ears and neck."""
    kept = (skin.ears < 0.05) & (skin.mean[:, 1] > -0.06)
    offset = view.project(skin.vertices[kept])[0] - centre
    turn = np.arctan2(offset[:, 0], -offset[:, 1])
    radius = np.linalg.norm(offset, axis=1)
    gap = np.abs((turn[None] - angle[:, None] + np.pi) % (2 * np.pi) - np.pi)
    return np.where(gap < 0.06, radius[None] * np.cos(gap), 0).max(1)


def blended_thickness(outlines: list[Outline], points: np.ndarray) -> np.ndarray:
    """[N] metres of hair in the direction of `points`, of all outlines by what each is worth there."""
    total, weights = OWN * np.median([o.usual for o in outlines]) * np.ones(len(points)), OWN * np.ones(len(points))
    for outline in outlines:
        thickness, worth = outline.at(points)
        total, weights = total + worth * thickness, weights + worth
    return total / weights


@dataclass(frozen=True, eq=False)
class Fall:
    """How hair hangs: its lower end and the heights [R] at which right and left [R] are its half widths, metres."""

    end: float
    heights: np.ndarray
    right: np.ndarray
    left: np.ndarray


def measure_fall(view: HairView, low: float, high: float) -> Fall | None:
    """The half widths of the hair beside the head between two heights, metres; None where none hangs under `high`.

    Read in the plane of the head that faces the view: it is worth something from the front alone.
    """
    heights = np.arange(high, low, -0.005)
    across = np.arange(0.0, WIDEST, 0.002)
    side = normalised(view.c2w[:3, 0] * [1, 0, 1])
    points = np.array([0, 1, 0]) * heights[:, None, None] + across[:, None] * side + [0, 0, -0.01]
    widths = []
    for sign in (-1, 1):
        turned = points * 1.0
        turned[..., [0, 2]] = sign * across[None, :, None] * side[[0, 2]] + np.array([0, -0.01])
        pixels = view.project(turned.reshape(-1, 3))[0]
        hair = view.read(view.hair, pixels).reshape(turned.shape[:2]) > 0.5
        hair &= ((pixels > 0) & (pixels < view.size)).all(1).reshape(hair.shape)
        widths.append(_first_run(hair, across))
    both = np.maximum(*widths) > BESIDE
    if both[heights < high - 0.02].sum() < 2:
        return None
    end = heights[both].min()
    return Fall(float(end), heights[::-1], *(_evened_width(width)[::-1] for width in widths))


def _evened_width(width: np.ndarray) -> np.ndarray:
    """[R] half widths from above to below without gaps and flares: hair hangs, and its lower end does not stand off."""
    rows = np.flatnonzero(width > BESIDE)
    if len(rows) < 2:
        return width
    filled = np.interp(np.arange(rows[-1] + 1), rows, width[rows])
    filled = np.minimum(filled, np.median(filled) + FLARE)
    return np.concatenate([gaussian_filter1d(filled, 3.0, mode="nearest"), np.zeros(len(width) - len(filled))])


def _first_run(hair: np.ndarray, across: np.ndarray) -> np.ndarray:
    """[R] how far out hair reaches in every row of `hair` [R, N] bool: none of it is beyond a wide gap."""
    hair = binary_closing(np.pad(hair, ((0, 0), (GAP, GAP))), np.ones((1, GAP)))[:, GAP:-GAP] & (across > BESIDE)
    begun = np.logical_or.accumulate(hair, 1)
    return np.where(hair & np.logical_and.accumulate(hair | ~begun, 1), across, 0).max(1)
