"""Freckles and wrinkles: where they belong, more and fewer of them."""

import numpy as np
import pytest

from idto3d.stages.edit.paint.marks import DEEP, marked, years_more
from idto3d.stages.edit.paint.place import place_of, skin_linear
from idto3d.stages.edit.sealed import sealed
from idto3d.words.edits import EditRequest


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
    from dataclasses import replace

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
    assert years_more(work(EditRequest(years=1.0))) == pytest.approx(0.5)
    assert years_more(work(EditRequest(traits={"age": "old"}))) == 1.0
    assert years_more(work(EditRequest(traits={"age": "baby"}))) == -1.0
    assert years_more(work(EditRequest(traits={"hair_colour": "green"}))) == 0.0
