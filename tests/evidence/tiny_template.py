"""A template of few numbers: points on a bulged square, some identity modes, some expression shapes."""

import numpy as np
from scipy.spatial.transform import Rotation

from idto3d.evidence.camera import PhotoCamera
from idto3d.evidence.fit import Seen
from idto3d.evidence.landmark_model import LandmarkModel, view_features
from idto3d.evidence.shapes import Shapes

POINTS, MODES, MOVES, HABITS = 40, 4, 3, 2
SIZE = (400, 300)


def tiny_shapes(seed: int = 0) -> Shapes:
    random = np.random.default_rng(seed)
    place = random.uniform(-0.07, 0.07, (POINTS, 2))
    neutral = np.concatenate([place, 0.09 - 8 * (place**2).sum(1, keepdims=True)], 1)
    identity = random.normal(size=(POINTS, 3, MODES)) * 0.004
    return Shapes(neutral, identity, random.normal(size=(POINTS, 3, MOVES)) * 0.008)


def tiny_model(seed: int = 0, **changes) -> LandmarkModel:
    random, flat = np.random.default_rng(seed + 100), 2 * POINTS
    usual = dict(
        vertices=np.zeros((POINTS, 3), np.int64),
        weights=np.ones((POINTS, 3)) / 3,
        bias=random.normal(size=(3, flat)) * 0.0003,
        pull=np.zeros((flat, MODES)),
        person_factor=random.normal(size=(flat, HABITS)) * 0.0003,
        photo_factor=random.normal(size=(flat, 2)) * 0.0003,
        variance=np.full(flat, 0.0005**2),
        mean=np.zeros(MODES),
        covariance=np.eye(MODES),
        face_person=0.2 * np.eye(MODES),
        face_photo=0.4 * np.eye(MODES),
        turn=np.array([[0.0, 1.0], [0.0, 1.0]]),
        turn_spread=np.array([0.3, 0.3]),
        usual=np.zeros(MOVES),
        slope=np.ones(MOVES),
        spread=np.full(MOVES, 0.25),
        fit_error=np.array([0.005]),
    )
    return LandmarkModel(**(usual | changes))


def camera(azimuth: float, elevation: float, roll: float = 0.1, distance: float = 0.8, focal: float = 640.0):
    """A camera that looks at the tiny template; angles in radians."""
    turned = Rotation.from_euler("ZXY", [roll, elevation, -azimuth]).as_matrix()
    return PhotoCamera(turned, np.array([0.01, -0.02, -distance]), focal, np.array(SIZE) / 2)


def drawn(shapes: Shapes, model: LandmarkModel, coefficients, weights, by: PhotoCamera, told=None) -> Seen:
    """What a perfect reader sees: landmarks with just the usual error, depths as they are."""
    points = shapes.points(np.asarray(coefficients), np.asarray(weights))
    seen = by.seen(points)
    off = (view_features(by.angles()[0]) @ model.bias).reshape(-1, 2)
    scale, roll = np.median(-seen[:, 2]) / by.focal, by.roll()
    turn = scale * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    pixels = by.project(points) + off @ np.linalg.inv(turn).T * [1, -1]
    marks = np.concatenate([pixels, -seen[:, 2:] / scale], 1)
    return Seen(marks, SIZE, np.asarray(weights if told is None else told, dtype=np.float64))
