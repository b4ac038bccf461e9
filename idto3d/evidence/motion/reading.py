"""From the landmarks of a clip to how a head moves."""

from collections.abc import Sequence

import numpy as np

from idto3d.config import AnimateOptions
from idto3d.evidence.landmark_model import LandmarkModel
from idto3d.evidence.motion.pose import Poses, poses_of
from idto3d.evidence.motion.smooth import led_over, smoothed
from idto3d.evidence.motion.strengths import strengths_of
from idto3d.evidence.motion.track import Track
from idto3d.evidence.shapes import shapes_of
from idto3d.head.template_model import Template
from idto3d.subject.face_points import BLENDSHAPES
from idto3d.subject.landmarks import Landmarks

MOST_TURN = np.radians([60.0, 40.0, 40.0])  # of yaw, pitch and roll; a neck goes no further
QUICK_FACE, QUICK_HEAD = 2.0, 3.0  # hertz of a smoothing cut-off for a change of 1, and of a radian, per second


def track_of(
    seen: Sequence[Landmarks | None], fps: float, template: Template, model: LandmarkModel, options: AnimateOptions
) -> Track:
    """The track of what was `seen` in each picture of a clip, `fps` a second; at least one shows a face.

    Where none does, values go evenly from what was before to what comes after.
    """
    known = np.array([one is not None for one in seen])
    shapes, there = shapes_of(template, model), [one for one in seen if one is not None]
    poses = poses_of(np.stack([one.points for one in there]), shapes.neutral, model)
    told = np.stack([one.expression for one in there]).astype(np.float64)
    weights = strengths_of(told, poses.upright, poses.turns, shapes, template.shapes)
    weights, turns = (led_over(_spread(one, known), known) for one in (weights, _levelled(poses)))
    weights = smoothed(weights, fps, options.smoothing, QUICK_FACE)
    turns = smoothed(turns, fps, options.smoothing, QUICK_HEAD)
    turns = np.clip(options.turn * turns, -MOST_TURN, MOST_TURN)
    return Track(fps, BLENDSHAPES, np.clip(options.strength * weights, 0, 1), turns, known)


def _levelled(poses: Poses) -> np.ndarray:
    """Turns [T, 3] without the usual pitch, which says how high the camera stood rather than how the head is held."""
    return poses.turns - [0, np.median(poses.turns[:, 1]), 0]


def _spread(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """`values` [K, N] of the K pictures that are `known` [T], among zeros [T, N]."""
    whole = np.zeros((len(known), values.shape[1]))
    whole[known] = values
    return whole
