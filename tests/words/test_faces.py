"""What is heard of a face's shape, and what of a prompt a scorer hears."""

import pytest

from idto3d.words.faces.heard import face_words, heard_tokens, of_shape, said_faces
from idto3d.words.faces.table import FACES, LOOKS, OPPOSED, TOKENS


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("an old man with a big nose and thin lips", ["big nose", "thin lips"]),
        ("a guy whose ears are huge, with a narrow jaw", ["narrow jaw", "large ears"]),
        ("a chubby girl", ["chubby face"]),
        ("a thin woman", ["gaunt face"]),
        ("a man with thin hair", []),
        ("a thin moustache", []),
        ("a woman with long hair and a round face", ["round face"]),
        ("no big nose", []),
        ("a very, very prominent chin", ["strong chin"]),
        ("small eyes, no, big eyes", ["small eyes"]),
        ("SUNKEN EYES", ["sunken eyes"]),
        ("", []),
    ],
)
def test_a_face_is_heard_in_many_words(prompt, said):
    assert said_faces(prompt) == said


def test_each_way_is_heard_by_its_own_name():
    assert all(name in said_faces(f"somebody with a {name}") for name in FACES)


def test_nobody_is_two_opposed_things():
    for group in OPPOSED:
        assert len(set(said_faces(" and ".join(group))) & set(group)) == 1, group


def test_the_words_that_say_it_are_known():
    assert face_words("an elf with a big nose") == {"big", "nose"}
    assert face_words("an elf") == set()


def test_a_scorer_hears_who_the_face_and_the_looks():
    tokens = heard_tokens("an old african woman with auburn curly hair, glasses and full lips")
    assert set(tokens) == {"old", "female", "african", "full lips", "curly hair", "red hair colour", "glasses"}
    assert set(of_shape(tokens)) == {"old", "female", "african", "full lips"}


def test_tokens_are_told_apart():
    assert len(set(TOKENS)) == len(TOKENS) and not set(FACES) & set(LOOKS)


def test_a_long_text_is_read_in_time():
    assert said_faces("big " * 2000 + "nose") in ([], ["big nose"])
