"""Who a head is, from photos and words: one answer that shape, colours and captions share."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from idto3d.config import HeadOptions, SubjectOptions
from idto3d.head.colours import natural_tone
from idto3d.head.prior import HeadPrior, PriorSize
from idto3d.head.prior_file import without_regression
from idto3d.head.start import DEFAULT, EMBEDDING, PHOTOS, WORDS, Trait, start_from, start_of, start_tensors, start_words
from idto3d.subject.subject import Subject
from idto3d.words.traits import COLOURS, HAIR_STYLES

PACKAGE = Path(__file__).parents[2] / "idto3d"
SIZE = PriorSize(modes=2, embedding=4, coarse=0.03, fine=0.02, motion_width=8, colour_width=8, words=("old", "male"))


@pytest.fixture
def prior():
    """It moves for "old" and "male", and takes whoever has a large first number for somebody with an afro."""
    made = HeadPrior(SIZE)
    made.word_codes.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.5]]))
    made.shape_map[0, 0] = 2.0
    made.style_map[0, HAIR_STYLES.index("afro")] = 1.0
    return made.requires_grad_(False)


def somebody(**traits) -> Subject:
    return Subject(np.array([1, 0, 0, 0], np.float32), traits)


def test_words_of_the_prompt_shift_the_shape(prior):
    assert start_of(None, HeadOptions(prompt="an old man"), prior).coefficients.tolist() == [1.0, 0.5]
    assert start_of(None, HeadOptions(prompt="green hair"), prior).coefficients.tolist() == [0, 0]
    assert start_of(somebody(), HeadOptions(prompt="old"), prior).coefficients.tolist() == [3.0, 0.0]


def test_words_overrule_photos_and_photos_overrule_guesses(prior):
    start = start_of(somebody(hair_style="bob", hair_colour="black"), HeadOptions(prompt="with green hair"), prior)
    assert start.traits["hair_colour"] == Trait("green", WORDS) and start.traits["hair_style"] == Trait("bob", PHOTOS)
    assert start_of(somebody(), HeadOptions(prompt=""), prior).traits["hair_style"] == Trait("afro", EMBEDDING)
    assert start_of(None, HeadOptions(prompt=""), prior).traits["hair_style"] == Trait("short", DEFAULT)


def test_a_guessed_afro_reaches_the_caption_and_a_colour_that_photos_show_the_brows(prior):
    start = start_of(somebody(hair_colour="brown"), HeadOptions(prompt=""), prior)
    assert "afro" in start.subject and start.words()["hair_style"] == "afro"
    assert natural_tone(start.words()) == COLOURS["brown"].rgb


def test_what_nobody_says_shapes_the_hair_and_stays_out_of_the_caption(prior):
    start = start_of(None, HeadOptions(prompt="a pirate with a long white beard"), prior)
    assert start.words()["hair_style"] == "short" and start.subject == "pirate with a long white beard"


def test_photos_that_may_say_no_traits_suggest_no_hair_either(prior):
    silent = HeadOptions(subject=SubjectOptions(traits=False))
    assert start_of(somebody(), silent, prior).traits["hair_style"] == Trait("short", DEFAULT)


def test_a_beard_that_is_denied_is_none(prior):
    assert start_of(None, HeadOptions(prompt="a man with a goatee"), prior).words()["beard"] == "goatee"
    assert start_of(somebody(beard="goatee"), HeadOptions(prompt="without a goatee"), prior).words()["beard"] == "clean"


def test_a_face_that_the_head_prior_cannot_read_is_not_guessed_at_and_words_are_heard(prior):
    stranger = Subject(np.ones(7, np.float32), {})
    deaf = without_regression(prior, 7)
    start = start_of(stranger, HeadOptions(prompt="old"), deaf)
    assert start.coefficients.tolist() == [1.0, 0.0] and not deaf.reads_faces and prior.reads_faces
    assert start.traits == {"age": Trait("old", WORDS), "hair_style": Trait("short", DEFAULT)}
    mean = start_of(stranger, HeadOptions(prompt="old"), without_regression(prior, 7, words=False))
    assert mean.coefficients.tolist() == [0.0, 0.0] and mean.words()["age"] == "old"
    points = torch.tensor([[0.0, 0.0, 0.09]])
    assert torch.equal(deaf.distance(points, start.coefficients), prior.distance(points, start.coefficients))


@pytest.mark.parametrize("prompt", ["a teenage boy", "an adolescent blonde boy", "a boy in his late teens"])
def test_who_is_nearly_grown_up_has_no_shape_of_a_child(prompt):
    prior = HeadPrior(replace(SIZE, words=("child", "male")))
    prior.word_codes.copy_(torch.eye(2))
    grown, start, child = (start_of(None, HeadOptions(prompt=one), prior) for one in ("a man", prompt, "a young boy"))
    assert start.words()["age"] == "young" and child.words()["age"] == "child"
    assert torch.equal(start.coefficients, grown.coefficients)
    assert not torch.equal(child.coefficients, grown.coefficients)


def test_a_start_is_saved_and_read_back_with_or_without_the_face(prior):
    start = start_of(somebody(), HeadOptions(prompt="an old man"), prior)
    again = start_from(start_tensors(start, True), start_words(start))
    assert again.words() == start.words() and again.subject == start.subject
    assert np.array_equal(again.embedding, start.embedding)
    assert torch.equal(again.coefficients, start.coefficients)
    without = start_tensors(start, False)
    assert list(without) == ["start.coefficients"] and start_from(without, start_words(start)).embedding is None


@pytest.mark.parametrize("called", ["shape_code", "word_shift", "hair_style", "said_traits", "subject_phrase"])
def test_traits_captions_and_coefficients_come_from_here_alone(called):
    edits = {"stages/edit/who.py"} if called == "word_shift" else set()  # what words add to a head that is there
    callers = set()
    for path in (p for p in PACKAGE.rglob("*.py") if p.relative_to(PACKAGE).parts[0] not in ("words", "training")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called in (getattr(node.func, "attr", ""), getattr(node.func, "id", "")):
                callers.add(str(path.relative_to(PACKAGE)))
    assert callers == {"head/start.py"} | edits


def test_a_correction_overrules_photos_and_prompt(prior):
    chosen = HeadOptions(prompt="an old man with long hair", subject=SubjectOptions(hair_style="bob", beard="goatee"))
    start = start_of(somebody(hair_style="afro", beard="clean", hair_colour="black"), chosen, prior)
    assert start.traits["hair_style"] == Trait("bob", WORDS) and start.traits["beard"] == Trait("goatee", WORDS)
    assert start.traits["hair_colour"] == Trait("black", PHOTOS)
    assert start.subject == "old male with bob black hair and a goatee"
    assert start.coefficients.tolist() == [3.0, 0.5]


def test_a_correction_without_photos_is_a_word_as_well(prior):
    start = start_of(None, HeadOptions(subject=SubjectOptions(skin="dark")), prior)
    assert start.traits["skin"] == Trait("dark", WORDS) and start.subject == "person with dark skin"
