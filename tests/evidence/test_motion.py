"""Turns, strengths and smoothing of a clip, where the truth is known."""

import numpy as np
import pytest

from idto3d.bundle.layout import LANDMARK_MODEL_FILE, TEMPLATE_FILE
from idto3d.config import EMBEDDED, AnimateOptions
from idto3d.evidence.landmark_model import load_landmark_model
from idto3d.evidence.motion.pose import poses_of, rotations
from idto3d.evidence.motion.reading import track_of
from idto3d.evidence.motion.smooth import led_over, smoothed
from idto3d.evidence.motion.strengths import READ_AT_MOST, basis_of
from idto3d.evidence.shapes import shapes_of
from idto3d.head.template_file import load_template
from idto3d.subject.face_points import BLENDSHAPES
from idto3d.subject.landmarks import Landmarks

FPS = 25.0
PIXELS = 2000.0  # of a metre


@pytest.fixture(scope="module")
def known():
    """The embedded template, what is known of landmarks, and the template at them."""
    template, model = load_template(EMBEDDED / TEMPLATE_FILE), load_landmark_model(EMBEDDED / LANDMARK_MODEL_FILE)
    return template, model, shapes_of(template, model)


def pictured(points: np.ndarray, turns: np.ndarray) -> np.ndarray:
    """Landmarks [T, L, 3] pixels, as the network has them, of heads `points` [T, L, 3] turned by `turns` [T, 3]."""
    seen = np.einsum("trc,tlc->tlr", rotations(turns), points)
    return PIXELS * seen * [1, -1, -1] + [320, 240, 0]


def true_of(model, turns: np.ndarray) -> np.ndarray:
    """What the model makes of turns that the landmarks show exactly."""
    (azimuth, by_azimuth), (elevation, by_elevation) = model.turn
    return turns * [by_azimuth, by_elevation, 1] + [-azimuth, elevation, 0]


def test_a_head_is_found_as_it_is_turned(known):
    _, model, shapes = known
    turns = np.radians([[0, 0, 0], [30, 0, 0], [0, 15, 0], [0, 0, 20], [-25, -10, 12]])
    poses = poses_of(pictured(np.stack([shapes.neutral] * 5), turns), shapes.neutral, model)
    assert np.allclose(poses.turns, true_of(model, turns), atol=1e-6)
    assert np.allclose(poses.upright, shapes.neutral, atol=1e-9), "landmarks are turned back and have their size"


def clip_of(known, weights: dict, count=40):
    """A clip in which expressions rise and fall, and how strongly; landmarks and network show as much as they do."""
    template, _, shapes = known
    curve = np.sin(np.linspace(0, 2 * np.pi, count)).clip(0)
    basis = basis_of(shapes, template.shapes)
    strengths = np.zeros((count, len(BLENDSHAPES)))
    for name, height in weights.items():
        strengths[:, BLENDSHAPES.index(name)] = height * curve
    shown = strengths * [READ_AT_MOST.get(name, 1.0) for name in BLENDSHAPES]
    points = pictured(shapes.neutral + np.einsum("lck,tk->tlc", basis, shown), np.zeros((count, 3)))
    rows = zip(points, shown, strict=True)
    seen = [Landmarks(place.astype(np.float32), 1.0, row.astype(np.float32)) for place, row in rows]
    return seen, strengths


STILL = AnimateOptions(smoothing=0)


BROWS = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")


@pytest.mark.parametrize("names", [("jawOpen",), ("mouthSmileLeft",), BROWS, ("eyeBlinkRight",), ("mouthPucker",)])
def test_what_network_and_landmarks_say_together_is_the_strength(known, names):
    template, model, _ = known
    seen, true = clip_of(known, dict.fromkeys(names, 0.8))
    track = track_of(seen, FPS, template, model, STILL)
    moving = [BLENDSHAPES.index(name) for name in names]
    assert abs(track.weights - true)[:, moving].max() < 0.15
    assert np.delete(track.weights, moving, 1).max() < 0.3


def test_one_brow_may_be_raised_alone_and_is_raised_less(known):
    """Both brows mostly move as one, and what is read is drawn towards that, but not all the way."""
    template, model, _ = known
    seen, _ = clip_of(known, {"browOuterUpLeft": 0.8})
    left, right = (
        track_of(seen, FPS, template, model, STILL).weights[:, BLENDSHAPES.index(name)] for name in BROWS[1:]
    )
    assert left.max() > 0.4 and left.max() > right.max() + 0.2


def test_a_face_that_always_looks_so_is_at_rest(known):
    """What the network reads in a resting face, and where its landmarks are, is nothing that it does."""
    template, model, _ = known
    seen, _ = clip_of(known, {})
    odd = [Landmarks(one.points * [1.04, 0.97, 1], 1.0, one.expression + 0.3) for one in seen]
    assert track_of(odd, FPS, template, model, STILL).weights.max() < 0.02


def test_who_always_smiles_does_so_and_nothing_else(known):
    """Of what a face shows all the time distances say nothing: they must not be made up for by other movements."""
    template, model, _ = known
    seen, _ = clip_of(known, {})
    smiling = np.isin(BLENDSHAPES, ("mouthSmileLeft", "mouthSmileRight"))
    always = [Landmarks(one.points, 1.0, np.float32(0.7) * smiling) for one in seen]
    weights = track_of(always, FPS, template, model, STILL).weights
    assert weights[:, smiling].min() > 0.3 and weights[:, ~smiling].max() < 0.05


def test_strength_and_turn_are_factors(known):
    template, model, _ = known
    seen, _ = clip_of(known, {"jawOpen": 0.4})
    whole, double = (track_of(seen, FPS, template, model, AnimateOptions(strength=k, smoothing=0)) for k in (1, 2))
    assert np.allclose(double.weights, np.clip(2 * whole.weights, 0, 1))
    still = track_of(seen, FPS, template, model, AnimateOptions(turn=0))
    assert not still.turns.any()


def test_a_lost_face_moves_on_evenly(known):
    template, model, _ = known
    seen, true = clip_of(known, {"jawOpen": 0.8})
    gone = [None if 8 <= number < 12 else one for number, one in enumerate(seen)]
    track = track_of(gone, FPS, template, model, STILL)
    assert track.seen.sum() == 36 and len(track.weights) == 40
    assert abs(track.weights[:, BLENDSHAPES.index("jawOpen")] - true[:, BLENDSHAPES.index("jawOpen")]).max() < 0.15


def test_values_lead_over_what_is_not_known():
    values = np.array([[0.0], [9.0], [9.0], [3.0], [9.0]])
    known = np.array([True, False, False, True, False])
    assert led_over(values, known)[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 3.0]


def test_smoothing_takes_the_tremble_and_neither_lags_nor_loses_a_blink():
    time = np.arange(100) / FPS
    tremble = 0.03 * np.random.default_rng(0).standard_normal((100, 1))
    assert smoothed(tremble, FPS, 0.5, 2.0).std() < 0.6 * tremble.std()
    assert np.array_equal(smoothed(tremble, FPS, 0, 2.0), tremble)
    slow = np.exp(-(((time - 2) / 0.4) ** 2))[:, None]
    assert abs(np.argmax(smoothed(slow, FPS, 0.5, 2.0)) - np.argmax(slow)) <= 1
    blink = np.exp(-(((time - 2) / 0.08) ** 2))[:, None]
    assert smoothed(blink, FPS, 0.5, 2.0).max() > 0.75
    assert smoothed(blink, FPS, 1.0, 2.0).max() < smoothed(blink, FPS, 0.5, 2.0).max()
