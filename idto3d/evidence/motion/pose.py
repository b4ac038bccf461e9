"""How a head is turned in each picture of a clip, and its landmarks turned back."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from idto3d.evidence.landmark_model import LandmarkModel

# Landmarks that none of the template's expressions moves by more than 2 millimetres: the upper forehead, the temples
# and cheekbones, the ridge of the nose, the inner corners of the eyes.
# fmt: off
STILL = (
    10, 109, 338, 21, 251, 162, 389, 127, 356, 34, 264, 234, 454, 195, 197, 5, 196, 419, 3, 248, 188, 412,
    133, 362, 155, 382, 243, 463, 112, 341,
)
# fmt: on


@dataclass(frozen=True, eq=False)
class Poses:
    """Of T pictures: turns [T, 3], see Track, and the landmarks [T, L, 3] of an upright head before the camera, metres,
    at the size of the template.
    """

    turns: np.ndarray
    upright: np.ndarray


def poses_of(landmarks: np.ndarray, neutral: np.ndarray, model: LandmarkModel) -> Poses:
    """`landmarks` [T, L, 3] pixels, see `subject.landmarks`; `neutral` [L, 3] metres are those of the template at rest.

    What is STILL is laid on the template (orthogonal Procrustes with scale, Umeyama 1991); depths that the network
    guesses turn too little or too much, which the `model` knows of its own portraits.
    """
    fitted = [_laid(one.astype(np.float64) * [1, -1, -1], neutral) for one in landmarks]
    turns = Rotation.from_matrix([turn for turn, _ in fitted]).as_euler("ZXY")[:, ::-1]  # yaw, pitch, roll
    (azimuth, by_azimuth), (elevation, by_elevation) = model.turn
    turns = np.stack([by_azimuth * turns[:, 0] - azimuth, by_elevation * turns[:, 1] + elevation, turns[:, 2]], 1)
    return Poses(turns, np.stack([points for _, points in fitted]))


def _laid(seen: np.ndarray, neutral: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotation [3, 3] from the head to the camera, and the points `seen` [L, 3] turned back and scaled."""
    rigid, known = seen[list(STILL)], neutral[list(STILL)]
    middle, place = rigid.mean(0), known.mean(0)
    left, size, right = np.linalg.svd((rigid - middle).T @ (known - place))
    sign = [1, 1, np.sign(np.linalg.det(left @ right))]
    rotation = left * sign @ right
    scale = (size * sign).sum() / ((rigid - middle) ** 2).sum()  # metres of a pixel
    return rotation, scale * (seen - middle) @ rotation + place


def rotations(turns: np.ndarray) -> np.ndarray:
    """[T, 3, 3] from `turns` [T, 3], see Track."""
    return Rotation.from_euler("ZXY", turns[:, ::-1]).as_matrix()
