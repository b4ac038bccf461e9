"""Eyes and an open mouth are no skin; cheeks are."""

import numpy as np
import pytest

from idto3d.evidence.openings import EYES, LIPS, openings

SHAPE = (200, 240)


def ring(contour, centre, width, height):
    """A contour as an ellipse, its first point on the left."""
    angle = np.pi + 2 * np.pi * np.arange(len(contour)) / len(contour)
    return centre + np.stack([width * np.cos(angle), height * np.sin(angle)], 1) / 2


def face(mouth_open):
    """[478, 2] landmarks of eyes at (80, 80) and (160, 80) and lips at (120, 140); elsewhere they play no part."""
    marks = np.zeros((478, 2))
    marks[list(EYES[0])] = ring(EYES[0], [80, 80], 36, 14)
    marks[list(EYES[1])] = ring(EYES[1], [160, 80], 36, 14)
    marks[list(LIPS)] = ring(LIPS, [120, 140], 50, mouth_open)
    return marks


def at(mask, x, y):
    return mask[y, x]


def test_eyes_and_an_open_mouth_are_left_out_and_cheeks_are_not():
    mask = openings(face(24), SHAPE)
    assert mask.shape == SHAPE and mask.dtype == np.float32 and mask.min() >= 0 and mask.max() <= 1.0001
    assert min(at(mask, 80, 80), at(mask, 160, 80), at(mask, 120, 140)) > 0.99
    assert max(at(mask, 80, 120), at(mask, 160, 120), at(mask, 120, 80), at(mask, 120, 110), at(mask, 10, 10)) < 0.01


def test_the_roots_of_the_lashes_are_left_out_too():
    mask = openings(face(24), SHAPE)
    assert at(mask, 80, 80 - 8) > 0.9 and at(mask, 80, 80 - 14) < 0.1


def test_a_closed_mouth_hides_hardly_anything():
    shut, agape = (openings(face(height), SHAPE)[120:160] for height in (0.0, 24.0))
    assert shut.sum() < 0.25 * agape.sum() and agape.sum() == pytest.approx(np.pi * 25 * 12, rel=0.15)


def test_borders_are_soft():
    mask = openings(face(24), SHAPE)
    assert np.abs(np.diff(mask, axis=0)).max() < 0.9 and ((mask > 0.1) & (mask < 0.9)).any()


def test_a_face_at_the_edge_or_beyond_gives_what_lies_inside():
    shifted = openings(face(24) - [80, 0], SHAPE)
    assert np.allclose(shifted[:, :150], openings(face(24), SHAPE)[:, 80:230], atol=0.02)
    assert not openings(face(24) + [1000, 0], SHAPE).any()
