"""Soft masks of a face on the model's vertices: lips, brows, beard, cheeks and so on, fixed once on the mean head."""

from dataclasses import dataclass

import numpy as np

from idto3d.head import template
from idto3d.head.features.face_masks import eye_masks, skin_masks
from idto3d.training.people import ict


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
    iris, pupil, eyes = _eyes(v)
    masks = skin_masks(v, landmarks) | {
        "iris": iris,
        "pupil": pupil,
        "eyes": eyes,
        "teeth": _part(v, template.TEETH),
        "mouth": np.maximum(_part(v, template.MOUTH_SOCKET), _part(v, template.GUMS_TONGUE)),
    }
    return Regions(**{name: mask.astype(np.float32) for name, mask in masks.items()})


def _part(v, part: slice) -> np.ndarray:
    mask = np.zeros(len(v), np.float32)
    mask[part] = 1
    return mask


def _eyes(v):
    iris, pupil, eyes = (np.zeros(len(v), np.float32) for _ in range(3))
    eyes[template.EYEBALLS] = 1
    for side in (-1, 1):
        ball = np.flatnonzero((eyes > 0) & (np.sign(v[:, 0]) == side))
        iris[ball], pupil[ball] = eye_masks(v[ball])
    return iris, pupil, eyes
