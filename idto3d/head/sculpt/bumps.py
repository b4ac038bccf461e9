"""Features of a face that the template has no mode of, as soft pushes of its skin: where, how wide, which way. Metres.

Places and sizes are set by eye on the mean head, which every head shares; both sides of a face get the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

MIDDLE_M = 0.010  # from the middle of the face within which nothing is pushed sideways by its whole amount


@dataclass(frozen=True)
class Bump:
    """A push by `by` (outwards, up, forwards) around `at` (off the middle, height, depth) that fades over `size`."""

    at: tuple[float, float, float]
    size: tuple[float, float, float]
    by: tuple[float, float, float]

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """[V, 3] the push of `points` [V, 3]."""
        off = (np.stack([np.abs(points[:, 0]), *points[:, 1:].T], -1) - self.at) / self.size
        pushed = np.exp(-(off**2).sum(1))[:, None] * np.array(self.by)
        pushed[:, 0] *= np.clip(points[:, 0] / MIDDLE_M, -1, 1)
        return pushed


BUMPS: Mapping[str, tuple[Bump, ...]] = {
    "full cheeks": (
        Bump((0.050, -0.020, 0.080), (0.022, 0.026, 0.030), (0.0085, -0.0010, 0.0050)),
        Bump((0.052, -0.048, 0.058), (0.018, 0.018, 0.026), (0.0050, -0.0010, 0.0010)),
    ),
    "hollow cheeks": (Bump((0.051, -0.020, 0.080), (0.015, 0.019, 0.024), (-0.0065, 0.0, -0.0040)),),
    "high cheekbones": (Bump((0.056, 0.010, 0.080), (0.014, 0.010, 0.020), (0.0030, 0.0005, 0.0032)),),
    "double chin": (
        Bump((0.0, -0.096, 0.060), (0.036, 0.017, 0.036), (0.0, -0.0080, 0.0110)),
        Bump((0.036, -0.076, 0.068), (0.018, 0.018, 0.030), (0.0050, -0.0050, 0.0020)),
    ),
    "strong jaw": (
        Bump((0.058, -0.046, 0.046), (0.016, 0.020, 0.030), (0.0065, -0.0025, 0.0)),
        Bump((0.022, -0.069, 0.096), (0.012, 0.012, 0.018), (0.0035, -0.0010, 0.0010)),
    ),
    "narrow jaw": (
        Bump((0.056, -0.042, 0.060), (0.018, 0.026, 0.036), (-0.0065, 0.0, -0.0005)),
        Bump((0.036, -0.064, 0.082), (0.014, 0.014, 0.022), (-0.0040, 0.0015, 0.0)),
    ),
    "pointed chin": (
        Bump((0.024, -0.068, 0.094), (0.012, 0.014, 0.020), (-0.0050, 0.0020, -0.0010)),
        Bump((0.0, -0.074, 0.104), (0.013, 0.011, 0.020), (0.0, -0.0055, 0.0025)),
    ),
    "strong chin": (Bump((0.0, -0.064, 0.106), (0.018, 0.013, 0.022), (0.0, -0.0010, 0.0050)),),
    "sunken eyes": (
        Bump((0.032, 0.034, 0.092), (0.020, 0.013, 0.050), (0.0, 0.0, -0.0042)),
        Bump((0.030, 0.020, 0.094), (0.015, 0.006, 0.020), (0.0, 0.0, -0.0018)),
        Bump((0.032, 0.060, 0.100), (0.024, 0.007, 0.020), (0.0, -0.0006, 0.0016)),
    ),
    "large nose": (
        Bump((0.0, 0.004, 0.128), (0.014, 0.015, 0.024), (0.0, -0.0015, 0.0085)),
        Bump((0.0, 0.022, 0.118), (0.009, 0.014, 0.016), (0.0, 0.0, 0.0045)),
        Bump((0.013, -0.008, 0.110), (0.007, 0.007, 0.012), (0.0020, 0.0, 0.0010)),
    ),
    "small nose": (
        Bump((0.0, 0.004, 0.128), (0.014, 0.014, 0.022), (0.0, 0.0015, -0.0050)),
        Bump((0.013, -0.008, 0.110), (0.007, 0.007, 0.012), (-0.0020, 0.0005, 0.0)),
    ),
    "hooked nose": (
        Bump((0.0, 0.020, 0.118), (0.008, 0.010, 0.016), (0.0, 0.0, 0.0042)),
        Bump((0.0, -0.002, 0.124), (0.010, 0.009, 0.016), (0.0, -0.0042, 0.0010)),
    ),
    "hooded eyes": (
        Bump((0.035, 0.0470, 0.096), (0.017, 0.0065, 0.020), (0.0, -0.0034, 0.0022)),
        Bump((0.046, 0.0420, 0.087), (0.008, 0.0070, 0.016), (0.0, -0.0028, 0.0008)),
    ),
    "upturned eyes": (
        Bump((0.0446, 0.0335, 0.086), (0.0095, 0.0085, 0.018), (0.0006, 0.0028, 0.0)),
        Bump((0.0184, 0.0325, 0.092), (0.0060, 0.0060, 0.015), (0.0, -0.0007, 0.0)),
    ),
}


def bumped(points: np.ndarray, name: str) -> np.ndarray:
    """[V, 3] the pushes of a feature of BUMPS at `points` [V, 3] of the mean head."""
    return sum(bump(points) for bump in BUMPS[name])
