"""The template fitted to the landmarks of photos: who it is, and for each photo the camera and the expression.

Gauss-Newton on the negative logarithm of the posterior: landmark errors are normal with the bias and the covariances
that our own portraits show (`landmark_model`), identity is normal about what the face embedding expects; both count the
less, the less the photo is like those portraits (`familiarity`). Expression weights lie in 0..1 near those that the
landmark network reads, the focal length near that of a usual photo. Where skin ends before background the face's
outline is drawn to it. All photos share the identity, and errors that the landmark network makes on this person in
every photo.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from idto3d.evidence.camera import PhotoCamera
from idto3d.evidence.landmark_model import LandmarkModel
from idto3d.evidence.normal_equations import (
    POSE,
    USUAL_FOCAL,
    Person,
    PhotoFit,
    Seen,
    bounded_solution,
    errors,
    photo_evidence,
    photo_limits,
    photo_prior,
)
from idto3d.evidence.outline.equations import Outline, outline_evidence, seen_outline
from idto3d.evidence.projection import ramp
from idto3d.evidence.shapes import Shapes, Surface
from idto3d.subject.similarity import unit

ITERATIONS, STEPS_TO_TRUST = 14, 3  # steps at most, and those in which far landmarks count as much as others
LOOKS = (4, 7)  # steps before which outlines are looked for, around what was found so far
STILL = 1e-3  # largest change of an unknown at which the fit ends
RECOGNITION = 128  # dlib's numbers, which come first in an embedding that has them
# Distances of dlib's unit numbers from the portraits' mean, between which a face stops being one of theirs. Of 260
# portraits 96 % lie nearer than the first and 1 % beyond the second; five photos of three people at 0.436 to 0.520.
OWN, FOREIGN = 0.41, 0.44


@dataclass(frozen=True, eq=False)
class Fit:
    """Identity coefficients [K] of one person, and how each photo was taken."""

    coefficients: np.ndarray
    photos: tuple[PhotoFit, ...]


@dataclass(frozen=True, eq=False)
class Belief:
    """What is thought of the coefficients before a landmark is seen: mean [K] and precision [K, K].

    familiar: 0..1, how far landmarks are thought to err as those of our portraits, see `LandmarkModel.like_portraits`.
    """

    mean: np.ndarray
    precision: np.ndarray
    familiar: float = 1.0


def belief(model: LandmarkModel, expected: np.ndarray | None, photos: int = 1, familiar: float = 1.0) -> Belief:
    """Of somebody for whom the head prior expects coefficients [K] by the mean embedding of a number of `photos`.

    expected: None for somebody of whom nothing is known. familiar: 0..1, see `familiarity`; the less, the more such
    people differ from what is expected, in the end as people do.
    """
    if expected is None:
        return Belief(model.mean, np.linalg.inv(model.covariance), familiar=0.0)
    known = model.face_person + model.face_photo / photos
    return Belief(expected, np.linalg.inv(familiar * known + (1 - familiar) * model.covariance), familiar)


def familiarity(embedding: np.ndarray, usual: np.ndarray) -> float:
    """0..1, from a face of another kind to one like those that were learned from.

    embedding [D]: with dlib's numbers first; usual [D]: the mean of those that were learned from. A map that was fitted
    to drawn people says nothing of somebody unlike all of them: it took any photo for a face with a broad nose.
    """
    own, mean = unit(embedding[:RECOGNITION]), unit(usual[:RECOGNITION])
    return 1 - float(ramp(np.linalg.norm(own - mean), OWN, FOREIGN))


def fit_photos(
    shapes: Shapes, seen: Sequence[Seen], prior: Belief, model: LandmarkModel, surface: Surface | None = None
) -> Fit:
    """The most likely person and cameras for what at least one photo shows.

    surface: the whole template, whose outline is laid on those of the photos; None to go by landmarks alone.
    """
    model = _with_pull(model.like_portraits(prior.familiar), prior)
    person = Person(prior.mean, np.zeros(model.person_factor.shape[1]))
    photos = tuple(_first_guess(shapes, one, prior.mean) for one in seen)
    outlines: tuple[Outline | None, ...] = (None,) * len(seen)
    for iteration in range(ITERATIONS):
        if surface is not None and iteration in LOOKS:
            pairs = zip(seen, photos, strict=True)
            outlines = tuple(seen_outline(surface, *pair, person.coefficients) for pair in pairs)
        step = _step(shapes, seen, prior, model, person, photos, outlines, robust=iteration >= STEPS_TO_TRUST)
        person, photos = _moved(shapes, seen, person, photos, step)
        if iteration > max(LOOKS) and np.abs(step).max() < STILL:
            break
    return Fit(person.coefficients, photos)


def _with_pull(model: LandmarkModel, prior: Belief) -> LandmarkModel:
    """The model whose usual error has in it that of a person of whom `prior` is thought.

    Of what is expected, not of what is found: else a fit would exaggerate whatever sets a face apart.
    """
    constant = np.array([1.0, 0.0, 0.0])[:, None]  # the first of view_features
    return replace(model, bias=model.bias + constant * (model.pull @ (prior.mean - model.mean)))


def _first_guess(shapes: Shapes, seen: Seen, coefficients: np.ndarray) -> PhotoFit:
    """A camera from the best affine map of the points to the landmarks, its rows made a rotation."""
    focal, centre = USUAL_FOCAL * max(seen.size), np.array(seen.size) / 2
    points = shapes.points(coefficients, seen.expression)
    middle, mark = points.mean(0), seen.landmarks[:, :2].mean(0)
    affine, *_ = np.linalg.lstsq(points - middle, (seen.landmarks[:, :2] - mark) * [1, -1], rcond=None)
    lengths = np.linalg.norm(affine, axis=0)
    right, up = affine.T / lengths[:, None]
    up = up - right * (right @ up)
    rotation = np.stack([right, up / np.linalg.norm(up), np.zeros(3)])
    rotation[2] = np.cross(rotation[0], rotation[1])
    distance = focal / lengths.mean()
    place = np.array([*((mark - centre) * [1, -1] * distance / focal), -distance])
    return PhotoFit(PhotoCamera(rotation, place - rotation @ middle, focal, centre), seen.expression, 0.0)


def _step(shapes, seen, prior: Belief, model: LandmarkModel, person: Person, photos, outlines, robust: bool):
    """One Gauss-Newton step of all unknowns [n], the person's first, with the weights held to 0..1."""
    known, shared = len(prior.mean), len(prior.mean) + len(person.habits)
    each = POSE + shapes.expression.shape[2]
    normal = np.zeros((shared + len(seen) * each,) * 2)
    gain, low, high = np.zeros(len(normal)), np.full(len(normal), -np.inf), np.full(len(normal), np.inf)

    def add(rows: np.ndarray, evidence: tuple[np.ndarray, np.ndarray]) -> None:
        normal[np.ix_(rows, rows)] += evidence[0]
        gain[rows] += evidence[1]

    who, habits = np.arange(known), np.arange(known, shared)
    add(who, (prior.precision, prior.precision @ (prior.mean - person.coefficients)))
    add(habits, (np.eye(shared - known), -person.habits))
    for number, (one, taken, outline) in enumerate(zip(seen, photos, outlines, strict=True)):
        own = np.arange(each) + shared + number * each
        add(np.r_[0:shared, own], photo_evidence(shapes, one, model, person, taken, robust))
        add(own, photo_prior(shapes, one, model, taken))
        if outline is not None:
            add(np.r_[who, own], outline_evidence(outline, person.coefficients, taken))
        low[own], high[own] = photo_limits(taken)
    return bounded_solution(normal, gain, low, high)


def _moved(shapes, seen, person: Person, photos, step: np.ndarray) -> tuple[Person, tuple[PhotoFit, ...]]:
    known, shared = len(person.coefficients), len(person.coefficients) + len(person.habits)
    after = Person(person.coefficients + step[:known], person.habits + step[known:shared])
    steps = step[shared:].reshape(len(photos), -1)
    moved = [_photo_moved(shapes, *pair, own, after) for *pair, own in zip(seen, photos, steps, strict=True)]
    return after, tuple(moved)


def _photo_moved(shapes: Shapes, seen: Seen, taken: PhotoFit, step: np.ndarray, person: Person) -> PhotoFit:
    camera = taken.camera
    after = replace(
        camera,
        rotation=Rotation.from_rotvec(step[:3]).as_matrix() @ camera.rotation,
        translation=camera.translation + step[3:6],
        focal=float(camera.focal * np.exp(step[6])),
    )
    found = PhotoFit(after, np.clip(taken.expression + step[POSE:], 0, 1), 0.0)
    away = errors(shapes, seen, person.coefficients, found)
    return replace(found, error=float(np.linalg.norm(away, axis=1).mean()))
