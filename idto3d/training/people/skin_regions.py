"""Soft masks of a face on the model's vertices: lips, brows, beard, cheeks and so on, fixed once on the mean head."""

from dataclasses import dataclass

import numpy as np
from skimage.measure import points_in_poly

from idto3d.head import template
from idto3d.training.people import ict
from idto3d.training.people.scalp import HAIRLINE_DEG, HAIRLINE_Y

RANGE = 0.02  # distances to brows and lash lines are capped here, metres


@dataclass(frozen=True)
class Regions:
    """Soft masks [V] 0..1 on the model's vertices, the eye vertices, and two distances [V] in metres."""

    lips: np.ndarray
    moustache: np.ndarray
    goatee: np.ndarray
    beard: np.ndarray
    cheeks: np.ndarray
    flush: np.ndarray  # nose, ears, and around the eyes: where more blood shows
    lids: np.ndarray  # above the eyes up to the brows
    scalp: np.ndarray
    iris: np.ndarray
    pupil: np.ndarray
    eyes: np.ndarray
    teeth: np.ndarray
    mouth: np.ndarray
    face: np.ndarray
    brow_gap: np.ndarray  # to the nearer brow's line
    brow_along: np.ndarray  # -1 at the brow's inner end .. 1 at its outer end


def read_regions(model: ict.IctModel, landmarks: tuple[int, ...]) -> Regions:
    """Regions from the neutral mesh and the 68 landmark vertices (`landmarks`, indices)."""
    v = model.neutral
    marks = v[list(landmarks)]
    face = np.zeros(len(v), np.float32)
    face[template.FACE] = 1
    front = face * (v[:, 2] > 0.05)
    lips = _inside(v, marks[48:60]) * front
    gap = np.minimum(_gap(v, marks[17:22]), _gap(v, marks[22:27]))
    iris, pupil, eyes = _eyes(model)
    masks = {
        "lips": lips,
        **_beards(v, face, lips),
        "cheeks": _spot(np.abs(v[:, 0]) - 0.045, v[:, 1] + 0.002, 0.018) * front,
        "flush": _flush(v, front),
        "lids": _lids(v, marks, front),
        "scalp": _scalp(v) * (gap > 0.007),
        "iris": iris,
        "pupil": pupil,
        "eyes": eyes,
        "teeth": _part(v, template.TEETH),
        "mouth": np.maximum(_part(v, template.MOUTH_SOCKET), _part(v, template.GUMS_TONGUE)),
        "face": face,
        "brow_gap": np.where(front > 0, gap, RANGE),
        "brow_along": (np.abs(v[:, 0]) - 0.032) / 0.024,
    }
    return Regions(**{name: mask.astype(np.float32) for name, mask in masks.items()})


def _part(v, part: slice) -> np.ndarray:
    mask = np.zeros(len(v), np.float32)
    mask[part] = 1
    return mask


def _beards(v, face, lips) -> dict[str, np.ndarray]:
    """Moustache, goatee (with the moustache) and the full beard (with both)."""
    bare = (1 - lips) * (v[:, 2] > 0.018) * (face > 0) * ~_ears(v)
    upper = _ramp(-np.abs(v[:, 0]), -0.034, -0.026) * _ramp(-v[:, 1], 0.011, 0.016)
    moustache = upper * (v[:, 1] > -0.0355 - 0.1 * np.abs(v[:, 0])) * (v[:, 2] > 0.07) * bare
    chin = _ramp(-np.abs(v[:, 0]), -0.026, -0.019) * _ramp(-v[:, 1], 0.028, 0.034) * (v[:, 2] > 0.06)
    chin = chin * _ramp(v[:, 1], -0.100, -0.090)
    sides = _ramp(-np.abs(np.abs(v[:, 0]) - 0.028), -0.007, -0.003) * _ramp(-v[:, 1], 0.020, 0.026)
    sides = sides * _ramp(v[:, 1], -0.066, -0.056) * (v[:, 2] > 0.07)
    goatee = np.maximum(np.maximum(chin, sides) * bare, moustache)
    line = _ramp(0.32 * np.clip(0.075 - v[:, 2], 0, 1) - v[:, 1], 0.013, 0.023)
    beard = np.maximum(line * _ramp(v[:, 1] - 0.5 * (0.10 - v[:, 2]), -0.103, -0.093) * bare, moustache)
    return {"moustache": moustache, "goatee": goatee, "beard": beard}


def _flush(v, front) -> np.ndarray:
    nose = _spot(v[:, 0], v[:, 1] - 0.002, 0.014) * front * (v[:, 2] > 0.1)
    ears = _ears(v) * _ramp(np.abs(v[:, 0]), 0.077, 0.086)
    eyes = _spot(np.abs(v[:, 0]) - 0.031, v[:, 1] - 0.028, 0.012) * front
    return np.maximum(np.maximum(nose, 0.9 * ears), 0.45 * eyes)


def _lids(v, marks, front) -> np.ndarray:
    """The upper lids: from the lash line up, strongest there."""
    upper = np.minimum(_gap(v, marks[36:40]), _gap(v, marks[42:46]))
    above = v[:, 1] > np.interp(np.abs(v[:, 0]), (0.018, 0.031, 0.045), (0.032, 0.0385, 0.034))
    return _ramp(-upper, -0.013, -0.006) * above * front


def _spot(x, y, radius: float) -> np.ndarray:
    return np.exp(-(x**2 + y**2) / radius**2)


def _inside(v, outline):
    return points_in_poly(v[:, :2], outline[:, :2]).astype(np.float32)


def _gap(v, line) -> np.ndarray:
    """[V] distance in the frontal plane to a line through the points `line` [P, 3], capped at RANGE."""
    pieces = zip(line[:-1], line[1:], strict=True)
    points = np.concatenate([a + (b - a) * np.linspace(0, 1, 12)[:, None] for a, b in pieces])
    return np.minimum(np.linalg.norm(v[:, None, :2] - points[None, :, :2], axis=-1).min(1), RANGE)


def _ramp(x, low, high):
    return np.clip((x - low) / (high - low), 0, 1)


def _ears(v) -> np.ndarray:
    return (np.abs(v[:, 0]) > 0.07) & (np.abs(v[:, 1] - 0.005) < 0.045) & (v[:, 2] < 0.03) & (v[:, 2] > -0.045)


def _scalp(v):
    azimuth = np.abs(np.degrees(np.arctan2(v[:, 0], v[:, 2])))
    line = np.interp(azimuth, HAIRLINE_DEG, HAIRLINE_Y)
    return _ramp(v[:, 1] - line, 0.0, 0.010) * ~_ears(v)


def _eyes(model: ict.IctModel):
    v = model.neutral
    iris, pupil, eyes = (np.zeros(len(v), np.float32) for _ in range(3))
    eyes[template.EYEBALLS] = 1
    for side in (-1, 1):
        ball = np.flatnonzero((eyes > 0) & (np.sign(v[:, 0]) == side))
        centre = (v[ball].min(0) + v[ball].max(0)) / 2
        off_axis = np.linalg.norm((v[ball] - centre)[:, :2], axis=1)
        ahead = v[ball, 2] > centre[2]
        iris[ball] = _ramp(-off_axis, -0.0066, -0.0056) * ahead
        pupil[ball] = _ramp(-off_axis, -0.0028, -0.0018) * ahead
    return iris, pupil, eyes
