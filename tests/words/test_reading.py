"""Reading a prompt: the traits and phrases that it states, and those that it does not."""

import time

import pytest

from idto3d.words.captions import subject_phrase
from idto3d.words.noun_phrase import noun_phrase
from idto3d.words.prompts import lost_words, words
from idto3d.words.reading import said_phrases, said_traits

BLACK_WOMAN = {"ancestry": "african", "gender": "female"}


@pytest.mark.parametrize(
    ("prompt", "stated"),
    [
        ("with green hair", {"hair_colour": "green"}),
        (
            "an old man with short curly white hair",
            {"age": "old", "gender": "male", "hair_style": "curly", "hair_colour": "white"},
        ),
        ("brown skin and a goatee", {"skin": "brown", "beard": "goatee"}),
        ("a long face in a red shirt with blue eyes", {}),
        ("side-parted hair", {"hair_style": "side-parted"}),
        ("as a cute baby", {"age": "baby"}),
        ("a 30 year old woman", {"age": "young", "gender": "female"}),
        ("45 years old", {"age": "middle-aged"}),
        ("6-year-old girl", {"age": "child", "gender": "female"}),
        ("aged 71", {"age": "old"}),
        ("a man without a beard, not bald", {"gender": "male", "beard": "clean"}),
        ("no facial hair", {"beard": "clean"}),
        ("long wavy brown hair", {"hair_style": "wavy", "hair_colour": "brown"}),
        ("a long face, brown hair", {"hair_colour": "brown"}),
        ("old woman with a white bob", {"age": "old", "gender": "female", "hair_style": "bob", "hair_colour": "white"}),
        ("an old man with a grey beard", {"age": "old", "gender": "male", "beard": "beard", "hair_colour": "grey"}),
        ("black hair and a grey goatee", {"hair_colour": "black", "beard": "goatee"}),
        ("a grey beard and black hair", {"hair_colour": "black", "beard": "beard"}),
        ("a green beard", {"beard": "beard"}),
        ("a blond man", {"gender": "male", "hair_colour": "blonde"}),
        ("a ginger kid", {"age": "child", "hair_colour": "red"}),
        ("a brunette", {"hair_colour": "brown"}),
        ("gray-haired, dark-skinned", {"hair_colour": "grey", "skin": "dark"}),
        ("blue curls", {"hair_style": "curly", "hair_colour": "blue"}),
        ("a bearded man in a grey coat", {"gender": "male", "beard": "beard"}),
        ("clean-shaven", {"beard": "clean"}),
        ("his hair is blue", {"hair_colour": "blue"}),
        ("he has green hair", {"hair_colour": "green"}),
        ("hair long and brown", {"hair_style": "long", "hair_colour": "brown"}),
        ("dark hair", {"hair_colour": "black"}),
        ("a shaved head", {"hair_style": "bald"}),
        ("a black woman with a buzz cut", {"hair_style": "buzzcut", "skin": "dark"} | BLACK_WOMAN),
        ("a black woman with brown skin", {"skin": "brown"} | BLACK_WOMAN),
        ("a pale lady", {"skin": "pale", "gender": "female"}),
        ("no beard or mustache", {"beard": "clean"}),
        ("a man without grey hair", {"gender": "male"}),
        ("short curly hair, a red coat with a beard", {"hair_style": "curly", "beard": "beard"}),
        (
            "middle-aged asian woman, bald",
            {"age": "middle-aged", "gender": "female", "ancestry": "asian", "hair_style": "bald"},
        ),
    ],
)
def test_a_prompt_states_only_the_traits_that_it_says(prompt, stated):
    assert said_traits(prompt) == stated


def test_phrases_that_a_model_knows_are_found_also_by_their_synonyms():
    known = ["baby", "child", "old", "middle-aged", "male", "female", "round face"]
    assert said_phrases(words("a cute baby boy"), known) == ["baby", "male"]
    assert said_phrases(words("Middle-aged woman, face round"), known) == ["middle-aged", "female"]
    assert said_phrases(words("an old man with a round face"), known) == ["old", "male", "round face"]


@pytest.mark.parametrize("end", ["", "x hat"])
@pytest.mark.parametrize(
    "piece", ["with ", "and ", "aged 3 ", "brown x ", "no hair nor ", "old, ", "without an old-", "{view}", "x", " "]
)
def test_reading_takes_twice_as_long_for_twice_as_much(piece, end):
    def seconds(count):
        prompt = piece * count + end
        begun = time.process_time()
        subject_phrase({"hair_colour": "brown"} | said_traits(prompt), prompt)
        noun_phrase(prompt)
        lost_words(prompt, prompt)
        return time.process_time() - begun

    assert min(seconds(4000) for _ in range(3)) < 8 * min(seconds(1000) for _ in range(3)) + 0.05
