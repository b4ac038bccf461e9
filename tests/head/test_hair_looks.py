"""What makes hair look like hair: locks with pointed tips, hairlines that fade, curls, and what lies behind ears."""

import numpy as np
import pytest
from head.round_head import round_head, still

from idto3d.head.hair.atlas import BAND, WORDS, Strand, paint_atlas
from idto3d.head.hair.comb import Parting, Tucked, Whorl
from idto3d.head.hair.guides import off_the_face
from idto3d.head.hair.part import hair_of_words
from idto3d.head.hair.scalp import above_hairline, away_from_hairline, hairline_band
from idto3d.head.hair.told.locks import curled, gathered, locks_of, shades
from idto3d.head.hair.wisps import BODY, FINE, paint_wisps

SIZE = 1024


@pytest.fixture(scope="module")
def atlas():
    return paint_atlas(Strand((0.1, 0.05, 0.02)), SIZE, np.random.default_rng(0))


def covered(tiles, share):
    """[K] how much of each of the tiles [K, H, W] is opaque at a share of the way down."""
    return (tiles[:, int(share * tiles.shape[1])] > 0.5).mean(-1)


def test_wisps_are_full_at_the_root_and_end_in_points():
    tiles = paint_wisps(12, 288, 64, np.random.default_rng(0), BODY).opacity
    assert covered(tiles, 0.3).min() > 0.55
    assert covered(tiles, 0.92).max() < 0.4 * covered(tiles, 0.3).min()
    assert covered(paint_wisps(6, 288, 64, np.random.default_rng(0), FINE).opacity, 0.4).max() < 0.6


def test_tiles_go_from_dark_to_light_and_keep_their_forms(atlas):
    tones = [
        np.average(atlas.albedo[place].mean(-1), weights=atlas.opacity[place])
        for place in (WORDS.place(number, SIZE) for number in range(WORDS.body))
    ]
    assert np.corrcoef(tones, np.arange(len(tones)))[0, 1] > 0.95 and tones[-1] > 1.4 * tones[0]
    height, width = WORDS.tile_size(SIZE)
    assert height > 4 * width >= 256  # strands of long hair are longer than wide by far


def test_a_hairline_fades_over_a_centimetre_and_fine_hairs_pass_it():
    skin = round_head()
    front = (skin.mean[:, 2] > 0.05) & (np.abs(skin.mean[:, 0]) < 0.03)
    half = front & (skin.tinted() > 0.1) & (skin.tinted() < 0.9)
    assert np.ptp(skin.above[half]) > 0.012
    assert (skin.covered() <= skin.tinted() + 0.55).all()
    assert hairline_band(skin)[front & (skin.above < -0.001) & (skin.above > -0.004)].max() > 0.1


def test_hair_turns_along_the_hairline_in_front():
    x = np.linspace(-0.04, 0.04, 9)
    points = np.stack([x, 0.102 + 0 * x, np.sqrt(0.095**2 - x**2)], -1)
    points[:, 1] += 0.004 - above_hairline(points)
    up = away_from_hairline(points)
    for comb in (Whorl(sweep=0.5), Parting(), Parting(offset=0.038)):
        assert ((off_the_face(points, comb.directions(points)) * up).sum(1) > 0).all()
    behind = points * [1, 1, -1]
    way = Whorl().directions(behind)
    assert np.allclose(off_the_face(behind, way), way / np.linalg.norm(way, axis=1, keepdims=True))


def test_sideburns_grow_before_the_ears():
    before, cheek = np.array([[0.070, 0.018, 0.0245]]), np.array([[0.060, 0.018, 0.055]])
    assert above_hairline(before)[0] > 0.003 and above_hairline(cheek)[0] < -0.01


def test_strands_of_a_lock_meet_at_their_tips_and_share_their_shade():
    random = np.random.default_rng(0)
    roots = random.uniform(-0.05, 0.05, (300, 3))
    lock = locks_of(roots, 30, random)
    points = roots[:, None] + np.linspace(0, 0.1, 8)[None, :, None] * [0, -1, 0]
    drawn = gathered(points, lock, 0.8)
    assert np.array_equal(drawn[:, 0], points[:, 0])
    spread = [np.mean([one[lock == k, -1].std(0).mean() for k in range(lock.max() + 1)]) for one in (points, drawn)]
    assert spread[1] < 0.5 * spread[0]
    light = shades(np.repeat([0.5, 0.9], 150), lock, random)
    assert light[150:].mean() > light[:150].mean() + 0.2 and light.min() >= 0 and light.max() <= 1
    within = np.mean([light[150:][lock[150:] == k].std() for k in np.unique(lock[150:])])
    assert within < 0.8 * light[150:].std()


def test_a_ringlet_winds_about_its_strand():
    points = np.linspace(0, 0.1, 60)[None, :, None] * np.array([0.0, -1, 0]) * np.ones((4, 1, 1))
    normals = np.broadcast_to([0.0, 0, 1], points.shape)
    wound, out = curled(points, normals, np.zeros(4, int), 0.006, 0.025, np.random.default_rng(0))
    off = (wound - points)[:, 20:, [0, 2]]
    assert np.linalg.norm(off, axis=-1).min() > 0.003 and np.linalg.norm(off, axis=-1).max() < 0.008
    turns = np.abs(np.diff(np.unwrap(np.arctan2(off[0, :, 0], off[0, :, 1]))).sum()) / (2 * np.pi)
    assert 1.5 < turns < 4 and np.allclose(np.linalg.norm(out, axis=-1), 1)


def test_under_curls_lies_shade_and_no_parting():
    hair = hair_of_words(round_head(), "curly", "blonde", 512, 0, still())
    cap, cards = hair.albedo[int(512 * BAND) + 4 :], hair.albedo[: int(512 * BAND)]
    bright = [one[one[..., 3] > 200][:, :3].mean() for one in (cap, cards)]
    assert bright[0] < 0.85 * bright[1]


@pytest.mark.parametrize("style", ["wavy", "messy"])
def test_under_waves_hair_is_as_light_as_under_straight_hair(style):
    waves = hair_of_words(round_head(), style, "blonde", 256, 0, still()).albedo[int(256 * BAND) + 4 :]
    straight = hair_of_words(round_head(), "long", "blonde", 256, 0, still()).albedo[int(256 * BAND) + 4 :]
    bright = [one[one[..., 3] > 200][:, :3].mean() for one in (waves, straight)]
    assert bright[0] > 0.93 * bright[1]


def test_tucked_hair_goes_back_over_the_ear_and_falls_behind_it():
    comb = Tucked(Parting())
    above, behind, crown = comb.directions(np.array([[0.075, 0.06, 0.0], [0.07, 0.0, -0.06], [0.02, 0.15, 0.0]]))
    assert above[2] < -0.9 and above[1] > -0.3
    assert behind[1] < -0.4 and behind[2] > -0.8
    assert crown[2] > -0.5
