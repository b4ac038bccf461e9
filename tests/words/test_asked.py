"""What requests to change a head say: each with what it asks for, and the words that change nothing."""

import time

import pytest

from idto3d.words.asked import read_edit
from idto3d.words.edits import EditRequest
from idto3d.words.paints import BEARERS, MARKS, PAINTS
from idto3d.words.same import LEANING
from idto3d.words.traits import ATTRIBUTES, COLOURS, SKINS

REQUESTS = {
    **dict.fromkeys(
        ("green hair", "Green hair!", "with green hair", "make her hair green", "his hair is green", "hair: green"),
        {"hair_colour": "green"},
    ),
    **dict.fromkeys(("please give him green hair", "change the hair to green", "dye her hair green", "hair in green"),
                    {"hair_colour": "green"}),
    **dict.fromkeys(("green-haired", "he has green hair", "her hair should be green", "turn his red hair into green",
                     "I want green hair", "change her hair from brown to green"), {"hair_colour": "green"}),
    **dict.fromkeys(("blonde hair", "blond hair", "blonde", "as a blond", "fair hair", "fair-haired"),
                    {"hair_colour": "blonde"}),
    **dict.fromkeys(("dark hair", "black hair", "dark-haired", "jet black hair"), {"hair_colour": "black"}),
    **dict.fromkeys(("gray hair", "grey hair", "her hair is gray"), {"hair_colour": "grey"}),
    **dict.fromkeys(("ginger", "redhead", "as a redhead", "red-haired", "ginger hair"), {"hair_colour": "red"}),
    **dict.fromkeys(("brunette", "make her a brunette"), {"hair_colour": "brown"}),
    "light brown hair": {"hair_colour": "light brown"},
    "dirty blonde hair": {"hair_colour": "dark blonde"},
    "platinum blonde hair": {"hair_colour": "platinum"},
    "hair dyed navy blue": {"hair_colour": "dark blue"},
    "hot pink hair": {"hair_colour": "magenta"},
    "lilac hair": {"hair_colour": "lavender"},
    "maroon hair": {"hair_colour": "burgundy"},
    "curly teal hair": {"hair_style": "curly", "hair_colour": "teal"},
    **dict.fromkeys(("hair long and brown", "long, brown hair", "brown long hair", "long and brown hair"),
                    {"hair_style": "long", "hair_colour": "brown"}),
    **dict.fromkeys(("with short buzzcut hairstyle", "buzz cut", "buzzed hair", "a crew cut"),
                    {"hair_style": "buzzcut"}),
    **dict.fromkeys(("short haircut", "cut her hair short", "short hairdo"), {"hair_style": "short"}),
    **dict.fromkeys(("bald", "no hair", "without hair", "shaved head", "shave his head", "hairless", "remove her hair"),
                    {"hair_style": "bald"}),
    **dict.fromkeys(("curls", "curly hair", "make her hair curly"), {"hair_style": "curly"}),
    **{"a pony-tail": {"hair_style": "ponytail"}, "man bun": {"hair_style": "bun"}, "an afro": {"hair_style": "afro"}},
    "a red bob": {"hair_style": "bob", "hair_colour": "red"},
    **dict.fromkeys(
        ("shaved", "shave the beard", "no beard", "clean-shaven", "shave him", "remove his beard", "without a beard",
         "no facial hair", "shave off the moustache", "get rid of the goatee"), {"beard": "clean"},
    ),
    **{"a goatee": {"beard": "goatee"}, "mustache": {"beard": "moustache"}, "bearded": {"beard": "beard"}},
    **{"a full beard": {"beard": "beard"}, "five o'clock shadow": {"beard": "stubble"}},
    **{"as a cute baby": {"age": "baby"}, "make her a kid": {"age": "child"}, "elderly": {"age": "old"}},
    **dict.fromkeys(("at 60", "60 years old", "aged 65", "in her seventies", "sixty years old"), {"age": "old"}),
    **{"at 45": {"age": "middle-aged"}, "as a teenager": {"age": "young"}, "as an adult": {"age": "young"}},
    **dict.fromkeys(("as a male", "as a man", "make her a guy", "turn her into a gentleman"), {"gender": "male"}),
    **dict.fromkeys(("as a female", "make him a woman", "as a lady", "feminine"), {"gender": "female"}),
    "as a girl": {"age": "child", "gender": "female"},
    "an Asian woman": {"ancestry": "asian", "gender": "female"},
    **dict.fromkeys(("black person", "make him black"), {"ancestry": "african", "skin": "dark"}),
    "a white man": {"ancestry": "caucasian", "skin": "fair", "gender": "male"},
    **dict.fromkeys(("pale skin", "pale-skinned", "make her pale", "her skin is pale"), {"skin": "pale"}),
    **{"dark skin": {"skin": "dark"}, "light skin": {"skin": "fair"}, "tanned": {"skin": "tan"}},
    "green hair, pale skin and no beard": {"hair_colour": "green", "skin": "pale", "beard": "clean"},
}  # fmt: skip


