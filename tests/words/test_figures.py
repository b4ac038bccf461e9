"""Builds, features, beings and drawings: what words for them ask for, and which words they are not."""

import pytest

from idto3d.head.sculpt.bumps import BUMPS
from idto3d.head.sculpt.features import SHAPES
from idto3d.words.asked import features_of, features_said, painted_words, read_edit
from idto3d.words.figures import table
from idto3d.words.figures.heard import Drawn
from idto3d.words.paints import BEARERS, paint_of
from idto3d.words.reading import said_traits


def test_every_feature_of_a_table_is_a_mode_or_is_sculpted():
    assert set(table.SCULPTED) == {*SHAPES, *BUMPS} and not set(table.SCULPTED) & set(table.MODES)
    amounts = [*table.BUILDS.values(), *table.OF_PERSONS.values(), *(f.features for f in table.FIGURES.values())]
    amounts += [amount for noun in table.NOUNS.values() for amount in noun.values()]
    assert {name for one in amounts for name in one} <= set(table.FEATURES)


def test_every_figure_is_painted_in_paints_and_drawn_in_kinds():
    for figure in table.FIGURES.values():
        assert set(figure.colours) <= set(BEARERS) and all(paint_of(name) for name in figure.colours.values())
        assert set(figure.drawings) <= set(table.KINDS)
    assert all(paint_of(kind.colour) for kind in table.KINDS.values())


@pytest.mark.parametrize(
    ("prompt", "feature"),
    [
        *(("an elf", "pointed ears"), ("with elven ears", "pointed ears"), ("pointy ears", "pointed ears")),
        *(("a chubby man", "full cheeks"), ("chubby cheeks", "full cheeks"), ("she is overweight", "double chin")),
        *(("a gaunt old man", "hollow cheeks"), ("sunken cheeks", "hollow cheeks"), ("a very thin woman", "thin neck")),
        *(("deep-set eyes", "sunken eyes"), ("big blue eyes", "large eyes"), ("a square jaw", "strong jaw")),
        *(("a bigger nose", "large nose"), ("a long nose", "large nose"), ("an aquiline nose", "hooked nose")),
        *(("fuller lips", "full lips"), ("thin lips", "thin lips"), ("a muscular man", "thick neck")),
        *(("a zombie", "sunken eyes"), ("high cheekbones", "high cheekbones"), ("a round face", "round face")),
    ],
)
def test_features_are_heard_in_many_forms(prompt, feature):
    asked = read_edit(prompt)
    assert asked.features.get(feature, 0) > 0 and not asked.unknown


@pytest.mark.parametrize(
    "prompt",
    ["thin hair", "a full beard", "deep blue eyes", "long hair", "a heavy beard", "thick brows", "a big beard"],
)
def test_words_for_hair_are_no_features(prompt):
    assert not features_of(prompt)


def test_an_elfs_ears_are_no_elf_and_much_and_little_are_heard():
    assert set(features_of("with elf ears")) == {"pointed ears"} and not read_edit("with elf ears").beings
    slightly, plain, very = (features_of(f"a {much}chubby man")["full cheeks"] for much in ("slightly ", "", "very "))
    assert slightly < plain < very


@pytest.mark.parametrize(
    ("prompt", "drawn"),
    [
        ("a tattoo", Drawn("tattoo")),
        ("a tribal tattoo on his left cheek", Drawn("tattoo", place="cheek", side="left")),
        ("a red star tattoo under the right eye", Drawn("tattoo", "star", "eye", "right", "red")),
        ("green hair and a tattoo", Drawn("tattoo")),
        ("a heart painted on the cheek", Drawn("facepaint", "heart", "cheek")),
        ("red war paint", Drawn("warpaint", colour="red")),
        ("a scar on the left cheek and a goatee", Drawn("scar", place="cheek", side="left")),
        ("clown makeup", Drawn("clown")),
        ("a beauty mark above the lip", Drawn("mole", place="lip")),
    ],
)
def test_drawings_say_what_where_and_in_which_colour(prompt, drawn):
    asked = read_edit(prompt)
    assert asked.drawings == (drawn,) and not asked.unknown


