"""Synthetic people in words and numbers; nothing is rendered."""

import random
from dataclasses import asdict

import numpy as np
import torch

from idto3d.training.denoiser import DenoiserOptions, draw_batch
from idto3d.training.people.person import PLAIN, changed, draw_person, second_moments, word_codes
from idto3d.training.train import known_words
from idto3d.words.captions import PARTS, varied, varied_words
from idto3d.words.prompts import words

WORDS = ("baby", "child", "old", "female", "african", "asian", "caucasian", "round face", "long face", "wide nose")


def coefficient(person, word: str) -> float:
    return float(person.coefficients[PLAIN + WORDS.index(word)])


def test_without_words_nobody_has_an_age_a_gender_or_an_ancestry():
    for seed in range(20):
        person = draw_person(seed)
        assert person.coefficients.shape == (100,)
        assert not any((person.look.age, person.look.gender, person.look.ancestry, person.look.face))
        assert person.subject().startswith("person with ")


def test_the_shape_has_the_words_that_the_look_says():
    for seed in range(150):
        person = draw_person(seed, WORDS)
        look = person.look
        assert (coefficient(person, "baby") > 0.7) == (look.age == "baby")
        assert (coefficient(person, "old") > 0.7) == (look.age == "old")
        assert 0.3 < coefficient(person, "old") < 0.6 or look.age != "middle-aged"
        assert (coefficient(person, "female") > 0) == (look.gender == "female")
        assert all((coefficient(person, word) > 0) == (word in look.face) for word in WORDS if " " in word)
        assert not {"round face", "long face"} <= set(look.face)
        assert look.beard == "clean" or (look.gender == "male" and look.age not in ("baby", "child"))


def test_the_same_seed_gives_the_same_person():
    once, twice = draw_person(5, WORDS), draw_person(5, WORDS)
    assert once.look == twice.look and np.array_equal(once.coefficients, twice.coefficients)


def test_a_person_with_another_age_keeps_the_rest():
    person = next(p for p in (draw_person(seed, WORDS) for seed in range(50)) if p.look.beard == "beard")
    baby = changed(person, WORDS, age="baby")
    assert coefficient(baby, "baby") == 1 and baby.look.beard == "clean" and baby.subject().split()[2] == "baby"
    assert np.array_equal(baby.coefficients[:PLAIN], person.coefficients[:PLAIN])
    woman = changed(person, WORDS, gender="female")
    assert coefficient(woman, "female") == 0.5 and coefficient(person, "female") < 0


def test_the_vocabulary_holds_every_word_that_a_varied_caption_says():
    people = [draw_person(seed, WORDS) for seed in range(80)]
    known = set(known_words([word for person in people for word in words(person.subject())]))
    said = {word for p in people for s in range(5) for word in words(varied(asdict(p.look), PARTS, random.Random(s)))}
    assert said <= known and {"woman", "cute"} <= known
    assert varied_words(["hair"]) == [] and "baby" not in known_words()


def test_training_captions_vary_and_the_same_generator_repeats_them(small):
    people = small.made_up_people()
    which = torch.zeros(12, dtype=torch.long)
    keep = DenoiserOptions(drop=0.0, drop_all=0.0)
    latents = torch.zeros(len(people.person), 4, 4, 4)

    def captions():
        return draw_batch(people, latents, "geometry", which, keep, torch.Generator().manual_seed(2)).captions

    assert captions() == captions() and len(set(captions())) > 6


def test_second_moments_and_word_codes_follow_the_people():
    spread = second_moments(WORDS, 0)
    assert spread.shape == (110, 110) and np.allclose(np.diag(spread)[:100].mean(), 0.7, atol=0.1)
    assert np.linalg.eigvalsh(spread).min() > 0
    codes = word_codes(WORDS, np.eye(110, dtype=np.float32))
    assert np.allclose(codes["male"], -codes["female"]) and np.allclose(codes["middle-aged"], 0.45 * codes["old"])
    assert set(codes) == {*WORDS, "male", "middle-aged"}
    assert word_codes((), np.eye(100, dtype=np.float32)) == {}
