"""The normal equations of the fit: what landmarks, camera and expression say of the unknowns, to first order.

Unknowns of a person: identity coefficients [K], then how the network errs on this person [P], in deviations. Unknowns
of a photo: rotation and translation of the camera, the logarithm of its focal length [7], expression weights [E].
"""

from dataclasses import dataclass

import numpy as np

from idto3d.evidence.camera import PhotoCamera, projected
from idto3d.evidence.landmark_model import LandmarkModel, turn_of, view_features
from idto3d.evidence.outline.rim import Shows
from idto3d.evidence.shapes import Shapes

USUAL_FOCAL = 1.6  # focal length of a photo whose camera is not known, in longer sides
FOCAL_SPREAD = 0.35  # standard deviation of its logarithm
LOOSE = 1e-6  # precision of what is not known at all, rotation and translation; keeps the equations regular
TRUSTED = 4.0  # standard deviations; a landmark farther off counts less
POSE = 7  # rotation, translation and focal length of a photo
LONGEST_FOCAL_STEP = 0.3


@dataclass(frozen=True, eq=False)
class Seen:
    """What a photo says: landmarks [N, 3], its size (width, height), and the expression weights [E] to expect.

    Landmarks are pixels, their depths a guess, see `subject.landmarks`; weights: `LandmarkModel.expected_weights`.
    shows: how much of skin and of background there is at places of the photo; None where no outline is looked for.
    """

    landmarks: np.ndarray
    size: tuple[int, int]
    expression: np.ndarray
    shows: Shows | None = None


@dataclass(frozen=True, eq=False)
class PhotoFit:
    """How a photo was taken: its camera, the expression weights [E], and the mean error of its landmarks, metres."""

    camera: PhotoCamera
    expression: np.ndarray
    error: float


@dataclass(frozen=True, eq=False)
class Person:
    """Identity coefficients [K], and in standard deviations how the landmark network errs on this person [P]."""

    coefficients: np.ndarray
    habits: np.ndarray


def errors(shapes: Shapes, seen: Seen, coefficients: np.ndarray, taken: PhotoFit) -> np.ndarray:
    """[N, 2] landmarks less projected points of the template, in the picture's plane, upright, metres."""
    camera = taken.camera.seen(shapes.points(coefficients, taken.expression))
    away = (seen.landmarks[:, :2] - projected(camera, taken.camera.focal, taken.camera.centre)) * [1, -1]
    return away @ upright(taken.camera, camera).T


def upright(camera: PhotoCamera, seen: np.ndarray) -> np.ndarray:
    """[2, 2] from pixels (y up) to metres in the plane through the head, turned so that the head is upright."""
    roll, scale = camera.roll(), np.median(-seen[:, 2]) / camera.focal
    return scale * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])


def photo_evidence(shapes: Shapes, seen: Seen, model: LandmarkModel, person: Person, taken: PhotoFit, robust: bool):
    """What the landmarks of a photo add to the normal equations: [U, U] and [U], U = K + P + 7 + E."""
    usual = view_features(taken.camera.angles()[0]) @ model.bias + model.person_factor @ person.habits
    residual = errors(shapes, seen, person.coefficients, taken) - usual.reshape(-1, 2)
    variance = model.variance.reshape(-1, 2)
    if robust:
        away = np.linalg.norm(residual / np.sqrt(variance), axis=1, keepdims=True)
        variance = variance * np.maximum(away / TRUSTED, 1)
    weight = (1 / variance).reshape(-1)
    slope = slope_of(shapes, model, person.coefficients, taken)
    weighted, shared = slope * weight[:, None], model.photo_factor * weight[:, None]
    inner = np.linalg.inv(np.eye(model.photo_factor.shape[1]) + model.photo_factor.T @ shared)  # Woodbury's
    across = slope.T @ shared
    matrix = weighted.T @ slope - across @ inner @ across.T
    flat = residual.reshape(-1)
    return matrix, weighted.T @ flat - across @ (inner @ (shared.T @ flat))


