"""Words chosen from a list count before those of a prompt, and leave what else it says."""

import pytest

from idto3d.words.captions import subject_phrase
from idto3d.words.corrections import settled, still_meant
from idto3d.words.reading import said_traits


@pytest.mark.parametrize(
    ("prompt", "chosen", "phrase"),
    [
        ("an old man with long red hair", {"hair_style": "bob"}, "old male with bob red hair"),
        ("as a pirate with long hair", {"hair_style": "bob"}, "person as a pirate with hair and bob hair"),
        ("short curly hair", {"hair_style": "bob"}, "person with bob hair"),
        ("a man with a goatee", {"beard": "clean"}, "male"),
        ("a woman without hair", {"hair_style": "bob"}, "female with bob hair"),
        ("with no beard", {"beard": "goatee"}, "person with a goatee"),
        ("a redhead", {"hair_colour": "black"}, "person with black hair"),
        ("", {"skin": "dark"}, "person with dark skin"),
        ("brown hair and brown skin", {"skin": "pale"}, "person with pale skin and brown hair"),
    ],
)
def test_what_is_chosen_is_said_in_place_of_what_the_prompt_says(prompt, chosen, phrase):
    left = settled(prompt, chosen)
    assert not {name for name, word in said_traits(left).items() if chosen.get(name, word) != word}
    assert subject_phrase(said_traits(prompt) | chosen, left) == phrase


def test_a_prompt_that_says_nothing_else_stays_as_it_is():
    for prompt in ("", "A woman, 25 years old, with GREEN hair!", "no beard"):
        assert settled(prompt, {}) == prompt
    assert settled("with GREEN hair!", {"hair_colour": "green", "beard": "goatee"}) == "with GREEN hair!"


def test_what_a_later_prompt_says_otherwise_is_no_longer_chosen():
    chosen = {"hair_style": "bob", "beard": "goatee"}
    assert still_meant("", chosen) == chosen
    assert still_meant("with long hair", chosen) == {"beard": "goatee"}
    assert still_meant("a bob, no beard", chosen) == {"hair_style": "bob"}
