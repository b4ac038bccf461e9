"""People in words: a caption is English, whatever the prompt and the photo leave out."""

import random

import numpy as np
import pytest

from idto3d.words.captions import PARTS, caption, described, filled, subject_phrase, varied, with_article
from idto3d.words.prompts import DOMAINS, heard, template, unknown_words, words

YOUNG_WOMAN = {"age": "young", "gender": "female", "skin": "fair", "hair_style": "short", "hair_colour": "brown"}
PERSON = {"skin": "fair", "hair_style": "short", "hair_colour": "black", "age": "young", "gender": "female"}
PERSON |= {"ancestry": "asian", "face": ("round face",)}


@pytest.mark.parametrize(
    ("prompt", "subject"),
    [
        ("", "a person"),
        ("green hair", "a person with green hair"),
        ("with green hair", "a person with green hair"),
        ("old", "an old person"),
        ("an old man with green hair", "an old man with green hair"),
        ("old, green hair, wearing a hat", "an old person with green hair wearing a hat"),
        ("an old with a goatee", "an old person with a goatee"),
        ("African, bald", "an african bald person"),
        ("45 years old", "a middle aged person"),
        ("a round face", "a person with a round face"),
        ("young skin", "a person with young skin"),
        ("a pirate with an eye patch", "a pirate with an eye patch"),
        ("man with a hat, grey beard", "a man with a hat and grey beard"),
        ("wearing a tiara", "a person wearing a tiara"),
        ("tiara", "a person, tiara"),
        ("elf with green hair", "a person, elf with green hair"),
        ("a man without a beard", "a man"),
        ("no beard and green hair", "a person with green hair"),
        ("with no glasses", "a person"),
        ("an", "a person"),
        ("viking with a beard", "a person, viking with a beard"),
        ("a portrait of an old man", "an old man"),
        ("no beard or glasses", "a person"),
        ("a ukrainian woman", "a ukrainian woman"),
        ("make her hair red", "a person with red hair"),
        ("he has green hair", "a person with green hair"),
        ("she is old and has white hair", "an old person with white hair"),
        ("his hair is long and brown", "a person with long brown hair"),
        ("a gray-haired guy", "a man with grey hair"),
        ("a redhead with a hat", "a person with a hat and red hair"),
        ("blonde and blue-eyed", "a person with blue eyes and blonde hair"),
        ("an old black man with a white beard", "an old african man with a white beard and dark skin"),
        ("an elderly lady with spectacles", "an old woman with glasses"),
        ("a freckled woman", "a woman with freckles"),
        ("as an infant", "a person as a baby"),
        ("a man at 60 with green hair", "an old man with green hair"),
        ("please give her long teal hair", "a person with long teal hair"),
    ],
)
def test_words_alone_become_a_portrait_of_somebody(prompt, subject):
    assert with_article(subject_phrase({}, prompt)) == subject
    assert caption("front", "albedo", subject_phrase({}, prompt)) == (
        f"a front view albedo map face portrait of {subject} on a white background"
    )


def test_the_prompt_overrules_the_photo_and_the_photo_fills_the_rest():
    assert subject_phrase(YOUNG_WOMAN, "with green hair") == "young female with fair skin and short green hair"
    assert subject_phrase(YOUNG_WOMAN, "") == "young female with fair skin and short brown hair"
    assert subject_phrase({"hair_style": "short"}, "a man with a long white beard") == (
        "man with a long white beard and short hair"
    )
    assert subject_phrase(YOUNG_WOMAN, "as a pirate") == "person as a pirate with fair skin and short brown hair"
    assert subject_phrase({"hair_colour": "brown"}, "an old man with a hat") == "old man with a hat and brown hair"
    assert subject_phrase({**YOUNG_WOMAN, "beard": "beard"}, "no beard").endswith("short brown hair")


def test_traits_that_the_prompt_says_itself_leave_its_words_as_they_are():
    said = {"age": "old", "gender": "male", "hair_colour": "green", "beard": ""}
    assert subject_phrase(said, "an old man with green hair") == "old man with green hair"


def test_a_templates_article_fits_its_subject():
    for domain in DOMAINS:
        assert filled(template(domain), "back", "old person") == caption("back", domain, "old person")
    assert filled("A {subject}, {expression}, an {view}", "side", "{view} elf", "sad") == "A {view} elf, sad, a side"
    assert filled("A {subject}; {subject}", "", "old elf") == "An old elf; old elf"
    articles = [with_article(word).split()[0] for word in ("hour", "unicorn", "European", "one eyed man", "asian")]
    assert articles == ["an", "a", "a", "a", "an"]


def test_a_closed_vocabulary_hears_the_form_that_it_holds():
    assert heard("portrait of an Old man; An ant", {"a", "old"}) == "portrait of a Old man; a ant"
    assert heard("an old man", {"a", "an"}) == heard("an old man", {"old"}) == "an old man"
    assert unknown_words("an old tiara", {"a", "old"}) == ["tiara"]
    assert unknown_words("an old tiara", {"old"}) == ["an", "tiara"]
    assert heard("Auburn hair, dark brown eyes", {"red", "brown", "dark"}) == "red hair, brown eyes"
    assert heard("auburn hair", {"auburn", "red"}) == "auburn hair"


def test_a_person_is_described_in_a_fixed_order_or_in_many():
    assert described(PERSON) == "young asian female with round face and fair skin and short black hair"
    assert described(PERSON | {"age": "baby"}, ("age", "gender")) == "female baby"
    many = {varied(PERSON, PARTS, random.Random(seed)) for seed in range(60)}
    assert len(many) > 20 and any(", short black hair, " in text for text in many)
    for text in many:
        assert {"young", "asian", "round", "face", "fair", "short", "black"} <= set(words(text))
        assert ("female" in words(text)) != ("woman" in words(text))
    assert varied(PERSON, PARTS, np.random.default_rng(3)) == varied(PERSON, PARTS, np.random.default_rng(3))
    assert varied({}, PARTS, random.Random(0)) == "person"


def test_a_varied_caption_begins_with_somebody():
    some = [(PERSON, PARTS), ({"hair_colour": "green"}, ("hair",)), ({"age": "baby", "freckles": True}, PARTS)]
    for traits, parts in some:
        for seed in range(40):
            first = words(varied(traits, parts, random.Random(seed)).split(" with ")[0].split(",")[0])
            assert first[-1] in ("female", "woman", "person", "baby")


def test_a_beard_that_only_a_scan_knows_is_described():
    assert described({"beard": "imperial"}) == "person with an imperial"
    assert described({"beard": "stubble"}) == "person with stubble" and described({"beard": "clean"}) == "person"