def test_beings_are_painted_and_words_beside_them_win():
    assert read_edit("a zombie").colours["skin"] == "rotten"
    assert read_edit("a zombie with blue skin").colours["skin"] == "blue"
    assert "lips" not in read_edit("clown makeup").colours


def test_skin_of_any_colour_is_painted_and_tones_are_traits():
    assert read_edit("green skin").colours == {"skin": "green"} and not read_edit("dark green skin").traits
    assert read_edit("brown skin").traits == {"skin": "brown"} and not read_edit("darker skin").colours


def test_peoples_of_the_world_are_the_nearest_ancestry_with_their_skin():
    assert said_traits("a Japanese man")["ancestry"] == "asian"
    assert said_traits("an Indian woman") == {"ancestry": "caucasian", "skin": "brown", "gender": "female"}
    assert said_traits("an Indian woman with fair skin")["skin"] == "fair"
    assert said_traits("a man in his 60s")["age"] == "old" and said_traits("a 30-something woman")["age"] == "young"


def test_what_is_drawn_or_sculpted_is_not_said_to_be_unknown():
    said = painted_words("a chubby elf with a star tattoo, big eyes and a tiara")
    assert {"chubby", "elf", "star", "tattoo"} <= said and "tiara" not in said


def test_several_drawings_have_each_their_place():
    asked = read_edit("a red heart tattoo on the cheek and a spider web on the neck")
    assert asked.drawings == (Drawn("tattoo", "heart", "cheek", "", "red"), Drawn("tattoo", "web", "neck"))


@pytest.mark.parametrize(
    ("prompt", "feature"),
    [
        *(("without pointed ears", "pointed ears"), ("round ears", "pointed ears"), ("normal ears", "pointed ears")),
        *(
            ("remove the pointed ears", "pointed ears"),
            ("no double chin", "double chin"),
            ("not chubby", "full cheeks"),
        ),
        *(("an elf without pointed ears", "pointed ears"), ("no longer fat", "double chin")),
        ("without full cheeks or a double chin", "double chin"),
    ],
)
def test_what_is_denied_is_there_no_more(prompt, feature):
    asked = read_edit(prompt)
    assert asked.features[feature] == 0 and not asked.unknown and not asked.empty


def test_comparatives_go_on_and_other_words_do_not():
    assert read_edit("more pointed ears").further == read_edit("pointier ears").further == {"pointed ears"}
    assert read_edit("an even bigger nose").further == {"large nose"} and "full cheeks" in read_edit("chubbier").further
    assert not read_edit("pointed ears").further and not read_edit("a slender woman").further


@pytest.mark.parametrize(
    ("prompt", "features"),
    [
        ("a thick-necked man", {"thick neck": 1.0}),
        ("a square jawed woman", {"strong jaw": 1.0}),
        ("a big-nosed old man", {"large nose": 1.0}),
        ("a big-hearted man", {}),
    ],
)
def test_looks_of_a_part_are_no_build(prompt, features):
    assert features_of(prompt) == features


def test_a_part_of_a_being_is_no_being():
    nose, skin, eyes = (read_edit(f"a boy with {said}") for said in ("a red clown nose", "zombie skin", "alien eyes"))
    assert not nose.drawings and not nose.beings and {"clown", "nose"} <= set(nose.unknown)
    assert skin.colours == {"skin": "rotten"} and not (skin.features or skin.drawings or skin.unknown)
    assert set(eyes.features) == {"large eyes"} and eyes.colours == {"eyes": "black"}
    assert read_edit("a boy as a clown").drawings


@pytest.mark.parametrize("said", ["french braids", "a French twist", "dutch plaits", "a spanish moustache"])
def test_fashions_are_of_no_people(said):
    assert "ancestry" not in said_traits(f"a woman with {said}")
    assert said_traits(f"a french woman with {said}")["ancestry"] == "caucasian"


def test_what_is_said_of_a_face_beside_photos_is_known_but_for_beings():
    said = features_said("a gaunt man with a hooked nose, a double chin and pointed ears")
    assert sorted(said) == ["double chin", "gaunt", "hooked nose"]
    assert not features_said("a gaunt elf") and not features_said("a man with normal ears and a beard")
