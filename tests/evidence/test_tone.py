"""Tints that skin has stay; those that only lamps have go."""

import numpy as np
import pytest

from idto3d.evidence.tone import LEFT, TRUSTED, USUAL, tint_gains
from idto3d.head.skin import skin_colour


def tint(colour):
    logs = np.log(colour)
    return logs - logs.mean()


def off_skin(colour):
    """How far the tint lies from the nearest that skin has."""
    melanin, redness = np.meshgrid(np.linspace(0.02, 0.95, 60), np.linspace(0, 1, 60))
    usual = np.log(skin_colour(melanin, redness)).reshape(-1, 3).astype(float)
    return np.linalg.norm(usual - usual.mean(1, keepdims=True) - tint(colour), axis=1).min()


@pytest.mark.parametrize("melanin", [0.05, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("redness", [0.1, 0.5, 0.9])
def test_the_tint_of_skin_stays(melanin, redness):
    own = skin_colour(melanin, redness)
    assert np.allclose(tint_gains(own, own), 1, atol=0.01)


@pytest.mark.parametrize("cast", [(0.7, 0.9, 1.6), (0.8, 1.4, 0.8), (1.3, 0.7, 1.2)], ids=["blue", "green", "purple"])
def test_a_cast_comes_near_the_tints_of_skin(cast):
    usual = skin_colour(0.3, 0.4)
    seen = usual * np.array(cast)
    before, after = off_skin(seen), off_skin(seen * tint_gains(seen, usual))
    left = TRUSTED + LEFT * (before - TRUSTED)
    assert before > 0.25
    assert 0.02 < after < left + 0.02


def test_a_tint_is_drawn_a_little_to_the_usual_one():
    seen, usual = skin_colour(0.1, 0.1), skin_colour(0.6, 0.9)
    moved = tint(seen * tint_gains(seen, usual)) - tint(seen)
    assert np.allclose(moved, USUAL * (tint(usual) - tint(seen)), atol=0.02)


def test_a_small_difference_is_the_persons_own():
    seen = skin_colour(0.02, 0.0) * np.array([0.98, 1.03, 0.98])
    assert 0.02 < off_skin(seen) < TRUSTED and np.allclose(tint_gains(seen, seen), 1)


def test_gains_change_the_tint_and_not_the_brightness():
    for seen in np.random.default_rng(0).uniform(0.02, 0.9, (20, 3)):
        gains = tint_gains(seen, skin_colour(0.3, 0.5))
        assert np.log(gains).mean() == pytest.approx(0, abs=1e-6)
        assert np.allclose(tint_gains(3 * seen, skin_colour(0.3, 0.5)), gains, atol=0.01)
