"""Whether a face embedding is like those of drawn portraits, and what a fit then makes of it."""

import numpy as np

from idto3d.evidence.fit import FOREIGN, OWN, RECOGNITION, belief, familiarity, fit_photos
from tests.evidence.tiny_template import MODES, camera, drawn, tiny_model, tiny_shapes

USUAL = np.eye(RECOGNITION + 4)[0]
WHO = np.array([0.8, -1.1, 0.4, 0.9])


def face(distance: float) -> np.ndarray:
    """An embedding whose recognition part lies so far from the usual one, and some numbers more."""
    cosine = 1 - distance**2 / 2
    whole = np.zeros(RECOGNITION + 4)
    whole[:2], whole[RECOGNITION:] = [cosine, np.sqrt(1 - cosine**2)], 0.3
    return 0.8 * whole


def test_a_face_is_the_less_familiar_the_farther_it_lies_from_the_portraits():
    assert familiarity(face(0.0), USUAL) == familiarity(face(0.99 * OWN), USUAL) == 1.0
    assert familiarity(face(1.01 * FOREIGN), USUAL) == familiarity(face(1.0), USUAL) == 0.0
    assert abs(familiarity(face((OWN + FOREIGN) / 2), USUAL) - 0.5) < 0.01


def test_a_familiar_face_is_judged_as_portraits_are():
    model = tiny_model()
    same = model.like_portraits(1.0)
    assert all(np.array_equal(value, getattr(same, name)) for name, value in vars(model).items())
    one, other = belief(model, WHO, 2), belief(model, WHO, 2, 1.0)
    assert np.array_equal(one.precision, other.precision) and one.familiar == 1.0


def test_a_strange_face_is_drawn_to_nobody_and_its_landmarks_count_more():
    model = tiny_model(pull=np.ones((80, MODES)))
    strange = model.like_portraits(0.0)
    assert not strange.pull.any() and (strange.variance < model.variance).all()
    assert (np.abs(strange.person_factor) <= np.abs(model.person_factor)).all()
    assert np.allclose(np.linalg.inv(belief(model, WHO, 1, 0.0).precision), model.covariance)


def test_landmarks_correct_an_embedding_that_takes_a_strange_face_for_another():
    pull = np.random.default_rng(4).normal(size=(80, MODES)) * 0.001  # which only drawn faces are subject to
    model, shapes = tiny_model(pull=pull), tiny_shapes()
    seen = drawn(shapes, model, WHO, np.zeros(3), camera(0.2, 0.1))
    sure, open_minded = (fit_photos(shapes, [seen], belief(model, -WHO, 1, share), model) for share in (1.0, 0.0))
    away = [np.linalg.norm(fit.coefficients - WHO) for fit in (sure, open_minded)]
    assert away[1] < 0.2 * away[0]
