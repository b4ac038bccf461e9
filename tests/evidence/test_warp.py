"""The last pixels: landmarks meet, between them the shift is smooth, far away there is none."""

import numpy as np
import pytest

from idto3d.evidence.warp import warp_between


@pytest.fixture(scope="module")
def drawn():
    """[400, 2] places over a face of 200 by 240 pixels."""
    rows, columns = np.meshgrid(np.linspace(60, 300, 20), np.linspace(100, 300, 20), indexing="ij")
    return np.stack([columns, rows], -1).reshape(-1, 2)


def test_landmarks_meet_where_they_move_alike(drawn):
    found = drawn + [3.0, -2.0]
    warp = warp_between(drawn, found)
    assert np.abs(warp(drawn) - found).max() < 0.1


def test_a_smooth_change_is_followed_between_the_landmarks(drawn):
    def bent(places):
        return places + 4 * np.stack([np.sin(places[:, 1] / 80), np.cos(places[:, 0] / 80)], 1)

    warp = warp_between(drawn, bent(drawn))
    between = np.random.default_rng(0).uniform([120, 80], [280, 280], (200, 2))
    assert np.abs(warp(between) - bent(between)).max() < 0.5


def test_landmarks_that_are_a_little_wrong_do_not_fold_the_picture(drawn):
    found = drawn + np.random.default_rng(0).normal(0, 1, drawn.shape)
    found[210] += [5, 0]  # half the distance of two landmarks
    line = np.stack([np.linspace(100, 300, 400), np.full(400, drawn[210, 1])], 1)
    warp = warp_between(drawn, found)
    assert (np.diff(warp(line)[:, 0]) > 0).all()
    assert np.abs(warp(drawn) - found).mean() < 0.5


def test_far_from_the_face_nothing_moves(drawn):
    warp = warp_between(drawn, drawn + [5.0, 5.0])
    far = np.array([[-50.0, 180.0], [200.0, 600.0], [1000.0, 1000.0]])
    assert np.array_equal(warp(far), far)
    halfway = warp(np.array([[300 + 0.3 * 200, 180.0]])) - [360.0, 180.0]
    assert np.allclose(halfway, 2.5, atol=0.3)
