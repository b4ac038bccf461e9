"""The skin of one ball, photographed from two sides under two lights: one colour, whole, without a step."""

from dataclasses import replace

import numpy as np
import pytest
from evidence.ball import make_ball
from skimage.color import deltaE_ciede2000, rgb2lab

from idto3d.evidence.light import brightness, shading
from idto3d.evidence.projection import FACING, GRAZING, Look, ramp
from idto3d.evidence.skin import skin_from, skin_of_words
from idto3d.head.skin import skin_colour

BALL = make_ball()
SIZE = 128
LIGHTS = (np.array([1.0, 0.4, 0.2, 0.3, 0, 0, 0, 0, 0]), np.array([1.0, -0.45, -0.1, 0.3, 0, 0, 0, 0, 0]))


@pytest.fixture(scope="module")
def skin():
    return BALL.skin_map(SIZE)


def flushed(height):
    """Linear albedo [N, 3] of skin that is redder in the middle of its height (metres)."""
    return skin_colour(np.full(len(height), 0.3), 0.3 + 0.5 * np.exp(-((height / 0.03) ** 2))).astype(float)


@pytest.fixture(scope="module")
def truth(skin):
    """[N, 3] linear: that skin, with fine spots."""
    spots = np.random.default_rng(0).normal(0, 0.03, (len(skin.texels.uvs), 1))
    return flushed(skin.texels.read(BALL.vertices)[:, 1]) * np.exp(spots)


@pytest.fixture(scope="module")
def usual():
    """[V, 3] what such people's skin is like: far darker, and of another tint."""
    return flushed(BALL.vertices[:, 1]) * [0.4, 0.45, 0.5]


def tone_of(albedo):
    return float(np.median(brightness(albedo)))


def toned(albedo, like):
    """`albedo` in the median colour of `like`: exposure and white balance are nobody's to know."""
    return albedo * np.median(like, 0) / np.median(albedo, 0)


