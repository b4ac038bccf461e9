"""How synthetic people look: what is drawn for whom, and what it does to shape and colour."""

from dataclasses import replace

import numpy as np
import pytest

from idto3d.head.skin import skin_colour
from idto3d.training.people import hair, skin, synthetic, wrinkles
from idto3d.training.people.hair_shapes import CEILING, SHAPES, hair_mesh
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import Person, draw_person
from idto3d.words.expressions import EXPRESSIONS
from idto3d.words.traits import BEARDS, COLOURS, FACIAL_HAIR, STYLES, TAUGHT_STYLES, Beard, HairColour, HairStyle


@pytest.fixture(scope="module")
def studio(small_ict):
    return synthetic.open_studio(read_ict(small_ict))


def person_with(seed: int = 3, **look) -> Person:
    person = draw_person(seed)
    plain = {"beard": "clean", "glasses": "", "freckles": False, "makeup": False, "hair_style": "bald"}
    return replace(person, look=replace(person.look, **(plain | look)))


@pytest.mark.parametrize("style", TAUGHT_STYLES[1:])
def test_hair_is_a_finite_mesh_above_the_scalp_the_same_for_the_same_numbers(studio, style):
    first, again = (hair_mesh(style, studio.model.neutral, studio.scalp, np.random.default_rng(5)) for _ in range(2))
    assert np.isfinite(first.vertices).all() and first.vertices[:, 1].max() <= CEILING[1]
    assert np.array_equal(first.vertices, again.vertices) and first.faces.max() < len(first.vertices)
    assert first.shade.shape == (len(first.vertices),) and first.shade.min() > 0.2 and first.shade.max() < 2


def test_hair_ends_where_its_style_says(studio):
    lowest = {}
    for style in ("short", "bob", "long", "ponytail"):
        made = hair_mesh(style, studio.model.neutral, studio.scalp, np.random.default_rng(5))
        lowest[style] = made.vertices[:, 1].min()
    assert lowest["long"] < lowest["bob"] - 0.04 and -0.09 < lowest["bob"] < -0.06
    assert lowest["ponytail"] < -0.09 and lowest["short"] > -0.06


def test_a_dressed_person_gives_the_same_picture_as_one_dressed_again(studio):
    person, weights = draw_person(3), studio.model.weights(EXPRESSIONS[1])
    fresh = synthetic.sculpt(studio, person, weights)
    reused = synthetic.sculpt(studio, person, weights, synthetic.dress(studio, person))
    for name in ("vertices", "normals", "albedo", "faces"):
        assert np.array_equal(getattr(fresh, name), getattr(reused, name))


def test_another_hair_style_leaves_the_skin_as_it_is(studio):
    bald, haired = (synthetic.dress(studio, person_with(hair_style=style)) for style in ("bald", "afro"))
    bare = studio.regions.scalp == 0
    assert np.array_equal(bald.albedo[: len(bare)][bare], haired.albedo[: len(bare)][bare])
    assert len(bald.worn) == 0 and len(haired.worn) > 1000


def test_beards_stand_off_the_skin_and_stubble_is_colour_alone(studio):
    clean, stubble, full = (synthetic.dress(studio, person_with(beard=b)) for b in ("clean", "stubble", "beard"))
    assert np.array_equal(clean.offsets, stubble.offsets)
    grown = studio.regions.beard > 0.5
    assert grown.any() and np.linalg.norm(full.offsets - clean.offsets, axis=1)[grown].max() > 0.002
    assert stubble.albedo[: len(grown)][grown].mean() < clean.albedo[: len(grown)][grown].mean()


def test_glasses_are_worn_in_their_frames_colour(studio):
    dressed = synthetic.dress(studio, person_with(glasses="red"))
    assert len(dressed.worn) > 100 and np.isfinite(dressed.worn).all()
    assert np.allclose(dressed.albedo[-1], skin.FRAMES["red"])


