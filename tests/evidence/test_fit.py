"""The fit on a tiny template: slopes, known heads found again, limits, shared identity, outliers, and a slow twin."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from idto3d.evidence.fit import Belief, belief, fit_photos
from idto3d.evidence.landmark_model import turn_of, view_features
from idto3d.evidence.normal_equations import (
    FOCAL_SPREAD,
    POSE,
    USUAL_FOCAL,
    Person,
    PhotoFit,
    bounded_solution,
    errors,
    slope_of,
)
from tests.evidence.tiny_template import HABITS, MODES, MOVES, POINTS, camera, drawn, tiny_model, tiny_shapes

WHO = np.array([0.8, -1.1, 0.4, 0.9])
SHAPES = tiny_shapes()
LOOSE = Belief(np.zeros(MODES), np.eye(MODES) * 1e-4)


def moved_by(taken: PhotoFit, step: np.ndarray) -> PhotoFit:
    """`taken` with the unknowns of a photo changed by `step` [7 + E]."""
    turned = Rotation.from_rotvec(step[:3]).as_matrix() @ taken.camera.rotation
    place, focal = taken.camera.translation + step[3:6], float(taken.camera.focal * np.exp(step[6]))
    return replace(
        taken,
        camera=replace(taken.camera, rotation=turned, translation=place, focal=focal),
        expression=taken.expression + step[POSE:],
    )


def test_slopes_are_those_of_finite_differences():
    model, weights = tiny_model(), np.array([0.3, 0.0, 0.6])
    taken = PhotoFit(camera(0.3, 0.2), weights, 0.0)
    seen = drawn(SHAPES, model, WHO + 0.05, weights, taken.camera)
    slope = slope_of(SHAPES, model, WHO, taken)

    def expected(step):
        person, own = WHO + step[:MODES], step[MODES + HABITS :]
        off = model.person_factor @ step[MODES : MODES + HABITS]
        return off - errors(SHAPES, seen, person, moved_by(taken, own)).reshape(-1)

    size = 1e-6
    steps = size * np.eye(MODES + HABITS + POSE + MOVES)
    difference = np.stack([(expected(step) - expected(-step)) / (2 * size) for step in steps], 1)
    # The frame of the errors turns and grows with the camera, which the slope leaves out: errors are small beside it.
    assert np.abs(slope - difference).max() < 0.02 * np.abs(difference).max()
    assert np.abs(slope - difference)[:, : MODES + HABITS].max() < 1e-5


def test_a_known_head_and_camera_are_found_again():
    model = tiny_model()
    cameras = [camera(0.5, 0.1), camera(-0.4, -0.1, roll=-0.2), camera(0.0, 0.25)]
    weights = [np.array([0.4, 0.1, 0.0]), np.array([0.0, 0.7, 0.2]), np.zeros(3)]
    seen = [drawn(SHAPES, model, WHO, w, c) for w, c in zip(weights, cameras, strict=True)]
    fit = fit_photos(SHAPES, seen, LOOSE, model)
    assert np.abs(fit.coefficients - WHO).max() < 0.05
    for found, by, weight in zip(fit.photos, cameras, weights, strict=True):
        assert np.abs(np.subtract(found.camera.angles(), by.angles())).max() < np.radians(1)
        assert np.abs(found.expression - weight).max() < 0.05


def test_weights_stay_within_their_limits():
    model = tiny_model(spread=np.full(MOVES, 10.0))
    seen = drawn(SHAPES, model, WHO, [1.6, -0.8, 0.5], camera(0.2, 0.0), told=np.zeros(MOVES))
    found = fit_photos(SHAPES, [seen], belief(model, WHO), model).photos[0].expression
    assert found.min() == 0.0 and found.max() == 1.0


def test_a_bounded_solution_is_the_best_of_those_allowed():
    random = np.random.default_rng(3)
    root = random.normal(size=(6, 6))
    normal, gain = root @ root.T + np.eye(6), random.normal(size=6) * 5
    low, high = np.full(6, -0.3), np.full(6, 0.4)
    step = bounded_solution(normal, gain, low, high)
    assert (step >= low).all() and (step <= high).all()
    free = (step > low) & (step < high)
    assert 0 < free.sum() < 6
    assert np.abs((normal @ step - gain)[free]).max() < 1e-9


def test_more_photos_tell_more_of_the_same_person():
    model, random = tiny_model(), np.random.default_rng(5)

    def away(count):
        seen = []
        for azimuth in np.linspace(-0.5, 0.5, count):
            one = drawn(SHAPES, model, WHO, np.zeros(3), camera(azimuth, 0.0))
            noise = random.normal(size=one.landmarks.shape) * [1.0, 1.0, 0.0]
            seen.append(replace(one, landmarks=one.landmarks + noise))
        return np.linalg.norm(fit_photos(SHAPES, seen, belief(model, None), model).coefficients - WHO)

    assert np.mean([away(6) for _ in range(4)]) < 0.8 * np.mean([away(1) for _ in range(4)])


def test_wild_landmarks_hardly_change_the_head():
    model, random = tiny_model(), np.random.default_rng(6)
    seen = [drawn(SHAPES, model, WHO, np.zeros(3), camera(a, 0.0)) for a in (-0.4, 0.4)]
    clean = fit_photos(SHAPES, seen, belief(model, None), model).coefficients
    wild = []
    for one in seen:
        marks = one.landmarks.copy()
        marks[random.choice(POINTS, POINTS // 20, replace=False), :2] += 40.0
        wild.append(replace(one, landmarks=marks))
    assert np.abs(fit_photos(SHAPES, wild, belief(model, None), model).coefficients - clean).max() < 0.25


def test_a_slow_twin_finds_the_same():
    model, weights = tiny_model(), np.array([0.4, 0.2, 0.6])
    clean = drawn(SHAPES, model, WHO, weights, camera(0.3, 0.1), told=np.full(3, 0.3))
    noise = np.random.default_rng(8).normal(size=clean.landmarks.shape) * [0.3, 0.3, 0.0]
    seen, prior = replace(clean, landmarks=clean.landmarks + noise), belief(model, np.zeros(MODES), 2)
    fit = fit_photos(SHAPES, [seen], prior, model)
    begin = fit.photos[0]
    whiten = np.linalg.cholesky(np.linalg.inv(model.photo_factor @ model.photo_factor.T + np.diag(model.variance)))
    turn = (model.turn * np.stack([np.ones(2), turn_of(seen.landmarks, SHAPES.neutral)], 1)).sum(1)

    def distances(x):
        person, photo = Person(x[:MODES], x[MODES : MODES + HABITS]), moved_by(begin, x[MODES + HABITS :])
        usual = view_features(photo.camera.angles()[0]) @ model.bias + model.person_factor @ person.habits
        left = errors(SHAPES, seen, person.coefficients, photo).reshape(-1) - usual
        focal = np.log(photo.camera.focal / (USUAL_FOCAL * max(seen.size))) / FOCAL_SPREAD
        known = np.linalg.cholesky(prior.precision).T @ (person.coefficients - prior.mean)
        turned = (np.array(photo.camera.angles()) - turn) / model.turn_spread
        expression = (photo.expression - seen.expression) / model.spread
        return np.concatenate([whiten.T @ left, known, person.habits, [focal], turned, expression])

    twin = least_squares(distances, np.concatenate([fit.coefficients, np.zeros(HABITS + POSE + MOVES)]))
    assert np.abs(twin.x[:MODES] - fit.coefficients).max() < 0.05
    assert np.abs(twin.x[-MOVES:]).max() < 0.03


def test_a_belief_grows_surer_with_photos():
    model = tiny_model()
    one, five = (np.linalg.inv(belief(model, WHO, count).precision) for count in (1, 5))
    assert np.allclose(one, model.face_person + model.face_photo) and np.trace(five) < np.trace(one)
    assert np.array_equal(belief(model, None).mean, model.mean)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_photos_give_the_same_bytes(seed):
    model = tiny_model(seed)
    seen = [drawn(SHAPES, model, WHO, np.zeros(3), camera(0.2, 0.1))]
    one, two = (fit_photos(SHAPES, seen, belief(model, None), model) for _ in range(2))
    assert one.coefficients.tobytes() == two.coefficients.tobytes()