def look_from(skin, albedo, azimuth_deg, light, tint=(1.0, 1.0, 1.0), density=1000.0):
    normals = skin.texels.read(BALL.normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    facing = normals @ [np.sin(np.radians(azimuth_deg)), 0, np.cos(np.radians(azimuth_deg))]
    share = ramp(facing, GRAZING, FACING)
    none = np.zeros(len(share))
    lit = albedo * shading(light, normals) * tint * (share > 0)[:, None]
    return Look(lit, share, normals, none, none, none + density)


@pytest.fixture(scope="module")
def sides(skin, truth):
    return [look_from(skin, truth, azimuth, light) for azimuth, light in zip((-30, 30), LIGHTS, strict=True)]


@pytest.fixture(scope="module")
def alone(skin, sides, usual):
    """The skin by each of the photos."""
    return [skin_from([one], usual, skin, None, 0) for one in sides]


@pytest.fixture(scope="module")
def both(skin, sides, usual):
    """The skin by both photos together."""
    return skin_from(sides, usual, skin, None, 0)


def lab(linear):
    linear = np.clip(linear, 0, 1)
    return rgb2lab(np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def apart(first, second):
    """[N] Delta E 2000 of linear colours."""
    return deltaE_ciede2000(lab(first), lab(second))


def test_two_photos_of_one_skin_under_two_lights_agree(alone, sides, truth):
    common = (sides[0].share > 0) & (sides[1].share > 0)
    lit = [one.colours[common] / tone_of(one.colours[common]) * tone_of(truth) for one in sides]
    assert apart(*lit).mean() > 5
    assert apart(alone[0].albedo, alone[1].albedo).mean() < 3


def test_what_photos_saw_is_vouched_for_and_as_it_was(both, truth, sides):
    seen = np.maximum(sides[0].share, sides[1].share)
    assert both.known[seen > 0.5].min() > 0.99 and both.known[seen == 0].max() == 0
    assert apart(both.albedo, truth)[seen > 0.5].mean() < 6  # the tone is guessed
    assert apart(toned(both.albedo, truth), truth)[seen > 0.5].mean() < 3
    fine = np.log(brightness(both.albedo / truth))[seen > 0.9]
    assert fine.std() < 0.06  # spots of 0.03 and the light's rest


def test_fine_spots_stay_where_they_are(both, truth, sides):
    seen = sides[0].share > 0.99
    smooth = np.log(brightness(both.albedo))[seen], np.log(brightness(truth))[seen]
    assert np.corrcoef(*(one - np.convolve(one, np.ones(9) / 9, "same") for one in smooth))[0, 1] > 0.9


def test_what_no_photo_saw_has_the_tone_of_the_rest(both, truth):
    unseen = both.known == 0
    assert unseen.mean() > 0.1
    same = toned(both.albedo, truth)
    assert apart(same[unseen].mean(0), truth[unseen].mean(0)) < 3
    grain = np.log(brightness(same / truth))[unseen]
    assert 0.02 < grain.std() < 0.12


def test_there_is_no_step_where_photos_end(skin, usual):
    smooth = flushed(skin.texels.read(BALL.vertices)[:, 1])
    one = look_from(skin, smooth, 0, LIGHTS[0])
    made = skin_from([one], usual, skin, None, 0)
    picture = np.full((SIZE, SIZE), np.nan)
    picture[skin.texels.covered] = lab(made.albedo[:, None])[:, 0, 0]
    known = np.full((SIZE, SIZE), np.nan)
    known[skin.texels.covered] = made.known
    step = np.abs(np.diff(picture, axis=1))
    border = (known[:, 1:] > 0.01) & (known[:, 1:] < 0.99)
    assert border.sum() > 200 and step[border].max() < 2.5  # so few texels make steps of patches of blood


def test_a_blue_photo_gives_skin(skin, truth, usual):
    blue = look_from(skin, truth, 0, LIGHTS[0], (0.75, 0.95, 1.5))
    made = skin_from([blue], usual, skin, None, 0)
    seen = blue.share > 0.9
    assert apart(made.albedo, truth)[seen].mean() < 0.8 * apart(truth * [0.75, 0.95, 1.5], truth)[seen].mean()


def test_pores_of_two_photos_a_texel_apart_are_not_blurred(skin, truth, usual, alone):
    noise = np.random.default_rng(1).standard_normal((SIZE, SIZE))
    pictures = [0.05 * noise, 0.05 * np.roll(noise, 1, 1)]
    pored = [flushed(skin.texels.read(BALL.vertices)[:, 1]) * np.exp(p[skin.texels.covered][:, None]) for p in pictures]
    looks = [look_from(skin, one, azimuth, LIGHTS[0]) for one, azimuth in zip(pored, (-10, 10), strict=True)]
    seen = np.minimum(looks[0].share, looks[1].share) > 0.99
    contrasts = [fine_contrast(skin, skin_from(some, usual, skin, None, 0).albedo, seen) for some in (looks[:1], looks)]
    assert contrasts[1] > 0.95 * contrasts[0]  # an average would have 0.71 of it


def test_of_two_photos_the_finer_one_tells_the_pores_and_the_calmer_one_the_colour(skin, truth, usual):
    smooth = flushed(skin.texels.read(BALL.vertices)[:, 1])
    coarse, fine = look_from(skin, smooth, 0, LIGHTS[0]), look_from(skin, truth, 0, LIGHTS[0], density=2000.0)
    made = skin_from([coarse, fine], usual, skin, None, 0)
    seen = coarse.share > 0.99
    assert fine_contrast(skin, made.albedo, seen) > 0.9 * fine_contrast(skin, truth, seen)
    stripe = np.abs(skin.texels.read(BALL.vertices)[:, 0] - 0.02) < 0.004
    folded = replace(look_from(skin, smooth * (1 - 0.5 * stripe[:, None]), 0, LIGHTS[0]), creased=stripe.astype(float))
    alone, calmed = (skin_from(some, usual, skin, None, 0).albedo for some in ([folded], [folded, coarse]))
    depth = [np.log(tone_of(one[~stripe & seen]) / tone_of(one[stripe & seen])) for one in (alone, calmed)]
    assert depth[0] < 0.35 and depth[1] < 0.2  # of 0.69 in the photo


def fine_contrast(skin, albedo, chosen):
    """Deviation of the logarithm of the brightness from one texel to the next, over texels `chosen` [N]."""
    picture = np.full((SIZE, SIZE), np.nan)
    picture[skin.texels.covered] = np.where(chosen, np.log(brightness(albedo)), np.nan)
    return np.nanstd(np.diff(picture, axis=1))


def test_the_same_seed_gives_the_same_bytes(skin, sides, usual, both):
    again = skin_from(sides, usual, skin, None, 0)
    assert again.albedo.tobytes() == both.albedo.tobytes() and again.known.tobytes() == both.known.tobytes()


def test_photos_of_any_exposure_give_the_tone_that_words_say(skin, sides, usual):
    tones = []
    for gain in (0.3, 1.0):
        dim = [replace(one, colours=one.colours * gain) for one in sides]
        made = skin_from(dim, usual, skin, 0.9, 0)
        tones.append(tone_of(made.albedo[made.known > 0.99]))
    assert max(tones) < 0.18 and tones[0] == pytest.approx(tones[1], rel=0.25)


def test_words_alone_give_the_usual_skin_with_grain(skin, usual):
    made = skin_of_words(usual, skin, 0)
    change = np.log(made.albedo / skin.texels.read(usual))
    assert not made.known.any() and 0.01 < change.std() < 0.06
    redder = change[:, 0] - change[:, 2]  # patches of more and less blood
    assert 0.01 < redder.std() < 0.05 and np.corrcoef(change[:, 1], change[:, 2])[0, 1] > 0.99
