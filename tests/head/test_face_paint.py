"""What is painted on the skin beside its tone: brows, stubble, and what years leave."""

import numpy as np
import pytest

from idto3d.head.paint.age import aged, years_of
from idto3d.head.paint.atlas import texels_of
from idto3d.head.paint.brows import brow_of, brows
from idto3d.head.paint.eye_texture import iris_of_words
from idto3d.head.paint.usual_skin import (
    beard_place,
    brow_colour,
    facial_hair,
    grown_over,
    lip_share,
    razored,
    unseen_hair,
    usual_skin,
)
from idto3d.head.skin import skin_colour
from idto3d.head.template import LANDMARKS

SIZE = 512
BABY, MAN = {"age": "baby"}, {"gender": "male"}


@pytest.fixture(scope="module")
def mean(ict):
    return ict.neutral[ict.part("skin").vertices].double().numpy()


@pytest.fixture(scope="module")
def texels(ict):
    part = ict.part("skin")
    return texels_of(part.faces.numpy(), part.uvs.numpy(), SIZE)


@pytest.fixture(scope="module")
def places(mean, texels):
    """[N, 3] metres on the mean head."""
    return texels.read(mean)


def test_brows_lie_along_their_landmarks_on_both_sides(mean, texels, places):
    cover = brows(mean, {}, texels, 0)
    for marks in (LANDMARKS[17:22], LANDMARKS[22:27]):
        low, high = mean[list(marks)].min(0) - 0.012, mean[list(marks)].max(0) + 0.012
        inside = ((places > low) & (places < high)).all(1)
        assert cover[inside].max() > 0.6 and 0.05 < (cover[inside] > 0.3).mean() < 0.8
    assert cover[places[:, 1] < 0.035].max() == 0 and cover[places[:, 1] > 0.09].max() == 0
    left, right = cover[places[:, 0] > 0].sum(), cover[places[:, 0] < 0].sum()
    assert left == pytest.approx(right, rel=0.15)


def test_brows_are_single_hairs_and_fuller_in_men(mean, texels):
    woman, man = (brows(mean, {"gender": word}, texels, 0) for word in ("female", "male"))
    assert man.sum() > 1.15 * woman.sum()
    shown = man[man > 0.05]
    assert (shown > 0.7).mean() > 0.1 and (shown < 0.4).mean() > 0.1  # gaps beside hairs
    assert np.array_equal(man, brows(mean, {"gender": "male"}, texels, 0))


def test_brows_of_women_lie_higher_and_arch_and_babies_have_hardly_any(mean, texels, places):
    woman, man, baby = (brows(mean, traits, texels, 0) for traits in ({"gender": "female"}, {"gender": "male"}, BABY))
    assert baby.sum() < 0.25 * woman.sum() and baby.max() < 0.5
    side = places[:, 0] > 0

    def height(cover, low, high):
        there = side & (places[:, 0] > low) & (places[:, 0] < high)
        return np.average(places[there][:, 1], weights=cover[there])

    assert height(woman, 0.036, 0.046) > height(man, 0.036, 0.046) + 0.0015
    rise = [height(cover, 0.036, 0.046) - height(cover, 0.014, 0.022) for cover in (woman, man)]
    assert rise[0] > rise[1] + 0.0008
    boy, girl = (brow_of({"gender": word, "age": "child"}) for word in ("male", "female"))
    assert boy.full > girl.full and boy.arch < girl.arch and brow_of(BABY) == brow_of(BABY | MAN)


def test_grey_brows_do_not_shine_on_dark_skin():
    skin = skin_colour(0.89, 0.4)
    rgb = np.array([0.28, 0.28, 0.28])
    dark, fair = (brow_colour(rgb, {"hair_colour": "grey", "skin": word}) for word in ("dark", "fair"))
    assert dark.mean() < 0.5 * skin.mean() and fair.mean() > 2 * dark.mean()


def test_lips_of_women_are_redder_and_men_show_where_a_beard_would_grow(mean, texels):
    lips = lip_share(mean) > 0.9
    woman, man, baby = (usual_skin(mean, traits)[lips].mean(0) for traits in ({"gender": "female"}, MAN, BABY))
    assert woman[1] / woman[0] < man[1] / man[0] and baby.mean() > woman.mean()
    plain = np.full((len(texels.corners), 3), 0.4)
    shadow = razored(plain, mean, MAN, texels, 0)
    assert 0.02 < (plain - shadow).max() < 0.15 and (shadow <= plain).all()
    for traits in ({"gender": "female"}, BABY | MAN, MAN | {"beard": "beard"}):
        assert razored(plain, mean, traits, texels, 0) is plain


def test_brows_that_photos_show_are_not_painted_and_beards_only_where_they_are_asked_for(mean, texels):
    hair = facial_hair(mean, {"beard": "beard"}, texels, 0)
    known = np.ones(len(hair.brow))
    assert not unseen_hair(hair, known).brow.any() and not unseen_hair(hair, known).beard.any()
    assert np.array_equal(unseen_hair(hair, known, asked=True).beard, hair.beard)
    assert np.array_equal(unseen_hair(hair, 0 * known).brow, hair.brow)


def test_grey_hair_has_grey_brows_and_stubble_leaves_skin_between_its_dots(mean, texels):
    hair = facial_hair(mean, {"hair_colour": "grey", "beard": "stubble"}, texels, 0)
    assert np.ptp(hair.brow_rgb) < 0.02 and 0.1 < hair.brow_rgb.mean() < 0.25
    chin = texels.read(beard_place(mean, "stubble")[:, None])[:, 0] > 0.9
    assert np.std(hair.beard[chin]) > 0.05 and 0.05 < hair.beard[chin].mean() < 0.5
    skin = np.full((len(hair.beard), 3), 0.4)
    assert (grown_over(skin, hair) <= 0.4).all() and np.ptp(grown_over(skin, hair)) > 0.1


def test_years_leave_lines_on_the_face_alone(mean, texels, places):
    assert aged(mean, years_of({"age": "young"}), texels, 0) is None and years_of({}) == 0
    old, middling = (aged(mean, years_of({"age": word}), texels, 0) for word in ("old", "middle-aged"))
    forehead = (np.abs(places[:, 0]) < 0.03) & (places[:, 1] > 0.068) & (places[:, 1] < 0.09) & (places[:, 2] > 0.05)
    behind = places[:, 2] < 0
    assert old.depth[forehead].max() > 0.6 and old.depth.min() < -0.02 and not old.depth[behind].any()
    assert 0.3 < middling.depth.max() / old.depth.max() < 0.6
    assert old.shade.max() == 0 and old.shade[forehead].min() < -0.2


def test_irises_go_with_skin_and_hair():
    dark, brown, blue = (iris_of_words(t) for t in ({"ancestry": "asian"}, {}, {"hair_colour": "blonde"}))
    assert max(dark) < max(brown) and brown[0] > 2 * brown[2] and blue[2] > 1.5 * blue[0]
    assert iris_of_words({"ancestry": "african", "hair_colour": "blonde"}) == dark
