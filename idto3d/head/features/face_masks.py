"""Soft masks of a face by formulas of place: lips, brows, beard, cheeks and so on, measured on the mean head.

Points are those of ICT-FaceKit's mean head in metres, of which the skin comes first in ICT-FaceKit's order; see
template.LANDMARKS. Numpy alone, so that processes that draw people need no torch.
"""

import numpy as np
from scipy.spatial import cKDTree
from skimage.measure import points_in_poly

from idto3d.head import template

RANGE = 0.02  # distances to brows and lash lines are capped here, metres
# Height of the hairline on the skin (metres) by azimuth from the front (degrees).
HAIRLINE_DEG = (0, 25, 42, 54, 66, 80, 100, 118, 140, 180)
HAIRLINE_Y = (0.096, 0.096, 0.088, 0.062, 0.024, 0.034, 0.030, -0.012, -0.026, -0.030)
IRIS_M = (0.0056, 0.0066)  # distance from the eye's axis at which the iris begins to end, and ends
PUPIL_M = (0.0018, 0.0028)


def skin_masks(v: np.ndarray, landmarks: tuple[int, ...] = template.LANDMARKS) -> dict[str, np.ndarray]:
    """[V] float32 masks 0..1 of the points `v` [V, 3] by name, and two distances.

    flush is nose, ears, and around the eyes: where more blood shows; lids is above the eyes up to the brows. brow_gap
    is the distance to the nearer brow's line in metres; brow_along is -1 at a brow's inner end to 1 at its outer end.
    """
    marks = v[list(landmarks)]
    face = np.zeros(len(v), np.float32)
    face[template.FACE] = 1
    front = face * (v[:, 2] > 0.05)
    lips = _inside(v, marks[48:60]) * front
    gap = np.minimum(_gap(v, marks[17:22]), _gap(v, marks[22:27]))
    masks = {
        "lips": lips,
        **_beards(v, face, lips),
        "cheeks": _spot(np.abs(v[:, 0]) - 0.045, v[:, 1] + 0.002, 0.018) * front,
        "flush": _flush(v, front),
        "lids": _lids(v, marks, front),
        "scalp": _scalp(v) * (gap > 0.007),
        "face": face,
        "brow_gap": np.where(front > 0, gap, RANGE),
        "brow_along": (np.abs(v[:, 0]) - 0.032) / 0.024,
    }
    return {name: mask.astype(np.float32) for name, mask in masks.items()}


def _beards(v, face, lips) -> dict[str, np.ndarray]:
    """Moustache, goatee (with the moustache) and the full beard (with both)."""
    bare = (1 - lips) * (v[:, 2] > 0.018) * (face > 0) * ~ears(v)
    upper = ramp(-np.abs(v[:, 0]), -0.034, -0.026) * ramp(-v[:, 1], 0.011, 0.016)
    moustache = upper * (v[:, 1] > -0.0355 - 0.1 * np.abs(v[:, 0])) * (v[:, 2] > 0.07) * bare
    chin = ramp(-np.abs(v[:, 0]), -0.026, -0.019) * ramp(-v[:, 1], 0.028, 0.034) * (v[:, 2] > 0.06)
    chin = chin * ramp(v[:, 1], -0.100, -0.090)
    sides = ramp(-np.abs(np.abs(v[:, 0]) - 0.028), -0.007, -0.003) * ramp(-v[:, 1], 0.020, 0.026)
    sides = sides * ramp(v[:, 1], -0.066, -0.056) * (v[:, 2] > 0.07)
    goatee = np.maximum(np.maximum(chin, sides) * bare, moustache)
    line = ramp(0.32 * np.clip(0.075 - v[:, 2], 0, 1) - v[:, 1], 0.013, 0.023)
    beard = np.maximum(line * ramp(v[:, 1] - 0.5 * (0.10 - v[:, 2]), -0.103, -0.093) * bare, moustache)
    return {"moustache": moustache, "goatee": goatee, "beard": beard}


def _flush(v, front) -> np.ndarray:
    nose = _spot(v[:, 0], v[:, 1] - 0.002, 0.014) * front * (v[:, 2] > 0.1)
    rims = ears(v) * ramp(np.abs(v[:, 0]), 0.077, 0.086)
    eyes = _spot(np.abs(v[:, 0]) - 0.031, v[:, 1] - 0.028, 0.012) * front
    return np.maximum(np.maximum(nose, 0.9 * rims), 0.45 * eyes)


def _lids(v, marks, front) -> np.ndarray:
    """The upper lids: from the lash line up, strongest there."""
    upper = np.minimum(_gap(v, marks[36:40]), _gap(v, marks[42:46]))
    above = v[:, 1] > np.interp(np.abs(v[:, 0]), (0.018, 0.031, 0.045), (0.032, 0.0385, 0.034))
    return ramp(-upper, -0.013, -0.006) * above * front


def _spot(x, y, radius: float) -> np.ndarray:
    return np.exp(-(x**2 + y**2) / radius**2)


def _inside(v, outline):
    return points_in_poly(v[:, :2], outline[:, :2]).astype(np.float32)


def _gap(v, line) -> np.ndarray:
    """[V] distance in the frontal plane to a line through the points `line` [P, 3], capped at RANGE."""
    pieces = zip(line[:-1], line[1:], strict=True)
    points = np.concatenate([a + (b - a) * np.linspace(0, 1, 12)[:, None] for a, b in pieces])
    return np.minimum(cKDTree(points[:, :2]).query(v[:, :2], distance_upper_bound=RANGE)[0], RANGE)


def ramp(x, low, high):
    """0 up to `low`, 1 from `high` on, straight between."""
    return np.clip((x - low) / (high - low), 0, 1)


def ears(v) -> np.ndarray:
    """[V] bool: the ears among the points `v` [V, 3] of a mean head."""
    return (np.abs(v[:, 0]) > 0.07) & (np.abs(v[:, 1] - 0.005) < 0.045) & (v[:, 2] < 0.03) & (v[:, 2] > -0.045)


def _scalp(v):
    azimuth = np.abs(np.degrees(np.arctan2(v[:, 0], v[:, 2])))
    line = np.interp(azimuth, HAIRLINE_DEG, HAIRLINE_Y)
    return ramp(v[:, 1] - line, 0.0, 0.010) * ~ears(v)


def eye_masks(ball: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[N] 0..1 the iris (with the pupil) and the pupil of an eyeball `ball` [N, 3], around where it looks.

    That is from its middle to its first vertex, the middle of its cornea: at rest eyes look a little to the sides.
    """
    offset = ball - (ball.min(0) + ball.max(0)) / 2
    axis = offset[0] / np.linalg.norm(offset[0])
    ahead = offset @ axis
    off_axis = np.linalg.norm(offset - ahead[:, None] * axis, axis=1)
    return tuple(ramp(-off_axis, -far, -near) * (ahead > 0) for near, far in (IRIS_M, PUPIL_M))
