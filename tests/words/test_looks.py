"""Glasses by their frames, brows, one eye alone, styles of hair, and less of a feature: what words for them ask for."""

import pytest

from idto3d.words.asked import features_of, painted_words, read_edit
from idto3d.words.captions import described
from idto3d.words.edits import EditRequest
from idto3d.words.figures.heard import Drawn
from idto3d.words.figures.table import CONTRARY_TO, FEATURES, ONE_SIDED
from idto3d.words.looks.eyewear import Frames
from idto3d.words.prompts import heard
from idto3d.words.reading import said_traits
from idto3d.words.traits import STYLES, TAUGHT_STYLES


@pytest.mark.parametrize(
    ("prompt", "frames"),
    [
        *(("round glasses", Frames("round")), ("a man with square glasses", Frames("square"))),
        *(("sunglasses", Frames(dark=True)), ("aviator sunglasses", Frames("aviator", dark=True))),
        *(("cat-eye glasses", Frames("cat-eye")), ("dark glasses", Frames(dark=True))),
        *(("thick black glasses", Frames(colour="black", thick=1.6)), ("dark red glasses", Frames(colour="dark red"))),
        *(
            ("glasses", None),
            ("reading glasses", None),
            ("wire-rimmed round glasses", Frames("round", thick=0.55)),
        ),
    ],
)
def test_glasses_have_the_frames_that_are_said(prompt, frames):
    asked = read_edit(prompt)
    assert asked.glasses and asked.frames == frames and not asked.unknown
    assert {"glasses", "sunglasses"} & painted_words(prompt)


@pytest.mark.parametrize(
    "prompt",
    [
        *("remove the sunglasses", "no sunglasses", "no aviator sunglasses", "no round glasses", "no black glasses"),
        *("remove the round glasses", "without thick black glasses", "take off her dark red glasses", "no aviators"),
        *("take the round glasses off", "not wearing horn-rimmed glasses", "remove the glasses with black frames"),
    ],
)
def test_glasses_of_any_form_are_taken_off(prompt):
    assert read_edit(prompt) == EditRequest(glasses=False)


def test_frames_are_heard_behind_glasses():
    assert read_edit("glasses with black frames") == EditRequest(glasses=True, frames=Frames(colour="black"))
    assert read_edit("glasses with a thick frame") == EditRequest(glasses=True, frames=Frames(thick=1.6))
    assert read_edit("remove the round glasses and the beard") == EditRequest({"beard": "clean"}, glasses=False)


@pytest.mark.parametrize(
    ("prompt", "frames"),
    [
        *(("swap glasses for sunglasses", Frames(dark=True)), ("glasses, sunglasses", Frames(dark=True))),
        *(("swap sunglasses for glasses", Frames(dark=False)), ("clear lenses", Frames(dark=False))),
        ("round glasses instead of sunglasses", Frames("round", dark=False)),
        ("not round glasses but square glasses", Frames("square")),
    ],
)
def test_of_several_glasses_those_to_be_worn_are_meant(prompt, frames):
    assert read_edit(prompt) == EditRequest(glasses=True, frames=frames)


@pytest.mark.parametrize("prompt", ["less chubby", "not so chubby", "a bit less chubby", "much less chubby"])
def test_less_takes_away_and_none_takes_all(prompt):
    asked = read_edit(prompt)
    assert asked.features["full cheeks"] < 0 and "full cheeks" in asked.further and not asked.unknown
    assert read_edit("not chubby").features["full cheeks"] == 0


def test_less_of_what_is_no_feature_is_none_of_it_or_another_word():
    assert read_edit("less wrinkles").marks == {"wrinkles": -1} and read_edit("less old").years == -1
    assert read_edit("less long hair", {"hair_style": "long"}).traits == {"hair_style": "short"}


@pytest.mark.parametrize(
    ("prompt", "same"),
    [
        *(("not so old", "younger"), ("not quite so young", "older"), ("not as dark skin", "lighter skin")),
        *(("not so long hair", "shorter hair"), ("not too pale", "tanner"), ("not that tanned", "paler")),
        ("her hair is not so short", "longer hair"),
    ],
)
def test_not_so_is_less(prompt, same):
    assert read_edit(prompt) == read_edit(same) and not read_edit(prompt).unknown


@pytest.mark.parametrize("prompt", ["a smaller nose", "make the nose smaller", "nose smaller", "make her nose smaller"])
def test_a_look_may_follow_what_looks_so(prompt):
    asked = read_edit(prompt)
    assert asked.features == {"small nose": 1.0} and asked.further == {"small nose"} and not asked.unknown


def test_looks_stay_with_the_noun_that_follows_them():
    said = features_of("a man with small eyes big ears and thin lips")
    assert said == {"large eyes": -0.8, "large ears": 1.0, "thin lips": 1.0}


