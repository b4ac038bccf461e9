"""Words about looks: what a prompt states, what a photo adds, and which colours they stand for."""

import numpy as np
import pytest
import torch

from idto3d.head.prior import SKIN_ALBEDO, toned
from idto3d.words import looks

YOUNG_WOMAN = {"age": "young", "gender": "female", "skin": "fair", "hair_style": "short", "hair_colour": "brown"}


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
        ("long wavy brown hair", {"hair_style": "long", "hair_colour": "brown"}),
        ("a long face, brown hair", {"hair_colour": "brown"}),
        (
            "middle-aged asian woman, bald",
            {"age": "middle-aged", "gender": "female", "ancestry": "asian", "hair_style": "bald"},
        ),
    ],
)
def test_a_prompt_states_only_what_it_says_of_looks(prompt, stated):
    assert looks.said_looks(prompt) == stated


def test_the_prompt_overrules_the_photo_and_the_photo_fills_the_rest():
    assert looks.subject_of("with green hair", YOUNG_WOMAN) == "young female with fair skin and short green hair"
    assert looks.subject_of("", YOUNG_WOMAN) == "young female with fair skin and short brown hair"
    assert looks.subject_of("wearing a tiara", YOUNG_WOMAN).endswith(", wearing a tiara")
    assert looks.subject_of("an old man with a hat", YOUNG_WOMAN).endswith(", hat")  # not all of it again
    assert looks.subject_of("with green hair", {}) == "person with green hair"


def test_what_a_prompt_denies_is_not_asked_for():
    assert looks.subject_of("a man without a beard", {}) == "man"
    assert looks.subject_of("no beard and green hair", {}) == "green hair"
    assert looks.subject_of("with no glasses", {}) == "person"
    assert looks.subject_of("no beard", {**YOUNG_WOMAN, "beard": "beard"}).endswith("short brown hair")


def test_tones_go_from_pale_to_dark_and_hair_has_the_colour_of_its_word():
    tones = [np.mean(looks.skin_tone({"skin": word})) for word in looks.SKINS]
    assert tones == sorted(tones, reverse=True)
    assert looks.skin_tone({}) is None and looks.hair_tone({"hair_colour": ""}) is None
    assert looks.hair_tone({"hair_colour": "green"})[1] > 3 * looks.hair_tone({"hair_colour": "green"})[0]


def test_skin_takes_a_tone_while_eyes_and_brows_keep_theirs():
    skin, sclera, pupil = SKIN_ALBEDO, (0.72, 0.68, 0.64), (0.012, 0.01, 0.01)
    dark = looks.skin_tone({"skin": "dark"})
    found = toned(torch.tensor([skin, sclera, pupil]), dark)
    assert found[0].tolist() == pytest.approx(dark, abs=1e-4)
    assert found[1].tolist() == pytest.approx(sclera, rel=0.12) and found[2].tolist() == pytest.approx(pupil, rel=0.05)
