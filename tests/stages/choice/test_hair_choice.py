"""Hair by text, and colours of candidates: what words name wins, and pictures show it."""

import numpy as np
import pytest
import torch

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.guidance.scorer.clay import clay_of
from idto3d.guidance.scorer.file import new_scoring
from idto3d.guidance.scorer.scorer import OwnScorer
from idto3d.head.features.eyes import NAMES, eye_of
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.paint.usual_skin import lip_share
from idto3d.head.start import DEFAULT, WORDS, Start, Trait
from idto3d.head.template_file import load_template
from idto3d.stages.choice.coloured import brows_of
from idto3d.stages.choice.hair import TURNED_DEG, WHOLE, grown_hair, hair_picture, in_colour, ranked_hair, said_by
from idto3d.stages.choice.picture import picture_of, portrait_of
from idto3d.words.paints import EYES
from idto3d.words.reading import said_traits
from idto3d.words.traits import COLOURS, HAIR_STYLES

NOBODY = Start(None, {}, "person", torch.zeros(1))


@pytest.fixture(scope="module")
def scorer():
    torch.manual_seed(0)
    scoring = new_scoring(115)
    with torch.no_grad():
        said = OwnScorer(scoring, "").text(["an old woman"])[0]
        scoring.towers.styles[HAIR_STYLES.index("bun")] = said
        scoring.towers.colours[4] = said  # grey
    return OwnScorer(scoring, "")


def test_the_scorer_says_what_goes_with_words(scorer):
    styles, colours = ranked_hair(scorer, "an old woman", {})
    assert next(iter(styles)) == "bun" and next(iter(colours)) == "grey"
    assert set(styles) == set(HAIR_STYLES) and set(colours) == set(COLOURS)


def test_what_words_name_wins_and_nobody_has_green_hair_unasked(scorer):
    styles, colours = ranked_hair(scorer, "an old woman", {"hair_style": "afro", "hair_colour": "green"})
    assert next(iter(styles)) == "afro" and next(iter(colours)) == "green"
    _, unasked = ranked_hair(scorer, "an old woman", {})
    assert not any(COLOURS[name].dyed for name in list(unasked)[:8])


def test_without_our_scorer_the_usual_hair_comes_first():
    styles, colours = ranked_hair(None, "", {})
    assert next(iter(styles)) == "short" and next(iter(colours)) == "brown"


def test_pictures_show_hair_in_its_colour():
    template = load_template(EMBEDDED / TEMPLATE_FILE)
    clay = clay_of(template)
    portrait = portrait_of(template, clay, np.zeros(115, np.float32), NOBODY, "")
    hair = grown_hair(template, portrait, "short", "brown", 0)
    bald, green = (
        picture_of(portrait, 48, WHOLE, TURNED_DEG),
        hair_picture(portrait, hair, in_colour(hair, "green"), 48),
    )
    assert bald.shape == green.shape == (48, 48, 3) and bald.dtype == np.uint8
    assert np.array_equal(hair_picture(portrait, None, None, 48), bald)
    crown = green[6:10, 20:28].reshape(-1, 3).astype(int)
    assert (crown[:, 1] - crown[:, 0]).mean() > 20  # green
    assert np.array_equal(green[30:33, 12:15], bald[30:33, 12:15])  # the mouth is free


@pytest.mark.parametrize("style", ["afro", "bun", "long"])
def test_no_picture_cuts_hair_off(style):
    template = load_template(EMBEDDED / TEMPLATE_FILE)
    portrait = portrait_of(template, clay_of(template), np.zeros(115, np.float32), NOBODY, "")
    hair = grown_hair(template, portrait, style, "green", 0)
    seen = hair_picture(portrait, hair, hair.albedo, 64).astype(int)
    green = seen[..., 1] - seen[..., 0] > 20
    assert green.sum() > 200 and not (green[0].any() or green[:, 0].any() or green[:, -1].any() or green[-1].any())
    assert hair.part.vertices[:, 1].max() < WHOLE.target[1] + WHOLE.distance_m * np.tan(np.radians(8.5))


def test_what_is_usual_where_nobody_says_anything_is_not_said(scorer):
    traits = {"hair_style": Trait("short", DEFAULT), "hair_colour": Trait("green", WORDS)}
    styles, colours = ranked_hair(scorer, "an old woman", said_by(Start(None, traits, "person", torch.zeros(1))))
    assert next(iter(styles)) == "bun" and next(iter(colours)) == "green"


def test_pictures_show_the_features_that_words_name():
    template = load_template(EMBEDDED / TEMPLATE_FILE)
    plain, elf = (
        portrait_of(template, clay_of(template), np.zeros(115, np.float32), NOBODY, prompt) for prompt in ("", "an elf")
    )
    higher = (elf.vertices - plain.vertices)[:, 1]
    assert higher.max() > 0.01 and abs(plain.vertices[higher.argmax(), 0]) > 0.06  # at an ear


@pytest.fixture(scope="module")
def portrayed():
    """portrayed(prompt): the template, and linear colours [V, 3] of the picture of the mean head for a prompt."""
    template = load_template(EMBEDDED / TEMPLATE_FILE)
    clay, nobody = clay_of(template), np.zeros(len(template.identity), np.float32)

    def of(prompt):
        traits = {name: Trait(word, WORDS) for name, word in said_traits(prompt).items()}
        return template, portrait_of(template, clay, nobody, Start(None, traits, "person", torch.zeros(1)), prompt)

    return of


def ring(template, side):
    """The vertices of an iris between pupil and rim."""
    own, centre = template.part(NAMES[side]).vertices, eye_of(template, template.neutral, side).centre
    offset = (template.neutral[own] - centre).numpy()
    radius = np.hypot(offset[:, 0], offset[:, 1])
    return own.start + np.flatnonzero((offset[:, 2] > 0) & (radius < 0.005) & (radius > 0.0025))


@pytest.mark.parametrize(
    ("prompt", "left", "right"),
    [
        ("a man with blue eyes", "blue", "blue"),
        ("an old african woman with green eyes", "green", "green"),
        ("a woman with one black eye and one blue eye", "black", "blue"),
        ("a boy whose left eye is grey", "grey", "brown"),
    ],
)
def test_a_candidate_has_the_eyes_that_its_words_name(portrayed, prompt, left, right):
    template, portrait = portrayed(prompt)
    for side, colour in enumerate((left, right)):
        np.testing.assert_allclose(portrait.colours[ring(template, side)].mean(0), EYES[colour], atol=2e-3)


def test_a_candidate_has_the_skin_lips_and_brows_that_its_words_name(portrayed):
    template, plain = portrayed("a woman")
    _, told = portrayed("a woman with green skin, red lips and white eyebrows")
    mean = template.neutral[template.part("skin").vertices].double().numpy()
    lips, brow = lip_share(mean) > 0.95, brows_of(mean, False)[:, 0] > 0.7
    cheek = skin_masks(mean)["cheeks"] > 0.5
    before, after = (one.colours[template.part("skin").vertices] for one in (plain, told))
    assert (after[cheek, 1] > after[cheek, 0]).all() and (before[cheek, 1] < before[cheek, 0]).all()
    assert after[lips, 0].mean() > 6 * after[lips, 1].mean() and after[brow].mean() > 2 * before[brow].mean()
