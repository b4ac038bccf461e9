"""Pigments differ from one part of a face to another, and lips from the skin around them."""

import numpy as np
import pytest

from idto3d.evidence.light import brightness
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.paint.complexion import TONES, places
from idto3d.head.paint.usual_skin import lip_share, usual_skin
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET


@pytest.fixture(scope="module")
def mean(ict):
    return ict.neutral[ict.part("skin").vertices].double().numpy()


@pytest.fixture(scope="module")
def where(mean):
    return places(mean, skin_masks(mean))


def tone_of(albedo, share):
    return np.average(albedo, axis=0, weights=share * (np.arange(len(share)) < MOUTH_SOCKET.start))


def redness(rgb):
    return np.log(rgb[0] / rgb[1])


def test_every_place_is_somewhere_and_alike_on_both_sides(mean, where):
    assert set(where) == set(TONES)
    for name, share in where.items():
        assert share.shape == (len(mean),) and share.min() >= 0 and share.max() <= 1.001 and share.max() > 0.5, name
        sides = [share[mean[:, 0] * side > 1e-4].sum() for side in (1, -1)]
        assert sides[0] == pytest.approx(sides[1], rel=0.15), name


@pytest.mark.parametrize("word", ["pale", "tan", "dark"])
def test_ears_nose_and_cheeks_are_redder_than_the_forehead_and_lids_darker_than_cheeks(mean, where, word):
    albedo = usual_skin(mean, {"skin": word})
    tones = {name: tone_of(albedo, share) for name, share in where.items()}
    for name in ("ears", "nose", "wings", "cheeks"):
        assert redness(tones[name]) > redness(tones["forehead"]) + 0.04, name
    dark = {name: float(brightness(tone[None])[0]) for name, tone in tones.items()}
    assert dark["under_eyes"] < 0.99 * dark["cheeks"]
    spread = np.std([np.log(value) for value in dark.values()])
    assert 0.02 < spread < 0.25


def test_dark_lips_are_not_orange_and_the_upper_one_is_darker(mean):
    share = lip_share(mean)
    for word in ("fair", "dark"):
        albedo = usual_skin(mean, {"skin": word})
        lips, skin = tone_of(albedo, share**4), np.median(albedo[skin_masks(mean)["cheeks"] > 0.5], 0)
        assert np.log(lips[2] / lips[1]) > np.log(skin[2] / skin[1]) + 0.04  # bluer than what is around, not yellower
        assert redness(lips) > redness(skin)
    upper, lower = (albedo[list(LANDMARKS[a:b])].mean() for a, b in ((49, 54), (55, 60)))
    assert upper < lower
    dark, fair = (usual_skin(mean, {"skin": word}) for word in ("dark", "fair"))
    contrast = [redness(tone_of(one, share**4)) - redness(np.median(one, 0)) for one in (dark, fair)]
    assert contrast[0] < contrast[1]
