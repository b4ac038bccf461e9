"""Freckles and wrinkles: where they belong, more and fewer of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from idto3d.head.paint.brows import brows
from idto3d.head.paint.usual_skin import lip_share, razored, usual_skin
from idto3d.head.start import WORDS, Trait
from idto3d.stages.edit.paint.colours import recoloured
from idto3d.stages.edit.paint.hair import around, strands
from idto3d.stages.edit.paint.marks import DEEP, marked, missing_gender, years_more
from idto3d.stages.edit.paint.place import lips_at, place_of, skin_linear
from idto3d.stages.edit.paint.place import with_skin as with_colours
from idto3d.stages.edit.sealed import sealed
from idto3d.stages.edit.skin_page import skin_page, with_skin
from idto3d.words.edits import EditRequest
from idto3d.words.paints import BROWS_MARK


@pytest.fixture
def place(ground):
    return place_of(ground.template, 256)


def darker(place, before, after):
    """[N] how much darker the skin's texels have become, logarithm."""
    pair = [np.log(skin_linear(one.painted["skin"], place).mean(-1)) for one in (before, after)]
    return pair[0] - pair[1]


def asked(work, **request):
    return sealed(marked(work(EditRequest(**request))))


def test_freckles_are_dark_spots_on_nose_and_cheeks(work, finished, place):
    dark = darker(place, finished, asked(work, marks={"freckles": 1.0}))
    cheeks, lips, neck = (place.at(name) > 0.8 for name in ("cheeks", "lips", "neck"))
    assert (dark[cheeks] > 0.05).mean() > 0.02 and (dark[cheeks] > 0.05).mean() < 0.5
    assert not dark[lips].any() and not dark[neck].any() and not dark[~place.outer].any()


def test_many_freckles_are_more_than_some(work, finished, place):
    some, many = (darker(place, finished, asked(work, marks={"freckles": amount})) for amount in (1.0, 2.0))
    assert (many > 0.05).sum() > 1.5 * (some > 0.05).sum()


def test_fewer_freckles_are_fewer_dark_spots(work, finished, place):
    spotted = asked(work, marks={"freckles": 2.0})
    again = sealed(marked(replace(work(EditRequest(marks={"freckles": -1.0})), before=spotted, head=spotted)))
    left = darker(place, finished, again)
    spots = darker(place, finished, spotted) > 0.1
    assert left[spots].mean() < 0.5 * darker(place, finished, spotted)[spots].mean()


def test_wrinkles_are_carved_as_well_as_painted(work, finished, place):
    head = asked(work, marks={"wrinkles": 1.0})
    dark = darker(place, finished, head)
    assert (dark > 0.05).any() and place.at("face")[dark > 0.05].mean() > 0.5
    moved = (head.painted["skin"].normal != finished.painted["skin"].normal).any(-1)[place.texels.covered]
    assert moved.any() and not moved[place.at("scalp") > 0.99].any()


def test_fewer_wrinkles_are_flatter_and_lighter_and_say_what_stays(work, finished, place):
    begun = marked(work(EditRequest(marks={"wrinkles": -1.0})))
    face = place.at("lined") * (1 - place.at("brow_zone")) > 0.95
    tilt = [
        np.abs(one.painted["skin"].normal[place.texels.covered][face, :2].astype(int) - 128).mean()
        for one in (finished, begun.head)
    ]
    assert tilt[1] < 0.6 * tilt[0] and begun.told == (DEEP,)
    assert (darker(place, finished, begun.head)[face] < 0.01).all()


def test_an_older_head_has_lines_and_a_younger_one_loses_them(work, finished, place):
    older = darker(place, finished, asked(work, years=1.0))
    assert (older > 0.05).mean() > 0.002
    younger = asked(work, years=-1.0)
    assert (darker(place, finished, younger) < 0.01).all()


def test_how_much_older_a_request_makes_somebody(work):
    assert years_more(work(EditRequest(years=1.0))) == pytest.approx(0.7)
    assert years_more(work(EditRequest(traits={"age": "old"}))) == 1.0
    assert years_more(work(EditRequest(traits={"age": "baby"}))) == -1.0
    assert years_more(work(EditRequest(traits={"hair_colour": "green"}))) == 0.0


