"""The words for a person after an edit."""

import pytest

from idto3d.words.changed import subject_after

BALD = "young male with bald head and blue eyes"
WOMAN = "young female with short brown hair"


@pytest.mark.parametrize(
    ("subject", "traits", "more", "gone", "expected"),
    [
        (WOMAN, {"hair_colour": "green"}, (), (), "young female with short green hair"),
        (WOMAN, {"gender": "male", "beard": "goatee"}, (), (), "young male with short brown hair and a goatee"),
        (WOMAN, {}, ("blue eyes",), (), "young female with short brown hair and blue eyes"),
        (f"{WOMAN} and blue eyes", {}, ("green eyes",), (), "young female with short brown hair and green eyes"),
        ("person as a pirate", {"hair_colour": "red"}, (), (), "person as a pirate with red hair"),
        ("person", {}, ("freckles",), (), "person with freckles"),
        ("person with freckles", {}, (), ("freckles",), "person"),
        ("person with glasses and freckles", {}, (), ("freckles",), "person with glasses"),
        ("person with freckles", {}, ("freckles",), (), "person with freckles"),
        ("middle aged man with short hair", {"age": "young"}, (), (), "young male with short hair"),
        ("young man with short hair and blue eyes", {"hair_style": "bald"}, (), (), BALD),
    ],
)
def test_what_is_new_takes_the_place_of_what_was(subject, traits, more, gone, expected):
    assert subject_after(subject, traits, more, gone) == expected