@pytest.mark.parametrize(("prompt", "traits"), REQUESTS.items())
def test_a_request_names_traits_in_every_form_and_nothing_else(prompt, traits):
    assert read_edit(prompt) == EditRequest(traits=traits)


@pytest.mark.parametrize(
    ("prompt", "years"),
    [
        *(("older", 1), ("make her older", 1), ("much older", 2), ("a lot older", 2), ("a bit older", 0.5)),
        *(("20 years younger", -1), ("younger", -1), ("ten years older", 0.5), ("older by 40 years", 2)),
        *(("900 years older", 3), ("way younger", -2), ("rejuvenate her", -1), ("age him by 30 years", 1.5)),
    ],
)
def test_older_and_younger_are_steps_of_about_twenty_years(prompt, years):
    assert read_edit(prompt) == EditRequest(years=years)


@pytest.mark.parametrize(
    ("prompt", "colours"),
    [
        *(("red lipstick", {"lips": "red"}), ("dark red lips", {"lips": "dark red"}), ("lipstick", {"lips": "red"})),
        *(("blue eyes", {"eyes": "blue"}), ("green-eyed", {"eyes": "green"}), ("eyes are hazel", {"eyes": "hazel"})),
        *(("gray eyes", {"eyes": "grey"}), ("dark eyes", {"eyes": "dark brown"}), ("eyes: blue", {"eyes": "blue"})),
        *(("smoky eye shadow", {"lids": "smoky"}), ("smokey eyes", {"lids": "smoky"})),
        *(("blue eyeshadow", {"lids": "blue"}), ("blush", {"cheeks": "pink"}), ("rosy cheeks", {"cheeks": "pink"})),
        *(("mascara", {"lashes": "black"}), ("dark eyelashes", {"lashes": "black"}), ("no lipstick", {"lips": "nude"})),
        *(("black eyebrows", {"brows": "black"}), ("darker brows", {"brows": "dark brown"})),
        ("paint her lips coral and make the eyes blue", {"lips": "coral", "eyes": "blue"}),
        ("make-up", {"lips": "red", "cheeks": "pink", "lids": "smoky", "lashes": "black"}),
        ("make up with purple lips", {"lips": "purple", "cheeks": "pink", "lids": "smoky", "lashes": "black"}),
    ],
)  # fmt: skip
def test_eyes_and_make_up_have_the_colours_that_are_said(prompt, colours):
    assert read_edit(prompt) == EditRequest(colours=colours)


@pytest.mark.parametrize(
    ("prompt", "marks"),
    [
        *(("freckles", {"freckles": 1}), ("freckled", {"freckles": 1}), ("many freckles", {"freckles": 2})),
        *(("more wrinkles", {"wrinkles": 1}), ("very wrinkled", {"wrinkles": 2}), ("no wrinkles", {"wrinkles": -1})),
        *(("without freckles", {"freckles": -1}), ("fewer wrinkles", {"wrinkles": -1})),
        *(("smooth skin", {"wrinkles": -1}), ("remove the freckles and wrinkles", {"freckles": -1, "wrinkles": -1})),
    ],
)
def test_marks_come_and_go(prompt, marks):
    assert read_edit(prompt) == EditRequest(marks=marks)


def test_glasses_are_put_on_and_taken_off():
    for prompt in ("glasses", "add glasses", "with spectacles", "a pair of glasses", "put glasses on"):
        assert read_edit(prompt) == EditRequest(glasses=True)
    for prompt in ("remove the glasses", "no glasses", "take off her glasses", "take the glasses off"):
        assert read_edit(prompt) == EditRequest(glasses=False)
    assert read_edit("remove the beard and glasses") == EditRequest(traits={"beard": "clean"}, glasses=False)