def test_what_goes_with_a_build_may_be_there_already_and_what_is_named_is_as_named():
    assert "sunken eyes" in read_edit("gaunt").at_least and not read_edit("sunken eyes").at_least
    assert "sunken eyes" not in read_edit("gaunt with sunken eyes").at_least
    assert {*CONTRARY_TO, *ONE_SIDED} <= {*FEATURES} and all(
        CONTRARY_TO[other] == one for one, other in CONTRARY_TO.items()
    )


@pytest.mark.parametrize(
    ("prompt", "colours"),
    [
        ("his left eye is green", {"left eye": "green"}),
        ("a dark blue right eye and red lips", {"right eye": "dark blue", "lips": "red"}),
        ("one blue eye and one brown eye", {"left eye": "blue", "right eye": "brown"}),
        ("heterochromia", {"left eye": "blue", "right eye": "brown"}),
        ("blue eyes", {"eyes": "blue"}),
    ],
)
def test_one_eye_alone_may_have_a_colour(prompt, colours):
    assert read_edit(prompt).colours == colours and not read_edit(prompt).unknown


def test_brows_are_fuller_or_finer():
    assert read_edit("bushy eyebrows").marks == {"full brows": 1.0} == read_edit("thick brows").marks
    assert read_edit("thin black eyebrows").marks == {"full brows": -1.0} and not features_of("thick brows")


@pytest.mark.parametrize(
    ("prompt", "style"),
    [
        *(
            ("wavy hair", "wavy"),
            ("long wavy brown hair", "wavy"),
            ("short wavy hair", "messy"),
            ("tousled hair", "messy"),
        ),
        *(("slicked back black hair", "slicked"), ("an undercut", "undercut")),
        *(("a messy bun", "bun"), ("make his hair wavy", "wavy"), ("long straight hair", "long")),
    ],
)
def test_styles_of_hair_are_heard_in_many_words(prompt, style):
    assert said_traits(prompt)["hair_style"] == style and not read_edit(prompt).unknown


def test_weights_that_never_saw_a_style_hear_the_nearest_that_they_saw():
    for name in STYLES.keys() - {*TAUGHT_STYLES}:
        assert STYLES[name].heard_as in TAUGHT_STYLES and not any(STYLES[name].chances)
        said = described({"hair_style": name, "hair_colour": "red"})
        assert heard(said, {"red", "hair", *TAUGHT_STYLES}) == said.replace(name, STYLES[name].heard_as)


@pytest.mark.parametrize(
    ("prompt", "kind"),
    [
        *(("pimples", "acne"), ("age spots", "agespots"), ("vitiligo", "vitiligo"), ("a black eye", "bruise")),
        *(("a bloody face", "bloodstains"), ("sunburned", "sunburn"), ("a bindi", "bindi"), ("a monobrow", "unibrow")),
        *(("a cleft chin", "cleft"), ("dimples", "dimples"), ("a dirty face", "dirt")),
    ],
)
def test_what_skin_has_is_drawn(prompt, kind):
    asked = read_edit(prompt)
    assert [one.kind for one in asked.drawings] == [kind] and not asked.unknown


def test_colours_are_no_blemishes():
    assert not read_edit("dirty blonde hair, blood red lips and black eyes").drawings
    assert Drawn("bruise", place="cheek", side="left") in read_edit("bruises on the left cheek").drawings


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        *(("a black eye patch", ("black", "eyepatch")), ("bruised lips", ("bruised",)), ("long lashes", ("long",))),
        *(("her eyes are bruised", ("are", "bruised")), ("a cat-like face", ("cat",))),
    ],
)
def test_words_that_mean_nothing_of_their_noun_are_told(prompt, unknown):
    assert read_edit(prompt) == EditRequest(unknown=unknown)


def test_words_of_eyes_stay_with_eyes():
    for prompt in ("droopy eyes", "droopy blue eyes", "her eyes are droopy", "droopy-eyed"):
        assert features_of(prompt) == {"hooded eyes": 1.0}
    assert features_of("cat-like green eyes") == {"upturned eyes": 1.0}
    assert read_edit("a droopy moustache") == EditRequest({"beard": "moustache"}, unknown=("droopy",))
    assert read_edit("a bruised man").drawings == read_edit("a bruised eye").drawings == (Drawn("bruise"),)


def test_sideburns_are_a_beard_as_whiskers_are():
    for prompt in ("sideburns", "side burns", "mutton chops", "whiskers"):
        assert read_edit(prompt) == EditRequest({"beard": "beard"})


def test_albinos_are_pale_all_over_and_nouns_tell_of_a_gender():
    albino = read_edit("an albino man")
    assert albino.traits["skin"] == "pale" and albino.colours["lashes"] == "white" and not albino.unknown
    assert said_traits("a queen with a crown")["gender"] == "female" and "queen" in read_edit("a queen").unknown
