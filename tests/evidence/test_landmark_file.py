"""The landmark model and the template of the embedded bundle: people drawn by its statistics are found again."""

import numpy as np
import pytest

from idto3d.config import EMBEDDED
from idto3d.evidence.fit import belief, fit_photos
from idto3d.evidence.judgement import misfits
from idto3d.evidence.landmark_model import load_landmark_model, view_features
from idto3d.evidence.normal_equations import Seen
from idto3d.evidence.shapes import shapes_of
from idto3d.head.template_file import load_template
from idto3d.training.landmarks.statistics import CAUTION
from tests.evidence.tiny_template import camera

SIZE = (400, 400)


@pytest.fixture(scope="module")
def model():
    return load_landmark_model(EMBEDDED / "landmark_model.safetensors")


@pytest.fixture(scope="module")
def shapes(model):
    return shapes_of(load_template(EMBEDDED / "template.safetensors"), model)


def photo(shapes, model, coefficients, habits, azimuth, random) -> Seen:
    """Landmarks of a person, with errors as portraits show them: the model has them CAUTION times as large."""
    by = camera(azimuth, 0.1, distance=0.9, focal=700.0)
    weights = np.zeros(shapes.expression.shape[2])
    points = shapes.points(coefficients, weights)
    own = model.photo_factor @ random.normal(size=model.photo_factor.shape[1])
    own = own + np.sqrt(model.variance) * random.normal(size=len(model.variance))
    off = view_features(by.angles()[0]) @ model.bias + (model.person_factor @ habits + own) / CAUTION
    scale, roll = np.median(-by.seen(points)[:, 2]) / by.focal, by.roll()
    turn = scale * np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    pixels = by.project(points) + off.reshape(-1, 2) @ np.linalg.inv(turn).T * [1, -1]
    return Seen(np.concatenate([pixels, -by.seen(points)[:, 2:] / scale], 1), SIZE, weights)


def gap(shapes, one, other) -> float:
    """Mean distance of two faces' landmarks, metres."""
    return float(np.linalg.norm(shapes.identity @ (one - other), axis=1).mean())


def test_a_drawn_person_comes_out_nearer_than_the_average(shapes, model):
    random, found, average = np.random.default_rng(1), [], []
    for _ in range(4):
        who = random.multivariate_normal(model.mean, model.covariance)
        habits = random.normal(size=model.person_factor.shape[1])
        seen = [photo(shapes, model, who, habits, azimuth, random) for azimuth in (-0.4, 0.0, 0.5)]
        fit = fit_photos(shapes, seen, belief(model, None), model)
        assert not misfits(fit, model)
        found.append(gap(shapes, fit.coefficients, who))
        average.append(gap(shapes, model.mean, who))
    assert np.mean(found) < 0.9 * np.mean(average)


def test_points_of_no_face_are_a_misfit(shapes, model):
    random = np.random.default_rng(2)
    seen = photo(shapes, model, model.mean, np.zeros(model.person_factor.shape[1]), 0.0, random)
    marks = seen.landmarks + random.normal(size=seen.landmarks.shape) * 12
    assert misfits(fit_photos(shapes, [Seen(marks, SIZE, seen.expression)], belief(model, None), model), model) == (0,)


def test_landmarks_tell_who_it_is_where_the_embedding_is_of_a_strange_kind(shapes, model):
    random, sure, open_minded = np.random.default_rng(3), [], []
    for _ in range(4):
        who, other = random.multivariate_normal(model.mean, model.covariance, 2)
        seen = [photo(shapes, model, who, random.normal(size=model.person_factor.shape[1]), 0.1, random)]
        for found, familiar in ((sure, 1.0), (open_minded, 0.0)):
            fit = fit_photos(shapes, seen, belief(model, other, 1, familiar), model)
            found.append(gap(shapes, fit.coefficients, who))
    assert np.mean(open_minded) < 0.6 * np.mean(sure)