def test_a_baby_has_no_fold_left_dark_or_light(work, finished, place):
    baby = asked(work, traits={"age": "baby"})
    plain = place.at("lined") * place.at("plain") * (1 - place.at("brow_zone")) > 0.95

    def fine(head):
        tone = np.log(skin_linear(head.painted["skin"], place))
        whole = place.texels.spread(tone.astype(np.float32))
        return (whole - gaussian_filter(whole, (5, 5, 0)))[place.texels.covered][plain].std(0)

    assert (fine(baby) < 0.5 * fine(finished)).all()
    tilt = np.abs(baby.painted["skin"].normal[place.texels.covered][plain, :2].astype(int) - 128)
    assert tilt.mean() < 2


def test_a_baby_takes_no_colour_of_its_hair_onto_its_skin(work, finished, place):
    scalp, skin = place.at("scalp") > 0.01, finished.painted["skin"]
    colours = np.where(scalp[:, None], (0.02, 0.5, 0.05), skin_linear(skin, place))
    dyed = replace(finished, painted={**finished.painted, "skin": with_colours(skin, place, colours, scalp)})
    one, other = (
        marked(replace(work(EditRequest(traits={"age": "baby"})), before=b, head=b)) for b in (finished, dyed)
    )
    apart = np.abs(darker(place, one.head, other.head))[place.outer & ~scalp]
    assert apart.max() < 0.02  # also where the neck lies beside the scalp on the texture


def test_lines_are_as_well_seen_on_dark_skin(work, finished, place):
    dark = sealed(recoloured(work(EditRequest(traits={"skin": "dark"}))))
    lines = []
    for head in (finished, dark):
        begun = replace(work(EditRequest(years=1.0)), before=head, head=head)
        change = darker(place, head, marked(begun).head)
        lines.append(np.quantile(change[place.at("lined") > 0.5], 0.999))
    assert lines[1] > 1.3 * lines[0]


def test_a_woman_has_finer_brows_redder_lips_and_no_shade_of_a_beard(work, finished, place):
    lips, brows = lips_at(place) > 0.9, place.at("brow_zone") > 0.5
    chin = (place.at("goatee") > 0.9) & (lips_at(place) == 0)
    woman = marked(work(EditRequest(traits={"gender": "female"}))).head
    man = marked(replace(work(EditRequest(traits={"gender": "male"})), before=woman_of(woman), head=woman_of(woman)))
    told = [skin_linear(head.painted["skin"], place) for head in (finished, woman, man.head)]
    red = [np.median(one[lips, 0] / one[lips, 1]) for one in told]
    assert red[1] > 1.08 * red[0] and red[2] < 0.92 * red[1]
    assert told[1][brows].mean() > 1.01 * told[0][brows].mean()
    assert told[2][brows].mean() < 0.99 * told[1][brows].mean()
    assert (told[1][chin] == told[0][chin]).all() and told[2][chin].mean() < 0.985 * told[1][chin].mean()


def woman_of(head, **words):
    said = {name: Trait(word, WORDS) for name, word in ({"gender": "female", "beard": "clean"} | words).items()}
    return replace(head, start=replace(head.start, traits={**head.start.traits, **said}))


def brows_now(place, head):
    """[N] how dark the brows are against the skin around, at the texels."""
    linear, zone = skin_linear(head.painted["skin"], place), place.at("brow_zone")
    return zone * strands(linear, around(linear, place, zone), zone)


def height(place, share):
    """Metres, of hairs [N] on the mean head, in the middle and at the arch of the brows."""
    at, side = place.texels.read(place.mean), np.abs(place.texels.read(place.mean)[:, 0])
    spans = ((0.014, 0.024), (0.036, 0.046))
    return np.array(
        [np.average(at[(side > a) & (side < b), 1], weights=share[(side > a) & (side < b)]) for a, b in spans]
    )


def test_brows_become_those_of_the_other_gender_where_those_lie(work, finished, place):
    """One line of them: not the new one above the old."""
    seed = finished.options.seed
    woman = woman_of(marked(work(EditRequest(traits={"gender": "female"}))).head)
    man = marked(replace(work(EditRequest(traits={"gender": "male"})), before=woman, head=woman)).head
    for head, gender in ((woman, "female"), (man, "male")):
        drawn = brows(place.mean, {"gender": gender}, place.texels, seed)
        assert np.abs(height(place, brows_now(place, head)) - height(place, drawn)).max() < 0.001, gender
        assert np.corrcoef(brows_now(place, head), drawn)[0, 1] > 0.85
    lies = [height(place, brows_now(place, head)) for head in (finished, woman)]
    assert (lies[1] - lies[0]).min() > 0.001


