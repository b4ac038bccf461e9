"""What portraits say of landmarks: their mean errors, how these vary, and what else is read with them."""

import logging
from dataclasses import dataclass

import numpy as np

from idto3d.evidence.camera import PhotoCamera
from idto3d.evidence.landmark_model import turn_of, view_features
from idto3d.evidence.normal_equations import PhotoFit, Seen, errors
from idto3d.evidence.shapes import Shapes, as_shapes
from idto3d.training.fit.prior_regression import FOLDS, best_ridge
from idto3d.training.landmarks.portraits import SIZE, Readings

KEPT = 98.0  # percentile of a portrait's error beyond which the network is taken to have failed
PERSON_RANK, PHOTO_RANK = 30, 30  # of the errors' covariances
CAUTION = 3.0  # factor on deviations, as errors go with identity, which the fit does not know; see the model card
LEAST_M = 0.001  # least deviation of a landmark, metres, before CAUTION
UNRELATED = 0.05  # deviation of a coefficient that is added to every covariance, so that none is singular
LEAST_TOLD = 0.05  # share of an expression weight's variance from which on the network is listened to
log = logging.getLogger(__name__)
LOWEST_SPREAD, WEAK_SPREAD = 0.1, 0.25  # of an expression weight that the network tells, and of one that it does not


@dataclass(frozen=True, eq=False)
class Errors:
    """Landmark errors of n portraits, those that failed left out: rows [n] of the readings; metres [n, 2 N]."""

    rows: np.ndarray
    bias: np.ndarray  # [3, 2 N]
    left: np.ndarray  # [n, 2 N] beyond the bias


def landmark_errors(shapes: Shapes, readings: Readings) -> Errors:
    """Landmarks less where the true head with its true camera has them."""
    cameras = [camera_of(c2w, focal) for c2w, focal in zip(readings.c2w, readings.focal, strict=True)]
    found = np.stack([_error(shapes, readings, row, camera) for row, camera in enumerate(cameras)])
    size = np.sqrt((found**2).mean(1))
    rows = np.flatnonzero(size <= np.percentile(size, KEPT))
    features = np.stack([view_features(cameras[row].angles()[0]) for row in rows])
    bias = np.linalg.lstsq(features, found[rows], rcond=None)[0]
    return Errors(rows, bias, found[rows] - features @ bias)


def pull_of(found: Errors, apart: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How errors go with how far the expected coefficients are `apart` [n, K] from the usual: [2 N, K]; errors left.

    By ridge regression, as strong as serves people left out best.
    """
    inputs, people = apart[found.rows], seeds[found.rows]
    weights, bias, share = best_ridge(inputs, found.left, people % FOLDS)
    log.info("what is expected of a person explains %.2f of the errors", share)
    return weights.T, found.left - inputs @ weights


def camera_of(c2w: np.ndarray, focal: float) -> PhotoCamera:
    """The camera of a portrait as the fit has it."""
    rotation = c2w[:3, :3].T
    return PhotoCamera(rotation, -rotation @ c2w[:3, 3], float(focal), np.full(2, SIZE / 2))


def _error(shapes: Shapes, readings: Readings, row: int, camera: PhotoCamera) -> np.ndarray:
    seen = Seen(readings.landmarks[row].astype(np.float64), (SIZE, SIZE), readings.weights[row])
    taken = PhotoFit(camera, readings.weights[row].astype(np.float64), 0.0)
    return errors(shapes, seen, readings.coefficients[row].astype(np.float64), taken).reshape(-1)


def pairs_of(seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places in `seeds` [n], equal ones neighbours, of the first and the second portrait of everybody who has two."""
    _, first, number = np.unique(seeds, return_index=True, return_counts=True)
    return first[number > 1], first[number > 1] + 1


def shared_and_own(values: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariances [D, D] of what portraits of one person share, and of what each has alone, of `values` [n, D].

    From pairs; the shared part, of which an estimate may have negative variances, is brought to the nearest without.
    """
    one, two = pairs_of(seeds)
    apart = (values[one] - values[two]) / np.sqrt(2)
    own = apart.T @ apart / len(one)
    centred = values - values.mean(0)
    size, axes = np.linalg.eigh(centred.T @ centred / len(values) - own)
    return (axes * size.clip(0)) @ axes.T, own


def factors(left: np.ndarray, seeds: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Factors [D, P] and [D, R] of what a person's portraits share and of what each has alone, and variances [D].

    left: [n, D] errors. The variances are what the factors leave of the errors' own; CAUTION is in all three.
    """
    shared, own = shared_and_own(left, seeds)
    person, photo = _factor(shared, PERSON_RANK), _factor(own, PHOTO_RANK)
    rest = (left**2).mean(0) - (person**2).sum(1) - (photo**2).sum(1)
    return CAUTION * person, CAUTION * photo, CAUTION**2 * np.maximum(rest, LEAST_M**2)


def _factor(covariance: np.ndarray, rank: int) -> np.ndarray:
    size, axes = np.linalg.eigh(covariance)
    return axes[:, -rank:] * np.sqrt(size[-rank:].clip(0))


def steady(covariance: np.ndarray, fewer: float = 0.1) -> np.ndarray:
    """A covariance [K, K] of few samples made invertible: a share of what is off its diagonal goes."""
    return (1 - fewer) * covariance + np.diag(fewer * np.diag(covariance) + UNRELATED**2)


def turns(shapes: Shapes, readings: Readings) -> tuple[np.ndarray, np.ndarray]:
    """How azimuth and elevation go with what landmarks' depths say [2, 2], and the deviations left [2], radians."""
    told = np.stack([turn_of(one.astype(np.float64), shapes.neutral) for one in readings.landmarks])
    true = np.stack([camera_of(*one).angles() for one in zip(readings.c2w, readings.focal, strict=True)])
    lines = [np.polyfit(told[:, k], true[:, k], 1)[::-1] for k in (0, 1)]
    left = [(true[:, k] - lines[k][0] - lines[k][1] * told[:, k]).std() for k in (0, 1)]
    return np.array(lines), np.array(left)


def expression_lines(readings: Readings, shapes: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(usual [E], slope [E], spread [E]) of LandmarkModel: what the network tells of an expression weight."""
    told = as_shapes(readings.expression.astype(np.float64), shapes)
    return tuple(np.array([_line(*pair) for pair in zip(told.T, readings.weights.T.astype(np.float64), strict=True)]).T)


def _line(told: np.ndarray, true: np.ndarray) -> tuple[float, float, float]:
    usual = float(np.median(told))
    beyond = told - usual
    if beyond.std() < 1e-3 or np.corrcoef(beyond, true)[0, 1] ** 2 < LEAST_TOLD:
        return usual, 0.0, WEAK_SPREAD
    slope = float(np.clip(np.polyfit(beyond, true, 1)[0], 0, 1))
    left = np.sqrt(((true - np.clip(slope * beyond, 0, 1)) ** 2).mean())
    return usual, slope, float(np.clip(left, LOWEST_SPREAD, WEAK_SPREAD))
