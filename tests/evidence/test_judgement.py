"""What a fit says of photos, and what a landmark model keeps in its file."""

import numpy as np
import pytest

from idto3d.errors import UserError
from idto3d.evidence.fit import Fit
from idto3d.evidence.judgement import MOST, misfits, resting
from idto3d.evidence.landmark_model import load_landmark_model, save_landmark_model
from idto3d.evidence.normal_equations import PhotoFit
from idto3d.evidence.shapes import as_shapes
from idto3d.head.template import EXPRESSIONS
from idto3d.subject.face_points import BLENDSHAPES
from tests.evidence.tiny_template import MOVES, camera, tiny_model


def fit_of(*blinks, error=0.001) -> Fit:
    """A fit of photos whose lids are closed by `blinks`, and whose mouth smiles."""
    photos = []
    for blink in blinks:
        weights = np.zeros(len(EXPRESSIONS))
        for name, amount in (("eyeBlink_L", blink), ("eyeBlink_R", blink), ("mouthSmile_L", 0.7)):
            weights[EXPRESSIONS.index(name)] = amount
        photos.append(PhotoFit(camera(0.0, 0.0), weights, error))
    return Fit(np.zeros(4), tuple(photos))


def test_photos_that_no_head_explains_are_named():
    model = tiny_model()
    good, bad = fit_of(0.0, error=0.004).photos[0], fit_of(0.0, error=0.006).photos[0]
    assert misfits(Fit(np.zeros(4), (good, bad, good)), model) == (1,)


def test_lids_that_hang_in_many_photos_hang_at_rest():
    found = resting(fit_of(*[0.2] * 8), EXPRESSIONS)
    left, right = (found[EXPRESSIONS.index(f"eyeBlink_{side}")] for side in "LR")
    assert left == right and 0.15 < left < 0.2


def test_a_trace_of_a_usual_smile_stays_the_same_on_both_sides():
    smile = [EXPRESSIONS.index(f"mouthSmile_{side}") for side in "LR"]
    assert resting(fit_of(0.2), EXPRESSIONS)[smile] == pytest.approx(0.07)  # a fifth of the mean of 0.7 and none


def test_one_photo_says_less_of_lids_than_many_and_never_much():
    blink = EXPRESSIONS.index("eyeBlink_L")
    assert resting(fit_of(0.2), EXPRESSIONS)[blink] == pytest.approx(0.1)
    assert resting(fit_of(*[0.45] * 9), EXPRESSIONS)[blink] == MOST


def test_closed_eyes_say_nothing_of_open_ones():
    assert not resting(fit_of(0.9, 1.0), EXPRESSIONS)[EXPRESSIONS.index("eyeBlink_L")]
    assert resting(fit_of(0.1, 0.1, 0.9, 0.9, 1.0), EXPRESSIONS)[EXPRESSIONS.index("eyeBlink_L")] < 0.1


def test_apple_names_reach_both_sides_where_apple_has_none():
    told = np.zeros(len(BLENDSHAPES))
    told[[BLENDSHAPES.index(name) for name in ("cheekPuff", "jawLeft", "eyeBlinkRight")]] = 0.5, 0.25, 1.0
    named = {name: weight for name, weight in zip(EXPRESSIONS, as_shapes(told, EXPRESSIONS), strict=True) if weight}
    assert named == {"cheekPuff_L": 0.5, "cheekPuff_R": 0.5, "jawLeft": 0.25, "eyeBlink_R": 1.0}


def test_expected_weights_begin_at_the_usual_and_stay_within_limits():
    model = tiny_model(usual=np.full(MOVES, 0.2), slope=np.array([1.0, 0.0, 2.0]))
    assert np.allclose(model.expected_weights(np.array([0.5, 0.5, 0.9])), [0.3, 0.0, 1.0])
    assert np.array_equal(model.expected_weights(np.full(MOVES, 0.1)), np.zeros(MOVES))


def test_a_model_comes_back_from_its_file(tmp_path):
    model = tiny_model()
    back = load_landmark_model(save_landmark_model(model, tmp_path / "model.safetensors", {"people": 3}))
    assert np.array_equal(back.vertices, model.vertices) and np.allclose(back.bias, model.bias, atol=1e-9)


def test_a_damaged_model_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(UserError):
        load_landmark_model(path)