@pytest.mark.parametrize("amount", [1.0, -1.0])
def test_fuller_and_finer_brows_lie_where_they_lay(work, finished, place, amount):
    woman = woman_of(marked(work(EditRequest(traits={"gender": "female"}))).head)
    for head in (finished, woman):
        after = marked(replace(work(EditRequest(marks={BROWS_MARK: amount})), before=head, head=head)).head
        was, now = brows_now(place, head), brows_now(place, after)
        assert np.abs(height(place, now) - height(place, was)).max() < 0.0007
        assert now.sum() > 1.1 * was.sum() if amount > 0 else now.sum() < 0.85 * was.sum()


def test_a_shaven_man_of_words_keeps_no_shadow_as_a_woman_and_his_lips_become_a_womans(work, finished, place):
    said = {"gender": "male", "beard": "clean"}
    usual = place.texels.read(usual_skin(place.mean, said))
    shaven = razored(usual, place.mean, said, place.texels, finished.options.seed)
    men = [wearing(woman_of(finished, gender="male"), place, linear) for linear in (usual, shaven)]
    begun = work(EditRequest(traits={"gender": "female"}))
    women = [marked(replace(begun, before=man, head=man)).head for man in men]
    chin, lips = (place.at("goatee") > 0.9) & (lips_at(place) == 0), lips_at(place) > 0.9
    told = [np.log(skin_linear(head.painted["skin"], place)) for head in (*men, *women)]
    off = [np.abs(one[chin] - told[0][chin]).mean() for one in told[1:]]
    assert off[0] > 0.01 and off[1] == 0 and off[2] < 0.35 * off[0]
    new = [usual_skin(place.mean, {"gender": word})[lip_share(place.mean) > 0.9].mean(0) for word in ("male", "female")]
    redder = [np.median(one[lips, 0] - one[lips, 1]) for one in (told[0], told[2])]
    assert redder[1] - redder[0] == pytest.approx(
        np.log(new[1][0] / new[1][1]) - np.log(new[0][0] / new[0][1]), rel=0.2
    )


def wearing(head, place, linear):
    skin = with_colours(head.painted["skin"], place, linear, np.ones(len(linear), bool))
    return replace(head, painted=dict(head.painted) | {"skin": skin})


def test_who_is_a_man_or_a_child_gets_no_mark_of_one(work):
    assert missing_gender(work(EditRequest(traits={"gender": "male"}))) == 0
    assert missing_gender(work(EditRequest(traits={"gender": "female"}))) == 1
    assert missing_gender(work(EditRequest(traits={"gender": "female", "age": "baby"}))) == 0
    assert missing_gender(work(EditRequest(traits={"hair_colour": "green"}))) == 0


def test_the_gender_of_a_head_of_photos_is_told_by_its_shape(work, finished):
    """ "make the man older" names a man, as his shape tells, and paints no shade of a beard on him."""
    traits = {name: trait for name, trait in finished.start.traits.items() if name != "gender"}
    unsaid = replace(finished, start=replace(finished.start, traits=traits))

    def asked_of(head, gender):
        return replace(work(EditRequest(traits={"gender": gender}, years=1.0)), before=head, head=head)

    assert missing_gender(asked_of(unsaid, "male")) == 0 and missing_gender(asked_of(unsaid, "female")) > 0.9
    older = marked(replace(asked_of(unsaid, "male"), request=EditRequest(years=1.0))).head
    named = marked(asked_of(unsaid, "male")).head
    assert (older.painted["skin"].albedo == named.painted["skin"].albedo).all()
    leaning = replace(unsaid, coefficients=0.2 * unsaid.coefficients)  # as much as faces of photos have
    assert missing_gender(asked_of(leaning, "male")) == 0 and missing_gender(asked_of(leaning, "female")) > 0.8
    middle = replace(unsaid, coefficients=torch.zeros_like(unsaid.coefficients))
    assert missing_gender(asked_of(middle, "male")) == missing_gender(asked_of(middle, "female")) == 0.5


def test_relief_that_was_painted_outlives_a_change_of_colour_and_what_was_read_from_tone_goes_with_it(work):
    begun = work(EditRequest())
    page = skin_page(begun)
    changed, every = 0.5 * page.albedo, np.ones(len(page.albedo))
    skin = begun.head.painted["skin"]
    assert np.array_equal(with_skin(begun, page, changed, every).head.painted["skin"].normal, skin.normal)
    of_photos = replace(begun, head=replace(begun.head, photos=1))
    assert not np.array_equal(with_skin(of_photos, page, changed, every).head.painted["skin"].normal, skin.normal)
