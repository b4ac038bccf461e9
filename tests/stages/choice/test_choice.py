"""Candidates about what words let expect, their scores, and which of them are shown."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from idto3d.bundle.layout import PRIOR_FILE, TEMPLATE_FILE
from idto3d.config import EMBEDDED, ChoiceOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.guidance.scorer.clay import clay_of
from idto3d.head.prior_file import load_prior
from idto3d.head.start import start_of
from idto3d.head.template_file import load_template
from idto3d.stages.choice.choose import LEFT, chosen_head, features_left, is_chosen, scored, shape_of_words
from idto3d.stages.choice.drawn import blocks, draw, middle_of, near
from idto3d.stages.choice.pick import pick, pool_size
from idto3d.stages.choice.score import guessed_embeddings, ranked, scores, wanted
from idto3d.words.asked import features_of

MODES = ("baby", "child", "old", "female", "african", "asian", "caucasian", "wide nose")


class Ruled:
    """A scorer that a rule tells: coefficient 0 is what "big nose" means; heads are guessed unless `draws`."""

    title = "ruled"

    def __init__(self, draws=False):
        self.draws = draws

    def text(self, prompts, colours=True):
        return torch.tensor([[0.0, 1.0] if "nose" in prompt else [1.0, 0.0] for prompt in prompts])

    def pictures(self, pictures):
        brightness = torch.from_numpy(pictures.mean((1, 2, 3)) / 255).float()
        return torch.nn.functional.normalize(torch.stack([brightness, 1 - brightness], 1), dim=1)

    def heads(self, coefficients):
        if self.draws:
            return None
        turned = torch.from_numpy(coefficients[:, 0]).float() / 4
        return torch.nn.functional.normalize(torch.stack([torch.ones_like(turned), turned], 1), dim=1)

    def hears(self, prompt):
        return "nose" in prompt


@pytest.fixture(autouse=True)
def few_are_drawn(monkeypatch):
    monkeypatch.setattr("idto3d.stages.choice.score.SHORTLIST", 3)


@pytest.fixture(scope="module")
def template():
    return load_template(EMBEDDED / TEMPLATE_FILE)


@pytest.fixture(scope="module")
def prior():
    return load_prior(EMBEDDED / PRIOR_FILE)


def choose(template, prior, scorer, prompt="a man with a big nose", seed=0, **choice):
    options = HeadOptions(prompt=prompt, seed=seed, choice=ChoiceOptions(**{"candidates": 400} | choice))
    start = start_of(None, options, prior)
    return chosen_head(prior.expected_coefficients(start.coefficients), start, template, scorer, options)


def test_what_words_say_is_firm_and_the_rest_varies():
    middle = middle_of(np.zeros(108), MODES, {"age": "old", "gender": "male"}, ["wide nose"], 1.0)
    assert middle.mean[107] > 0.7 and not middle.mean[:107].any()
    by_word = dict(zip(MODES, middle.deviation[100:], strict=True))
    assert by_word["baby"] == 0 and by_word["female"] < by_word["asian"] and by_word["old"] > 0
    assert middle.deviation[0] > 5 * by_word["wide nose"]


def test_a_seed_draws_one_lot_and_another_another():
    middle = middle_of(np.zeros(108), MODES, {}, [], 1.0)
    first, again, other = (draw(middle, 500, seed) for seed in ([0], [0], [1]))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert abs(first[:, 0].std() - middle.deviation[0]) < 0.1


def test_those_like_another_lie_close_to_it():
    middle = middle_of(np.zeros(108), MODES, {}, [], 1.0)
    one = draw(middle, 1, [3])[0]
    closer, farther = draw(near(middle, [one]), 200, [0]), draw(middle, 200, [0])
    gap = [np.linalg.norm(lot - one, axis=1).mean() for lot in (closer, farther)]
    assert gap[0] < 0.5 * gap[1]


def test_the_score_is_direct_and_relative(template):
    clay, scorer = clay_of(template), Ruled()
    goal = wanted(scorer, clay, "a big nose")
    heads = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    direct = scores(heads, goal, ChoiceOptions(direct=1.0, relative=0.0))
    assert direct.tolist() == [0.0, 1.0]
    relative = scores(heads, goal, ChoiceOptions(direct=0.0, relative=1.0))
    assert relative[1] > 0.9 > 0 > relative[0]


def test_heads_that_a_scorer_does_not_guess_are_told_by_some_that_are_drawn(template, monkeypatch):
    monkeypatch.setattr("idto3d.stages.choice.score.BASIS", 12)
    clay, middle = clay_of(template), middle_of(np.zeros(115), template.words, {}, [], 1.0)
    drawn = draw(middle, 30, [0])
    found = guessed_embeddings(Ruled(draws=True), clay, drawn)
    assert found.shape == (30, 2) and torch.allclose(found.norm(dim=1), torch.ones(30), atol=1e-5)


def test_the_best_candidate_has_more_of_what_is_asked_than_was_expected(template, prior):
    expected, best = choose(template, prior, None), choose(template, prior, Ruled())
    assert float(best[0]) > float(expected[0]) + 1


def test_two_seeds_are_two_people_and_one_seed_is_one(template, prior):
    first, again, other = (choose(template, prior, Ruled(), seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert float((template.shape(first) - template.shape(other)).norm(dim=1).mean()) > 0.002


def test_words_without_a_shape_still_give_somebody(template, prior):
    one, other = (choose(template, prior, Ruled(), "green hair", seed) for seed in (0, 1))
    assert not torch.equal(one, other)


def test_no_candidates_is_what_words_let_expect(template, prior):
    options = HeadOptions(prompt="an old man with a big nose", choice=ChoiceOptions(candidates=0))
    start = start_of(None, options, prior)
    expected = prior.expected_coefficients(start.coefficients)
    assert torch.equal(chosen_head(expected, start, template, Ruled(), options), expected)


def test_a_chosen_one_wins_and_one_of_another_template_is_refused(template, prior):
    own = tuple(float(value) for value in np.linspace(-1, 1, 115))
    assert choose(template, prior, Ruled(), chosen=own).tolist() == pytest.approx(own)
    for wrong in ((0.5, 0.5), (*own[:-1], 1e9)):
        with pytest.raises(UserError, match="candidate"):
            choose(template, prior, Ruled(), chosen=wrong)


def test_those_shown_fit_and_differ():
    random = np.random.default_rng(0)
    places = random.standard_normal((2000, 20))
    fit = places[:, 0]
    pool = np.argsort(-fit)[: pool_size(2000)]
    shown = pool[pick(places[pool], fit[pool], np.ones(20), 9)].tolist()
    assert shown[0] == fit.argmax() and len(set(shown)) == 9
    assert fit[shown].min() > np.quantile(fit, 0.9)
    best = np.argsort(-fit)[:9]
    gaps = [np.linalg.norm(places[some][:, None] - places[some][None], axis=-1).sum() for some in (shown, best)]
    assert gaps[0] > gaps[1]


def test_scores_are_told_for_all(template, prior):
    options = HeadOptions(prompt="a big nose", choice=ChoiceOptions(candidates=60))
    start = start_of(None, options, prior)
    expected = prior.expected_coefficients(start.coefficients).numpy()
    found = scored(expected, start, template, Ruled(), options)
    assert found.coefficients.shape == (60, 115) and found.scores.shape == (60,) and np.isfinite(found.scores).all()
    like = scored(expected, start, template, Ruled(), replace(options), [found.coefficients[0].tolist()])
    assert np.linalg.norm(like.coefficients - found.coefficients[0], axis=1).max() < 8


@pytest.mark.parametrize(
    ("prompt", "feature"),
    [("a big nose", "large nose"), ("thin lips", "thin lips"), ("a chubby man", "full cheeks")]
    + [("small eyes", "large eyes"), ("a strong jaw", "strong jaw"), ("sunken eyes", "sunken eyes")],
)
def test_who_was_chosen_for_a_feature_gets_only_what_is_missing_of_it(prompt, feature):
    assert features_left(prompt)[feature] == pytest.approx(LEFT * features_of(prompt)[feature])


def test_what_nobody_can_be_chosen_for_is_sculpted_in_full():
    for prompt in ("an elf with pointed ears", "a gaunt old man"):
        assert features_left(prompt) == features_of(prompt) != {}


def test_a_face_is_sculpted_in_full_where_nobody_was_chosen(template):
    none, options = torch.zeros(len(template.identity)), HeadOptions(prompt="a man with a big nose")
    full, less = (
        (shape_of_words(template, none, {}, options.prompt, choice) - template.neutral).norm(dim=1).max()
        for choice in (False, True)
    )
    assert float(less) == pytest.approx(LEFT * float(full), rel=1e-3)
    free = replace(options, choice=ChoiceOptions(candidates=0))
    assert is_chosen(options, Ruled()) and not is_chosen(options, None) and not is_chosen(free, Ruled())
    assert is_chosen(replace(free, choice=ChoiceOptions(candidates=0, chosen=(0.0,))), None)


def test_many_candidates_are_drawn_and_scored_in_lots_as_they_would_be_at_once(template, monkeypatch):
    middle = middle_of(np.zeros(115), (), {}, (), 1.0)
    whole = draw(middle, 100, [3])
    monkeypatch.setattr("idto3d.stages.choice.drawn.AT_ONCE", 7)
    assert np.array_equal(draw(middle, 100, [3]), whole) and whole.dtype == np.float32
    asked = (Ruled(), clay_of(template)), ("a big nose", ChoiceOptions(), 20)
    lots, once = (ranked(*asked[0], some, *asked[1]) for some in (blocks(middle, 100, [3]), [whole]))
    assert np.array_equal(lots[0], once[0]) and np.allclose(lots[1], once[1], atol=1e-6)
    assert len(once[0]) == 20 and once[0][:, 0].min() > np.quantile(whole[:, 0], 0.79)