def test_more_melanin_is_darker_and_more_blood_is_redder():
    assert (skin_colour(0.9, 0.3) < skin_colour(0.1, 0.3)).all()
    pale, flushed = skin_colour(0.2, 0.0), skin_colour(0.2, 1.0)
    assert flushed[0] / flushed[1] > 1.2 * pale[0] / pale[1]
    assert skin_colour(np.zeros(4), np.zeros(4)).shape == (4, 3)


def test_wrinkles_come_with_age_and_follow_the_expression():
    names = ("browInnerUp_L", "browInnerUp_R", "browDown_L", "browDown_R")
    raised, relaxed = np.array([1, 1, 0, 0]), np.zeros(4)
    forehead, frown = wrinkles.KINDS.index("forehead"), wrinkles.KINDS.index("frown")
    amounts = wrinkles.crease_amounts(names, raised, "young")
    assert amounts[forehead] > 0.2 and amounts[frown] == 0
    assert (wrinkles.crease_amounts(names, relaxed, "old") > 0.5).all()
    assert not wrinkles.crease_amounts(names, relaxed, "child").any()
    assert wrinkles.crease_amounts(names, raised, "old")[forehead] > amounts[forehead]


def test_a_style_that_is_only_a_row_of_the_table_grows_as_thick_as_the_row_says(studio, monkeypatch):
    tops = {}
    for name, crown in (("low", 0.01), ("high", 0.04)):
        monkeypatch.setitem(STYLES, name, HairStyle(name, crown, 0.01, (0.0, 0.0, 0.0)))
        made = hair_mesh(name, studio.model.neutral, studio.scalp, np.random.default_rng(5))
        tops[name] = np.linalg.norm(made.vertices - studio.scalp.on(studio.model.neutral).mean((0, 1)), axis=1).mean()
    assert tops["high"] > tops["low"] + 0.002


def test_every_shape_belongs_to_a_style_that_grows():
    assert set(SHAPES) <= {style.name for style in STYLES.values() if style.grows}


def test_a_new_colour_and_a_new_beard_are_drawn_painted_and_grown(studio, monkeypatch):
    monkeypatch.setitem(COLOURS, "teal", HairColour("teal", (0.02, 0.25, 0.25), dyed=True))
    monkeypatch.setitem(FACIAL_HAIR, "wild", Beard("wild", 0.94, 0.03, "a wild beard", (0.2, 0.2)))
    random = np.random.default_rng(0)
    assert "teal" in {hair.draw_hair(random, "female", "young")[1] for _ in range(300)}
    assert "wild" in {hair.draw_beard(random, "male", "old") for _ in range(100)}
    plain, dressed = (synthetic.dress(studio, person_with(**look)) for look in ({}, {"beard": "wild"}))
    assert np.linalg.norm(dressed.offsets - plain.offsets, axis=1).max() > 0.01
    dyed = synthetic.dress(studio, person_with(hair_style="afro", hair_colour="teal"))
    red, green, blue = dyed.albedo[len(dyed.rest) :].mean(0)
    assert green > 5 * red and blue > 5 * red


def test_traits_are_drawn_for_the_age_and_the_gender():
    random = np.random.default_rng(0)
    babies = {hair.draw_hair(random, "female", "baby") for _ in range(200)}
    assert {style for style, _ in babies} <= {"bald", "buzzcut", "short", "curly", "side-parted"}
    assert not {colour for _, colour in babies} & {"green", "blue", "pink", "purple"}
    old = [hair.draw_hair(random, "male", "old")[1] for _ in range(400)]
    young = [hair.draw_hair(random, "male", "young")[1] for _ in range(400)]
    assert sum(c in ("grey", "white") for c in old) > 5 * sum(c in ("grey", "white") for c in young)
    assert {hair.draw_beard(random, gender, age) for gender, age in (("female", "old"), ("male", "child"))} == {"clean"}
    assert {hair.draw_beard(random, "male", "young") for _ in range(200)} == set(BEARDS)


def test_extras_are_the_looks_last_fields():
    extras = skin.draw_extras(np.random.default_rng(1), "old", "male")
    assert list(extras) == list(skin.Look.__dataclass_fields__)[11:] and extras["makeup"] is False
