"""The last pixels between a fitted template and its photo: a smooth shift of the picture that joins the landmarks."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator, RegularGridInterpolator

KNOTS = 48  # along a side of the grid on which the shift is worked out
STIFF = 2.0  # smoothing of the spline, in landmarks' squared error
MARGIN = 0.6  # of the landmarks' size around them, over which the shift fades to nothing


@dataclass(frozen=True, eq=False)
class Warp:
    """Shifts pixels (x, y) [N, 2] at which the template is drawn to where the photo has that place."""

    shift: RegularGridInterpolator

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        return pixels + self.shift(pixels)


def warp_between(drawn: np.ndarray, found: np.ndarray) -> Warp:
    """The warp from `drawn` [N, 2], where the template has its landmarks, to `found` [N, 2] in the photo, pixels.

    A thin-plate spline, read on a grid.
    """
    low, high = drawn.min(0), drawn.max(0)
    margin = MARGIN * (high - low)
    axes = [np.linspace(a - m, b + m, KNOTS) for a, b, m in zip(low, high, margin, strict=True)]
    knots = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    spline = RBFInterpolator(drawn, found - drawn, smoothing=STIFF, kernel="thin_plate_spline")
    beyond = np.maximum(np.maximum(low - knots, knots - high) / margin, 0).max(-1, keepdims=True)
    values = spline(knots.reshape(-1, 2)).reshape(knots.shape) * (1 - beyond)
    return Warp(RegularGridInterpolator(axes, values, bounds_error=False, fill_value=0.0))
