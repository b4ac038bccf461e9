"""The forms of frames: how wide, high and square a rim is, and what sets it apart from an ellipse. Metres."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from idto3d.head.hair.scalp import smoothstep

POINTS = 48  # around a rim


@dataclass(frozen=True)
class Form:
    """A rim: half of it to the side and up; how `square` it is, 2 being round; the share of its inner side that the
    nose takes; how far its outer upper corner is drawn up and out, and its lower inner one cut away, of its half.
    """

    half: tuple[float, float]
    square: float
    nasal: float = 0.0
    lift: float = 0.0
    drop: float = 0.0

    def outline(self) -> tuple[np.ndarray, np.ndarray]:
        """[POINTS] each: how far to its outer side and up a rim's points lie, metres, from its outer side upwards."""
        turn = np.linspace(0, 2 * np.pi, POINTS, endpoint=False)
        to, high = (np.sign(wave) * np.abs(wave) ** (2 / self.square) for wave in (np.cos(turn), np.sin(turn)))
        to = np.where(to < 0, to * (1 - self.nasal * smoothstep(high, 0.6, -0.6)), to)
        corner = smoothstep(to, 0.1, 0.95) * smoothstep(high, -0.2, 0.75)
        to, high = to + 0.45 * self.lift * corner, high + self.lift * corner
        low = self.drop * smoothstep(to, -0.9, 0.2) * smoothstep(-high, 0, 1)
        return self.half[0] * to, self.half[1] * (high - low)


USUAL = Form((0.0240, 0.0185), 2.7, nasal=0.34)
FORMS: Mapping[str, Form] = {
    "": USUAL,
    "round": Form((0.0218, 0.0218), 2.0),
    "square": Form((0.0250, 0.0205), 4.2, nasal=0.14),
    "rectangular": Form((0.0262, 0.0150), 4.2, nasal=0.12),
    "oval": Form((0.0252, 0.0165), 2.0),
    "aviator": Form((0.0262, 0.0215), 2.4, nasal=0.42, drop=0.16),
    "cat-eye": Form((0.0245, 0.0175), 2.5, nasal=0.26, lift=0.34),
}


def form_like(rims: np.ndarray) -> str:
    """The name of the form whose outline the middle lines of rims, [2, POINTS, 3] metres, have in whatever size."""
    own = _radii(rims[0])
    return min(FORMS, key=lambda name: float(np.abs(own - _radii(np.stack(FORMS[name].outline(), -1))).sum()))


def _radii(outline: np.ndarray) -> np.ndarray:
    """[POINTS] how far points lie from their middle, against their mean."""
    radii = np.linalg.norm(outline - outline.mean(0), axis=1)
    return radii / radii.mean()
