"""Where a head may change: under a mask that is painted on its texture or over a picture of it."""

import numpy as np
import pytest
from PIL import Image

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.stages.edit.allowed import allowed_of
from idto3d.stages.edit.paint.place import place_of
from idto3d.stages.edit.seen.mask import painted_mask


@pytest.fixture
def mask(tmp_path):
    """mask(picture): the path of a file with it."""

    def saved(picture):
        path = tmp_path / "mask.png"
        Image.fromarray(picture).save(path)
        return str(path)

    return saved


@pytest.fixture
def right_half(mask):
    """A mask over the right half of the picture: the person's left."""
    picture = np.zeros((200, 200), np.uint8)
    picture[:, 100:] = 255
    return mask(picture)


def test_without_masks_and_locks_everything_may_change(finished, ground):
    allowed = allowed_of(finished, EditOptions(), ground.template)
    assert not allowed.texels and not allowed.vertices


def test_a_mask_in_a_view_allows_what_is_visible_there(finished, ground, right_half):
    options = EditOptions(mask=right_half, mask_space="view")
    allowed = allowed_of(finished, options, ground.template)
    place, skin = place_of(ground.template, 256), finished.head.parts[0].vertices.numpy()
    share = allowed.vertices["skin"].numpy()
    face = place.masks["plain"] * place.masks["face"] * (skin[:, 2] > 0.07) > 0.9
    assert share[face & (skin[:, 0] > 0.02)].mean() > 0.85
    assert not share[skin[:, 0] < -0.005].any()
    behind = (skin[:, 2] < -0.05) & (skin[:, 1] > 0.0)
    assert behind.any() and not share[behind].any()
    assert set(allowed.texels) == set(finished.painted)
    assert all(one.shape == finished.painted[name].roughness.shape for name, one in allowed.texels.items())
    assert allowed.vertices["eye_left"].max() > 0.9 and allowed.vertices["eye_right"].max() == 0


def test_a_mask_in_a_view_from_behind_spares_the_face(finished, ground, mask):
    white = mask(np.full((64, 64), 255, np.uint8))
    options = EditOptions(mask=white, mask_space="view", mask_azimuth_deg=180.0)
    allowed = allowed_of(finished, options, ground.template)
    place = place_of(ground.template, 256)
    assert not allowed.vertices["skin"].numpy()[place.masks["nose"] > 0.9].any()
    assert allowed.vertices["eye_left"].max() == 0 and allowed.vertices["hair"].max() > 0.9


def test_cards_of_hair_that_share_a_tile_are_all_protected_by_one(finished, ground, right_half):
    options = EditOptions(mask=right_half, mask_space="view")
    allowed = allowed_of(finished, options, ground.template)
    hair = next(part for part in finished.head.parts if part.name == "hair")
    kept = (allowed.vertices["hair"].numpy()[hair.faces.numpy()] == 0).all(1)
    side = len(allowed.texels["hair"])
    centres = (hair.uvs.numpy()[kept].mean(1) * side).astype(int).clip(0, side - 1)
    assert (allowed.texels["hair"][centres[:, 1], centres[:, 0]] == 0).mean() > 0.97


def test_a_mask_fades_in_inside_what_is_painted(mask):
    picture = np.zeros((300, 300), np.uint8)
    picture[100:200, 100:200] = 255
    found = painted_mask(mask(picture))
    assert found[150, 150] == 1 and not found[:100].any() and 0 < found[100, 150] < 1


def test_a_mask_without_white_is_refused(mask):
    with pytest.raises(UserError, match="nothing white"):
        painted_mask(mask(np.zeros((8, 8), np.uint8)))


def test_a_mask_that_is_no_picture_is_refused(tmp_path):
    (tmp_path / "mask.png").write_text("white")
    with pytest.raises(UserError, match=r"mask\.png"):
        painted_mask(tmp_path / "mask.png")
