"""Fine shading as a normal map: none is flat, what is darker lies deeper."""

import numpy as np
import pytest

from idto3d.evidence.relief import raised, relief_map
from idto3d.head.paint.atlas import texels_of

SIZE = 512


@pytest.fixture(scope="module")
def square():
    """Texels of a square that fills the whole texture."""
    corners = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
    faces = np.array([[0, 2, 1], [1, 2, 3]])
    return texels_of(faces, corners[faces], SIZE)


def spot(square, gain, radius=2.0):
    """A colour with one round place in the middle that is `gain` times as bright."""
    away = np.linalg.norm(square.uvs * SIZE - SIZE / 2, axis=1)
    return np.array([0.4, 0.25, 0.2]) * (1 + (gain - 1) * np.exp(-((away / radius) ** 2)))[:, None]


def test_one_colour_is_flat(square):
    assert square.covered.all()
    flat = relief_map(np.full((len(square.uvs), 3), 0.3), square)
    assert flat.dtype == np.uint8 and flat.shape == (SIZE, SIZE, 3)
    assert np.abs(flat.astype(int) - [128, 128, 255]).max() == 0


@pytest.mark.parametrize("gain, sign", [(0.93, 1), (1.07, -1)], ids=["a hollow", "a bump"])
def test_a_dark_dot_is_a_hollow_and_a_bright_one_a_bump(square, gain, sign):
    relief = relief_map(spot(square, gain), square).astype(int) - 128
    middle = SIZE // 2
    left, right, above, below = (
        relief[middle, middle - 2],
        relief[middle, middle + 1],
        relief[middle - 2, middle],
        relief[middle + 1, middle],
    )
    assert sign * left[0] > 3 and sign * right[0] < -3  # the walls of a hollow look to its middle
    assert sign * above[1] < -3 and sign * below[1] > 3  # green is up
    assert abs(left[1]) <= 2 + abs(left[0]) // 2 and relief[10, 10].tolist() == [0, 0, 127]


def test_normals_are_of_length_one(square):
    noise = np.exp(0.05 * np.random.default_rng(0).standard_normal((len(square.uvs), 1)))
    normals = relief_map(np.array([[0.4, 0.25, 0.2]]) * noise, square) / 127.5 - 1
    assert np.allclose(np.linalg.norm(normals, axis=-1), 1, atol=0.02)
    assert normals[..., :2].std() > 0.02


def test_a_hair_is_no_deeper_than_a_wrinkle(square):
    hair, hole = (relief_map(spot(square, gain), square).astype(int) for gain in (0.2, 0.02))
    assert np.abs(hair - hole).max() < 20 and hair[..., 2].min() > 220


def test_a_broad_shade_is_no_relief(square):
    across = np.array([[0.4, 0.25, 0.2]]) * (0.5 + square.uvs[:, :1])
    relief = relief_map(across, square).astype(int)
    assert np.abs(relief[20:-20, 20:-20] - [128, 128, 255]).max() <= 1


def test_a_carved_line_is_a_valley_with_a_slope_on_either_side(square):
    across = np.abs(square.uvs[:, 0] - 0.5) < 0.6 / len(square.covered)
    flat = np.full((len(square.uvs), 3), 0.3)
    slopes = relief_map(flat, square, across.astype(float)).astype(int) - 128
    row, middle = len(square.covered) // 2, len(square.covered) // 2
    assert slopes[row, middle - 2 : middle + 2, 0].max() > 5 and slopes[row, middle - 2 : middle + 2, 0].min() < -5
    assert np.abs(slopes[row, : middle - 4, 0]).max() <= 1


def test_where_the_colour_tells_of_no_depth_there_is_none(square):
    left = (square.uvs[:, 0] < 0.5).astype(float)
    spots = np.array([[0.4, 0.25, 0.2]]) * np.random.default_rng(0).uniform(0.9, 1.1, (len(square.uvs), 1))
    relief = relief_map(spots, square, share=left).astype(int) - (128, 128, 255)
    assert np.abs(relief[:, 260:]).max() == 0 and np.abs(relief[:, :250]).max() > 4


def test_what_rises_adds_its_slopes_to_those_that_are_there():
    height = np.tile(0.5 * np.arange(8.0), (8, 1))  # half a texel a texel, to the right
    once = raised(None, height)
    np.testing.assert_allclose(once[4, 4] / 127.5 - 1, np.array([-0.5, 0, 1]) / np.hypot(0.5, 1), atol=0.01)
    twice = raised(once, height)
    np.testing.assert_allclose(twice[4, 4] / 127.5 - 1, np.array([-1, 0, 1]) / np.hypot(1, 1), atol=0.02)
    assert np.abs(raised(once, 0 * height).astype(int) - once).max() <= 1