def test_the_colour_of_a_beard_is_not_the_hairs_and_keeps_its_cut():
    assert read_edit("a grey beard") == EditRequest(traits={"beard": "beard"}, colours={"beard": "grey"})
    assert read_edit("a red goatee").colours == {"beard": "red"}
    assert read_edit("make his beard grey", {"beard": "goatee"}) == EditRequest(colours={"beard": "grey"})


@pytest.mark.parametrize(
    ("prompt", "now", "then"),
    [
        ("darker skin", {"skin": "brown"}, {"skin": "dark"}),
        ("darker skin", {}, {"skin": "tan"}),
        ("make her skin lighter", {"skin": "tan"}, {"skin": "fair"}),
        ("paler", {"skin": "pale"}, {"skin": "pale"}),
        ("lighter hair", {"hair_colour": "brown"}, {"hair_colour": "light brown"}),
        ("darker hair", {"hair_colour": "green"}, {"hair_colour": "dark green"}),
        ("darker hair", {"hair_colour": "auburn"}, {"hair_colour": "black"}),
        ("longer hair", {"hair_style": "buzzcut"}, {"hair_style": "short"}),
        ("shorter hair", {"hair_style": "bob"}, {"hair_style": "short"}),
    ],
)
def test_what_is_compared_depends_on_the_head_as_it_is(prompt, now, then):
    assert read_edit(prompt, now) == EditRequest(traits=then)


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        *(("sticker", ("sticker",)), ("a tiara", ("tiara",)), ("green hair and a sticker", ("sticker",))),
        *(("a red hat", ("red", "hat")), ("long beard", ("long",)), ("silken green hair", ("silken",))),
        *(("no grey hair", ("grey", "hair")), ("without a tattoo", ("tattoo",)), ("green", ("green",))),
        *(("change it please", ("change", "it", "please")), ("as a pirate", ("pirate",)), ("", ()), ("漢 !", ())),
    ],
)
def test_words_that_change_nothing_are_told_and_stop_words_are_not(prompt, unknown):
    assert read_edit(prompt).unknown == unknown


def test_many_wishes_are_read_at_once():
    asked = read_edit("Much older, short grey hair with a white beard, blue eyes, glasses and freckles")
    assert asked == EditRequest(
        traits={"hair_style": "short", "hair_colour": "grey", "beard": "beard"},
        years=2.0,
        colours={"beard": "white", "eyes": "blue"},
        marks={"freckles": 1.0},
        glasses=True,
    )


@pytest.mark.parametrize("colour", COLOURS)
def test_every_colour_dyes_hair_and_paints(colour):
    assert read_edit(f"{colour} hair") == EditRequest(traits={"hair_colour": colour})
    assert read_edit(f"her hair is {colour}") == EditRequest(traits={"hair_colour": colour})
    assert read_edit(f"{colour} lips").colours == {"lips": colour}


def test_a_request_asks_only_for_what_there_is():
    for name, bearer in BEARERS.items():
        for paint in PAINTS.values():
            if name == "skin" and {*paint.name.split()} & {*SKINS, *LEANING["skin"]} - {"dark", "light"}:
                continue  # a tone, and no paint
            told = "lids" if (paint.name, name) == ("smoky", "eyes") else name
            assert read_edit(f"{paint.name} {bearer.nouns[0]}").colours == {told: paint.name}
            assert all(0 <= channel <= 1 for channel in paint.rgb_on(name))
        assert not bearer.cosmetics or bearer.usual in PAINTS
    for mark in MARKS:
        assert read_edit(mark).marks == {mark: 1}
    for attribute, choices in ATTRIBUTES.items():
        assert {read_edit(f"{one} {attribute.split('_')[0]}").traits.get(attribute) for one in choices} <= {
            *choices,
            None,
        }


@pytest.mark.parametrize("piece", ["green ", "hair is ", "no beard and ", "older by ", "no grey ", "as a ", "x", "- "])
def test_a_request_twice_as_long_takes_twice_as_long(piece):
    def seconds(count):
        begun = time.process_time()
        read_edit(piece * count)
        return time.process_time() - begun

    assert min(seconds(2000) for _ in range(2)) < 8 * min(seconds(500) for _ in range(2)) + 0.05


@pytest.mark.parametrize(("prompt", "traits"), [("blonde eyebrows", {}), ("blonde beard", {"beard": "beard"})])
def test_a_colour_of_brows_or_a_beard_is_none_of_the_hair(prompt, traits):
    asked = read_edit(prompt)
    assert asked.traits == traits and "blonde" in asked.colours.values()