def slope_of(shapes: Shapes, model: LandmarkModel, coefficients: np.ndarray, taken: PhotoFit) -> np.ndarray:
    """[2 N, K + P + 7 + E] how expected landmarks, upright and in metres, move with every unknown."""
    moved = points_slope(shapes, coefficients, taken)
    habits = model.person_factor.reshape(len(moved), 2, -1)
    known = shapes.identity.shape[2]
    return np.concatenate([moved[..., :known], habits, moved[..., known:]], 2).reshape(2 * len(moved), -1)


def points_slope(shapes: Shapes, coefficients: np.ndarray, taken: PhotoFit) -> np.ndarray:
    """[N, 2, K + 7 + E] how points of the template, upright and in metres, move with what is asked of who and how."""
    camera, points = taken.camera, shapes.points(coefficients, taken.expression)
    turned = points @ camera.rotation.T
    x, y, z = (turned + camera.translation).T
    zero, scale = np.zeros_like(x), camera.focal / -z
    pixel = np.stack([np.stack([scale, zero, scale * x / -z], 1), np.stack([zero, scale, scale * y / -z], 1)], 1)
    plane = upright(camera, np.stack([x, y, z], 1)) @ pixel
    cross = np.zeros((len(x), 3, 3))
    cross[:, [2, 0, 1], [1, 2, 0]], cross[:, [1, 2, 0], [2, 0, 1]] = -turned, turned
    longer = plane[:, :, :2] @ np.stack([x, y], 1)[:, :, None]
    by_point = plane @ camera.rotation
    parts = [by_point @ shapes.identity, plane @ cross, plane, longer, by_point @ shapes.expression]
    return np.concatenate(parts, 2)


def photo_prior(shapes: Shapes, seen: Seen, model: LandmarkModel, taken: PhotoFit) -> tuple[np.ndarray, np.ndarray]:
    """What is thought of a camera and of expression weights without the landmarks' places: [7 + E, 7 + E], [7 + E]."""
    diagonal = np.concatenate([np.full(6, LOOSE), [FOCAL_SPREAD**-2], model.spread**-2])
    usual = np.log(USUAL_FOCAL * max(seen.size)) - np.log(taken.camera.focal)
    matrix = np.diag(diagonal)
    vector = diagonal * np.concatenate([np.zeros(6), [usual], seen.expression - taken.expression])
    turn, slope = _turn_missing(shapes, seen, model, taken.camera)
    matrix[:3, :3] += (slope.T / model.turn_spread**2) @ slope
    vector[:3] += (slope.T / model.turn_spread**2) @ turn
    return matrix, vector


def _turn_missing(shapes: Shapes, seen: Seen, model: LandmarkModel, camera: PhotoCamera):
    """Azimuth and elevation still to turn [2], and how a small rotation of the camera's axes changes them [2, 3]."""
    wanted = (model.turn * np.stack([np.ones(2), turn_of(seen.landmarks, shapes.neutral)], 1)).sum(1)
    right, up, back = camera.rotation
    moved = np.stack([up, -right, np.zeros(3)], 1)  # of `back` [3], by each component
    level = back[0] ** 2 + back[2] ** 2
    azimuth = (moved[0] * back[2] - moved[2] * back[0]) / level
    return wanted - np.array(camera.angles()), np.stack([azimuth, moved[1] / np.sqrt(level)])


def photo_limits(taken: PhotoFit) -> tuple[np.ndarray, np.ndarray]:
    """How far down and up each unknown of a photo may go in a step, [7 + E] twice."""
    low = np.concatenate([np.full(6, -np.inf), [-LONGEST_FOCAL_STEP], -taken.expression])
    return low, np.concatenate([np.full(6, np.inf), [LONGEST_FOCAL_STEP], 1 - taken.expression])


def bounded_solution(normal: np.ndarray, gain: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The step that solves normal @ step = gain, those unknowns held that would pass `low` or `high`; all [n].

    What is held once stays held: a few unknowns at their limits may end a little less than best.
    """
    held, step = np.zeros(len(gain), bool), np.zeros(len(gain))
    while True:
        free = ~held
        step[free] = np.linalg.solve(normal[np.ix_(free, free)], (gain - normal[:, held] @ step[held])[free])
        beyond = free & ((step < low) | (step > high))
        if not beyond.any():
            return step
        step[beyond], held = np.clip(step, low, high)[beyond], held | beyond
