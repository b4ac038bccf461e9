"""Hair of every named style on a bald round head: where it grows, how far it hangs, what it leaves free."""

import numpy as np
import pytest
import torch
from head.round_head import round_head, still

from idto3d.head.hair.atlas import BAND, Strand, encoded, paint_atlas
from idto3d.head.hair.cards import make_strips
from idto3d.head.hair.guides import grow
from idto3d.head.hair.part import hair_of_words
from idto3d.head.hair.scalp import MeanSpace, spread_roots
from idto3d.head.hair.styles import cut_of
from idto3d.head.hair.volume import volume_of_words
from idto3d.words.traits import BALD, COLOURS, STYLES

SIZE = 256
GROWN = [name for name in STYLES if name != BALD]


@pytest.fixture(scope="module")
def grown():
    skin = round_head()
    return {name: hair_of_words(skin, name, "brown", SIZE, 3, still(2)) for name in GROWN}


def test_bald_is_bald():
    assert hair_of_words(round_head(), BALD, "brown", SIZE, 0, still()) is None


@pytest.mark.parametrize("style", GROWN)
def test_a_style_is_a_part_that_fits_its_textures(grown, style):
    hair = grown[style]
    assert hair.part.name == hair.part.material == "hair"
    assert hair.part.displacements.shape == (2, *hair.part.vertices.shape) and not hair.part.displacements.any()
    assert hair.part.uvs.min() >= 0 and hair.part.uvs.max() <= 1
    assert hair.albedo.shape == (SIZE, SIZE, 4) and hair.normal.shape == (SIZE, SIZE, 3)
    assert 3000 < len(hair.part.faces) < 26000
    assert torch.allclose(hair.normals.norm(dim=-1), torch.ones(len(hair.normals)), atol=1e-3)


@pytest.mark.parametrize("style", GROWN)
def test_hair_covers_the_scalp_and_leaves_the_face(grown, style):
    points = grown[style].part.vertices.numpy()
    on_top = points[(points[:, 1] > 0.13)]
    in_face = (np.abs(points[:, 0]) < 0.035) & (points[:, 2] > 0.075) & (np.abs(points[:, 1]) < 0.06)
    assert len(on_top) > 100 and not in_face.any()
    skin = round_head()
    cover = grown[style].scalp_cover.numpy()
    assert cover[skin.mean[:, 1] > 0.13].mean() > 0.4
    assert not cover[(skin.mean[:, 2] > 0.08) & (skin.mean[:, 1] < 0.07)].any()


@pytest.mark.parametrize("style", ["buzzcut", "short", "side-parted", "ponytail"])
def test_short_hair_leaves_the_ears_free(grown, style):
    points = grown[style].part.vertices.numpy()
    assert not ((np.abs(points[:, 0]) > 0.088) & (np.abs(points[:, 1] - 0.01) < 0.015)).any()


def test_long_hair_reaches_the_shoulder_and_a_bob_the_jaw(grown):
    lowest = {style: grown[style].part.vertices[:, 1].min().item() for style in ("long", "bob", "short")}
    assert lowest["long"] < -0.145 and -0.10 < lowest["bob"] < -0.06 and lowest["short"] > -0.08


def test_the_same_seed_gives_the_same_bytes_and_another_other_strands():
    first, again, other = (hair_of_words(round_head(), "short", "red", SIZE, seed, still()) for seed in (1, 1, 2))
    assert first.part.vertices.numpy().tobytes() == again.part.vertices.numpy().tobytes()
    assert first.albedo.tobytes() == again.albedo.tobytes() and first.normal.tobytes() == again.normal.tobytes()
    assert first.albedo.tobytes() != other.albedo.tobytes()


@pytest.mark.parametrize("colour", list(COLOURS))
def test_the_textures_have_the_colour_of_the_words(colour):
    wanted = np.array(COLOURS[colour].rgb)
    albedo, _ = encoded(paint_atlas(Strand(COLOURS[colour].rgb), SIZE, np.random.default_rng(0)))
    seen = albedo[albedo[..., 3] > 127][:, :3].astype(float) / 255
    linear = np.where(seen <= 0.04045, seen / 12.92, ((seen + 0.055) / 1.055) ** 2.4)
    assert np.abs(np.median(linear, 0) / wanted - 0.9).max() < 0.3


def test_hair_grows_with_the_head(grown):
    small = hair_of_words(round_head(0.85), "short", "brown", SIZE, 3, still())
    heights = (small.part.vertices[:, 1].max() - 0.145 * 0.85, grown["short"].part.vertices[:, 1].max() - 0.145)
    assert all(0.008 < height < 0.035 for height in heights)


def test_hair_on_moving_skin_follows_and_hair_off_it_stays():
    moves = still()
    moves[0, round_head().mean[:, 1] > 0.02] = [0, 0.004, 0]
    hair = hair_of_words(round_head(), "short", "brown", SIZE, 3, moves)
    gap = np.abs(hair.part.vertices.numpy()[:, None] - round_head().vertices[::7]).max(-1).min(1)
    carried = hair.part.displacements[0, :, 1].numpy()
    assert carried[gap < 0.004].mean() > 0.002 and not carried[gap > 0.02].any()


def test_where_no_strand_finds_room_there_are_no_cards():
    skin, random = round_head(), np.random.default_rng(0)
    cut, space = cut_of("short"), MeanSpace(skin)
    volume = volume_of_words(skin, STYLES["short"], cut.comb)
    roots = spread_roots(skin, (skin.mean[:, 1] < -0.12).astype(float), 20, random)  # the neck
    guides = grow(volume, cut, roots, space, random)
    assert len(roots.points) == 20 and guides.points.shape == (0, cut.segments + 1, 3)
    assert make_strips(guides, cut.width, random).faces().shape == (0, 3)


def test_the_cap_under_hair_fades_at_the_hairline_and_hides_the_crown():
    hair = hair_of_words(round_head(), "short", "brown", 1024, 0, still())
    cap = hair.albedo[int(1024 * BAND) + 4 :, :, 3]
    assert (cap[:100] == 255).mean() > 0.95
    share = ((cap > 0) & (cap < 255)).sum(0)  # of each column, from the crown down
    assert np.median(share) > 4
