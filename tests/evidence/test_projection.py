"""A ball that a known camera sees: the texels that face it take its colours, hidden and averted ones nothing."""

from dataclasses import replace

import numpy as np
import pytest
from evidence.ball import RADIUS, make_ball

from idto3d.evidence.camera import PhotoCamera
from idto3d.evidence.projection import FACING, GRAZING, Posed, View, look, ramp, read_pixels
from idto3d.evidence.warp import warp_between

AWAY = 0.6  # metres between the camera and the middle of the ball
SIZE = (200, 240)  # rows and columns of the photo
CAMERA = PhotoCamera(np.eye(3), np.array([0.0, 0.0, -AWAY]), 400.0, np.array([120.0, 100.0]))
PLACES = np.random.default_rng(0).uniform([60, 40], [180, 160], (60, 2))
BALL = make_ball()


def everywhere(places):
    return np.tile([1.0, 0.0], (len(places), 1))


NOTHING = np.zeros((0, 3)), np.zeros((0, 3), int)


def posed(extra=NOTHING[0], faces=NOTHING[1]):
    """The ball, and what stands before it."""
    return Posed(
        np.concatenate([BALL.vertices, extra]),
        np.concatenate([BALL.normals, np.tile([0.0, 0, 1], (len(extra), 1))]),
        np.concatenate([BALL.faces, faces + len(BALL.vertices)]),
        np.concatenate([BALL.vertices[:, 1] > 0, np.zeros(len(extra))]).astype(float),
    )


def view(camera=CAMERA, shift=(0.0, 0.0)):
    return View(camera, warp_between(PLACES, PLACES + shift))


@pytest.fixture(scope="module")
def pixels():
    """[H, W, 3]: red tells the column, green the row."""
    rows, columns = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5, indexing="ij")
    return np.stack([columns / SIZE[1], rows / SIZE[0], np.full(SIZE, 0.5)], -1)


@pytest.fixture(scope="module")
def texels():
    return BALL.skin_map(96).texels


@pytest.fixture(scope="module")
def points(texels):
    return texels.read(BALL.vertices)


@pytest.fixture(scope="module")
def facing(points):
    """[N] cosine to the camera."""
    towards = [0, 0, AWAY] - points
    return (points * towards).sum(1) / np.linalg.norm(points, axis=1) / np.linalg.norm(towards, axis=1)


def column(points):
    """The column of the photo that shows each point, by the pinhole's own formula."""
    return 120 + 400 * points[:, 0] / (AWAY - points[:, 2])


def test_texels_that_face_the_camera_take_its_colours(pixels, texels, points, facing):
    seen = look(pixels, everywhere, view(), posed(), texels)
    full = facing > FACING + 0.01
    assert full.sum() > 500 and seen.share[full].min() > 0.999
    row = 100 - 400 * points[:, 1] / (AWAY - points[:, 2])
    expected = np.stack([column(points) / SIZE[1], row / SIZE[0], np.full(len(points), 0.5)], 1)
    assert np.abs(seen.colours[full] - expected[full]).max() < 2e-3
    assert np.abs(seen.normals - points / np.linalg.norm(points, axis=1, keepdims=True)).max() < 0.01


def test_averted_texels_have_no_share_and_grazed_ones_a_part(pixels, texels, facing):
    share = look(pixels, everywhere, view(), posed(), texels).share
    assert share[facing < GRAZING - 0.01].max() == 0
    between = (facing > GRAZING + 0.1) & (facing < FACING - 0.1)
    assert share[between].min() > 0 and share[between].max() < 1
    assert np.corrcoef(share[between], facing[between])[0, 1] > 0.98


def test_what_stands_before_it_hides_it(pixels, texels, points, facing):
    board = np.array([[0.0, -0.2, 0.12], [0.2, -0.2, 0.12], [0.0, 0.2, 0.12], [0.2, 0.2, 0.12]])
    hidden = look(pixels, everywhere, view(), posed(board, np.array([[0, 1, 2], [2, 1, 3]])), texels)
    free = look(pixels, everywhere, view(), posed(), texels)
    behind, clear = points[:, 0] > 0.004, points[:, 0] < -0.004
    assert (free.share[behind] > 0).sum() > 200 and hidden.share[behind].max() == 0
    assert np.array_equal(hidden.share[clear], free.share[clear])
    assert np.array_equal(hidden.colours[clear], free.colours[clear])


def test_only_what_the_mask_allows_is_taken(pixels, texels, points, facing):
    half = look(pixels, lambda places: (places[:, :1] < 120) * [0.5, 0.3], view(), posed(), texels)
    full, left = facing > FACING + 0.01, column(points) < 120
    assert half.share[~left].max() == 0 and np.allclose(half.share[full & left], 0.5)
    assert half.grown[~left].max() == 0 and np.allclose(half.grown[full & left], 0.3)


def test_a_look_knows_where_skin_is_folded_and_how_many_pixels_show_it(pixels, texels, points, facing):
    seen = look(pixels, everywhere, view(), posed(), texels)
    assert seen.creased[points[:, 1] > 0.01].min() > 0.999 and seen.creased[points[:, 1] < -0.01].max() == 0
    middle = facing > 0.99
    assert np.allclose(seen.density[middle], 400 / (AWAY - RADIUS), rtol=0.02)
    assert np.corrcoef(seen.density[facing > 0.1], facing[facing > 0.1])[0, 1] > 0.99


def test_what_lies_beyond_the_photo_is_not_seen(pixels, texels, points, facing):
    aside = look(pixels, everywhere, view(replace(CAMERA, centre=np.array([0.0, 100.0]))), posed(), texels)
    full, inside = facing > FACING + 0.01, column(points) > 120
    assert aside.share[~inside].max() == 0 and aside.share[full & (column(points) > 128)].min() > 0.999
    border = full & inside & (column(points) < 123)
    assert border.any() and 0 < aside.share[border].mean() < 0.5  # no seam where a photo ends


def test_the_last_pixels_of_correction_move_what_is_read(pixels, texels, facing):
    plain, moved = (look(pixels, everywhere, view(shift=shift), posed(), texels) for shift in ((0, 0), (6.0, 0)))
    middle = facing > 0.95
    assert np.allclose((moved.colours - plain.colours)[middle, 0], 6 / SIZE[1], atol=1e-3)


def test_a_turned_camera_sees_the_other_side(pixels, texels, points):
    turn = np.diag([-1.0, 1.0, -1.0])  # half a turn about +Y
    behind = PhotoCamera(turn, CAMERA.translation, CAMERA.focal, CAMERA.centre)
    seen = look(pixels, everywhere, view(behind), posed(), texels)
    assert seen.share[points[:, 2] > 0].max() == 0 and seen.share[points[:, 2] < -0.9 * RADIUS].min() > 0.999


def test_between_pixels_values_are_bilinear():
    values = read_pixels(np.arange(6.0).reshape(2, 3, 1), np.array([[0.5, 0.5], [1.0, 0.5], [1.5, 1.0], [9.0, 9.0]]))
    assert values[:, 0].tolist() == [0, 0.5, 2.5, 5]


def test_a_ramp_is_flat_outside_and_symmetric():
    values = ramp(np.array([-1.0, 0.2, 0.35, 0.5, 0.65, 0.8, 2.0]), 0.2, 0.8)
    assert values[[0, 1, 3, 5, 6]].tolist() == pytest.approx([0, 0, 0.5, 1, 1])
    assert values[2] + values[4] == pytest.approx(1)
