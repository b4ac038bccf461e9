"""What counts as hair in a photo, which way it hung there, and the strands that are drawn along a flow."""

import math

import numpy as np
import pytest
from head.round_head import round_head, still

from idto3d.head.hair.seen.flow import strands_along
from idto3d.head.hair.seen.grow import hair_of_photos
from idto3d.head.hair.seen.mask import own_hair
from idto3d.head.hair.seen.outline import measure_fall
from idto3d.head.hair.seen.view import HairView
from idto3d.render.camera import standard_cameras

SIZE = 128
HAIR, SKIN, SHIRT, WASHED_OUT = (50, 30, 20), (200, 150, 130), (120, 120, 130), (250, 245, 240)


@pytest.fixture
def photo():
    """A picture with dark hair above skin: its pixels, the shares of hair and skin, and places on the scalp."""
    picture = np.full((SIZE, SIZE, 3), 90.0)
    hair, skin = np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))
    hair[20:50, 40:90], skin[50:90, 45:85] = 1, 1
    picture[hair > 0], picture[skin > 0] = HAIR, SKIN
    picture += np.random.default_rng(0).normal(0, 4, picture.shape)
    x, y = np.meshgrid(np.arange(44, 88, 3), np.arange(26, 48, 3))
    return picture, hair, skin, np.stack([x.ravel(), y.ravel()], -1)


def test_all_of_a_plain_photo_s_hair_is_its_own(photo):
    assert np.abs(own_hair(*photo) - photo[1]).sum() < 0.02 * photo[1].sum()


def test_a_washed_out_forehead_is_no_hair(photo):
    picture, hair, skin, scalp = photo
    picture[40:50, 50:80] = WASHED_OUT
    own = own_hair(picture, hair, skin, scalp)
    assert own[42:50, 52:78].max() < 0.1 and own[22:34, 42:88].min() > 0.9


def test_a_collar_that_hangs_together_with_hair_is_none_of_it(photo):
    picture, hair, skin, scalp = photo
    hair[50:100, 90:100], hair[88:110, 30:100] = 1, 1
    picture[50:88, 90:100], picture[88:110, 30:100] = HAIR, SHIRT
    own = own_hair(picture, hair, skin, scalp)
    assert own[94:106, 36:94].max() < 0.1 and own[22:48, 42:88].min() > 0.9


def test_what_does_not_touch_the_scalp_is_none_of_its_hair(photo):
    picture, hair, skin, scalp = photo
    hair[100:120, 30:60], picture[100:120, 30:60] = 1, HAIR
    assert own_hair(picture, hair, skin, scalp)[100:120, 30:60].max() == 0


def tilted(degrees: float) -> HairView:
    """A head tilted to its right, with hair that hangs straight down in the picture on both sides of the face."""
    size, focal = 256, 800.0
    turn = math.radians(degrees)
    rotation = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    c2w = np.eye(4)
    c2w[:3, :3], c2w[:3, 3] = rotation, rotation @ [0, 0, 2.0]
    y, x = np.mgrid[0:size, 0:size] + 0.5
    right, up = (x - 128) / focal * 2, (128 - y) / focal * 2
    hair = (np.hypot(right, np.maximum(up - 0.03, 0)) < 0.11) & (up > -0.16)
    hair &= ~((np.abs(right) < 0.06) & (up < 0.06))
    colour = np.repeat(np.where(hair, 0.2, 0.7)[..., None], 3, -1)
    return HairView(colour, hair * 1.0, hair * 1.0, c2w, focal, (128.0, 128.0))


@pytest.mark.parametrize("degrees", [0.0, 20.0, -20.0])
def test_hair_of_a_tilted_head_hangs_evenly(degrees):
    fall = measure_fall(tilted(degrees), -0.21, -0.005)
    low = (fall.heights > -0.12) & (fall.heights < -0.06)
    assert np.abs(fall.left[low] - fall.right[low]).max() < 0.045
    assert np.abs(fall.right[low] - 0.11).max() < 0.03


def test_strands_that_fell_in_the_picture_fall_on_the_upright_head():
    view, low = tilted(20.0), np.array([[0.1, -0.1, -0.01]])
    fell = -view.c2w[:3, 1][None]
    assert np.abs(view.upright(low, fell) - [0, -1, 0]).max() < 1e-9
    step = view.hanging(low + [0, -0.01, 0]) - view.hanging(low)
    assert abs(step[0] @ view.c2w[:3, 0]) < 1e-9  # straight down in the picture


def test_a_fringe_thins_out_towards_its_rim():
    head = round_head()
    c2w = standard_cameras(0.0, 0.0).c2w[0].double().numpy()
    focal = 256 / 2 / math.tan(math.radians(20))
    view = HairView(np.full((256, 256, 3), 0.2), np.zeros((256, 256)), np.ones((256, 256)), c2w, focal, (128.0, 128.0))
    pixels, _ = view.project(np.array([[-0.085, 0.165, 0.0], [0.085, 0.06, 0.09]]))
    (left, top), (right, bottom) = pixels.astype(int)
    mask = view.hair.copy()
    mask[top:bottom, left:right] = 1
    hair = hair_of_photos(head, [HairView(view.colour, mask, view.head, c2w, focal, view.centre)], 256, 0, still())
    points = hair.part.vertices.numpy()
    front = points[(np.abs(points[:, 0]) < 0.03) & (points[:, 2] > 0.06)]
    off = np.array([np.linalg.norm(head.vertices - point, axis=1).min() for point in front])
    rim = front[:, 1] < 0.068
    assert rim.any() and off[rim].max() < 0.009


def test_strands_follow_their_flow():
    flow = np.zeros((96, 128, 2)) + [math.cos(0.6), math.sin(0.6)]
    for picture in strands_along(flow, np.random.default_rng(0)):
        assert abs(picture.mean()) < 1e-6 and picture.std() == pytest.approx(1, abs=1e-6)
        inner = picture[24:-24, 24:-24]
        dy, dx = np.gradient(inner)
        along, across = dx * math.cos(0.6) + dy * math.sin(0.6), dy * math.cos(0.6) - dx * math.sin(0.6)
        assert np.abs(across).mean() > 2.5 * np.abs(along).mean()


def test_strands_are_as_strong_where_they_cover_a_part_of_the_picture():
    flow = np.zeros((96, 128, 2)) + [1.0, 0.0]
    flow[:48] = 0
    for picture in strands_along(flow, np.random.default_rng(0)):
        assert abs(picture[48:].mean()) < 1e-6 and picture[48:].std() == pytest.approx(1, abs=1e-6)


def test_the_strands_picture_closes_behind_the_head():
    flow = np.zeros((64, 128, 2)) + [1.0, 0.0]
    fine, locks = strands_along(flow, np.random.default_rng(1))
    for picture in (fine, locks):
        seam, usual = np.abs(picture[:, 0] - picture[:, -1]).mean(), np.abs(np.diff(picture, axis=1)).mean()
        assert seam < 3 * usual
