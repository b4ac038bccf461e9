"""Shadows, shine and creases go from skin; lips, brows and moles stay as they are against what is around them."""

import numpy as np
import pytest
from evidence.ball import make_ball

from idto3d.evidence.light import creases, light_left

BALL = make_ball()
PLACES = BALL.vertices
ALL = np.ones(len(PLACES))
NOWHERE = np.zeros(len(PLACES))


def left_of(off, say=ALL, creased=NOWHERE):
    return light_left(off, say, creased, PLACES, BALL.faces)


def grey(values):
    return np.repeat(values[:, None], 3, 1)


def within(metres, x=0.0):
    """[V] 1 within that distance of a line down the front."""
    return ((np.abs(PLACES[:, 0] - x) < metres) & (PLACES[:, 2] > 0)).astype(float)


def test_a_broad_shade_is_lights_and_a_narrow_one_is_the_skins():
    broad, narrow = grey(-0.5 * PLACES[:, 0] / 0.1), grey(-0.5 * within(0.003))
    assert (broad - left_of(broad)).std() < 0.2 * broad.std()
    kept = narrow - left_of(narrow)
    assert kept[within(0.003) > 0].mean() < 0.5 * -0.5


def test_of_a_tint_less_is_taken_than_of_a_shade():
    tinted = PLACES[:, :1] / 0.1 * np.array([0.3, 0.0, -0.3])
    taken, shade = left_of(tinted), left_of(grey(PLACES[:, 0] / 0.1 * 0.3))
    assert 0.4 < taken[:, 0].std() / tinted[:, 0].std() < shade.std() / grey(PLACES[:, 0] / 0.1 * 0.3).std()


def test_what_is_no_plain_skin_keeps_its_contrast_and_loses_the_shade_it_lies_in():
    patch = (np.linalg.norm(PLACES - [0, 0, 0.1], axis=1) < 0.015).astype(float)
    off = grey(-0.4 * (PLACES[:, 1] < 0.05) - 1.0 * patch)
    left = left_of(off, 1 - patch)[patch > 0]
    assert -0.45 < left.mean() < -0.25  # the shade, and nothing of the patch


def test_where_skin_is_creased_even_a_narrow_line_goes():
    line = grey(-0.5 * within(0.006))
    on = within(0.006) > 0
    plain, creased = ((line - left_of(line, creased=where))[on].mean() for where in (NOWHERE, within(0.02)))
    assert creased > 0.5 * plain and creased > -0.15


def test_pressed_skin_creases_and_stretched_or_turned_skin_does_not():
    turn = np.array([[0.8, 0, 0.6], [0, 1, 0], [-0.6, 0, 0.8]])
    assert np.abs(creases(PLACES, PLACES @ turn.T, BALL.faces)).max() < 1e-6
    assert creases(PLACES, PLACES * [1.0, 1.3, 1.0], BALL.faces).max() < 1e-6
    pressed = creases(PLACES, PLACES * [1.0, 0.75, 1.0], BALL.faces)
    upright = np.abs(PLACES[:, 1]) < 0.03
    assert pressed[upright].min() == pytest.approx(1) and pressed.min() < 1
