"""Necks and shoulders by age and gender, which stay the same under all of the template's modes. Metres.

Below the line of the jaw, on the mean head, all goes towards an axis, and up or down.
"""

from dataclasses import dataclass

import numpy as np

JAW_Z, JAW_Y = (-0.05, 0.02, 0.09), (-0.035, -0.075, -0.095)  # the line of the jaw, from behind to the front
AXIS_Z = -0.008  # depth of the neck's axis
DEEP = 0.45  # of what is narrower across, from behind to the front
SHOULDERS_Y = (-0.175, -0.125)  # height from which on shoulders begin, and below which all is theirs


@dataclass(frozen=True)
class Neck:
    """How a neck differs: shares by which it and the shoulders are narrower, and metres that the bust goes up.

    soon: metres below the jaw by which the change is whole.
    """

    narrower: float
    shoulders: float
    up: float
    soon: float


NECKS = {
    "slim neck": Neck(0.13, 0.05, -0.003, 0.035),
    "child's neck": Neck(0.20, 0.14, 0.006, 0.040),
    "baby's neck": Neck(0.14, 0.18, 0.024, 0.060),
}


def necked(points: np.ndarray, neck: Neck) -> np.ndarray:
    """[V, 3] how `points` [V, 3] of the mean head move to have that neck."""
    x, y, z = points.T
    below = _smooth((np.interp(z, JAW_Z, JAW_Y) - y) / neck.soon)
    low, high = SHOULDERS_Y
    shoulders = 1 - _smooth((y - low) / (high - low))
    share = below * (neck.narrower * (1 - shoulders) + neck.shoulders * shoulders)
    return np.stack([-share * x, neck.up * below, -DEEP * share * (z - AXIS_Z)], -1)


def _smooth(share: np.ndarray) -> np.ndarray:
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
