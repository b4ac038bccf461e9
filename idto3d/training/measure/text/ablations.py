"""What choosing is worth: heads of the prompts as they are chosen in several ways, and what is measured of each."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from scipy.stats import spearmanr
from torch.nn.functional import normalize

from idto3d.config import ChoiceOptions, HeadOptions
from idto3d.guidance.scorer.clay import clay_of
from idto3d.guidance.scorer.scorer import Scorer
from idto3d.head.prior import HeadPrior
from idto3d.head.start import Start, start_of
from idto3d.head.template import FACE
from idto3d.head.template_model import Template
from idto3d.stages.choice.choose import chosen_head, is_chosen, middle_for, shape_of_words
from idto3d.stages.choice.drawn import draw
from idto3d.stages.choice.score import drawn_embeddings, guessed_embeddings, scores, wanted
from idto3d.training.measure.text.prompts import Asked
from idto3d.training.scorer.measures import Ruler, group_of
from idto3d.words.faces.table import FACES
from idto3d.words.traits import ANCESTRIES, GENDER_MODES

THERE = 0.5  # deviations beyond what is usual from which a face is so
HALF = 0.5  # of a word's mode, against the full change, from which an age or an ancestry is there
FEMALE = 0.25  # of the mode "female", to either side
COMPARED = 150  # heads that are drawn to see how far guessing is from that
MILLIMETRE = 1000.0


@dataclass(frozen=True, eq=False)
class Tools:
    """What choosing and measuring takes; `judge` scores what was chosen, and may be another scorer."""

    template: Template
    prior: HeadPrior
    scorer: Scorer
    judge: Scorer
    ruler: Ruler


@dataclass(frozen=True)
class Measured:
    """One head: cosines of its clay pictures, direct and relative, the share of what was named that is there, by how
    many deviations faces are so, which is missing, and seconds that choosing took. All is of who was chosen, but for
    `made`, the deviations of the head with the features that are sculpted over it."""

    direct: float
    relative: float
    there: float
    deviations: float
    made: float
    missing: tuple[str, ...]
    seconds: float


def settings(options: ChoiceOptions) -> dict[str, ChoiceOptions]:
    """The ways to choose, by what is said of them."""
    return {
        "full": options,
        "without choice": replace(options, candidates=0),
        "without relative score": replace(options, relative=0.0, direct=1.0),
        "without direct score": replace(options, relative=1.0, direct=0.0),
        "1,000 candidates": replace(options, candidates=1000),
        "100,000 candidates": replace(options, candidates=100_000),
    }


def measured(asked: Asked, choice: ChoiceOptions, seed: int, tools: Tools) -> tuple[Measured, np.ndarray]:
    """What is measured of the head that is chosen for a prompt, and its coefficients [K]."""
    options = HeadOptions(prompt=asked.prompt, seed=seed, choice=choice)
    start = start_of(None, options, tools.prior)
    expected, began = tools.prior.expected_coefficients(start.coefficients), time.perf_counter()
    with torch.no_grad():
        own = chosen_head(expected, start, tools.template, tools.scorer, options).cpu().numpy()
    seconds, clay = time.perf_counter() - began, clay_of(tools.template)
    goal = wanted(tools.judge, clay, asked.prompt)
    seen = drawn_embeddings(tools.judge, clay, own[None])
    direct, relative = (float(scores(seen, goal, replace(choice, direct=d, relative=1 - d))[0]) for d in (1.0, 0.0))
    faces, missing = ways_of(own, asked, start, tools), missing_who(own, asked, tools.template.words)
    missing += tuple(name for name, amount in faces.items() if amount < THERE)
    named = len(asked.face) + len(asked.who)
    amount, made = (mean_of(ways) for ways in (faces, made_ways(own, asked, start, options, tools)))
    return Measured(direct, relative, 1 - len(missing) / max(named, 1), amount, made, missing, seconds), own


def mean_of(ways: Mapping[str, float]) -> float:
    """Their mean; 0 where nothing was named."""
    return float(np.mean(list(ways.values()))) if ways else 0.0


def made_ways(own: np.ndarray, asked: Asked, start: Start, options: HeadOptions, tools: Tools) -> dict[str, float]:
    """As `ways_of`, of the head that is made of coefficients [K], with the features that are sculpted over it."""
    coefficients, choice = torch.from_numpy(own).to(tools.template.neutral), is_chosen(options, tools.scorer)
    head = shape_of_words(tools.template, coefficients, start.words(), asked.prompt, choice)
    ways = tools.ruler.ways_of(head.cpu().double().numpy(), group_of(start.words().get("age", "")))
    return {name: float(ways[list(FACES).index(name)]) for name in asked.face}


def ways_of(own: np.ndarray, asked: Asked, start: Start, tools: Tools) -> dict[str, float]:
    """By how many deviations the face of coefficients [K] is so, of what is named."""
    ways = tools.ruler.ways(own[None].astype(np.float64), group_of(start.words().get("age", "")))[0]
    return {name: float(ways[list(FACES).index(name)]) for name in asked.face}


def missing_who(own: np.ndarray, asked: Asked, modes: Sequence[str]) -> tuple[str, ...]:
    """What is named of age, gender and ancestry, and is not there."""
    held = dict(zip(modes, own[-len(modes) :], strict=True))
    return tuple(word for word in asked.who if not is_there(word, held))


def is_there(word: str, held: Mapping[str, float]) -> bool:
    """Whether somebody who has so much of each mode of words, by name, is what a word for who somebody is says."""
    if word in GENDER_MODES:
        return held["female"] * np.sign(GENDER_MODES[word].female) > FEMALE
    if word in ANCESTRIES:
        return held[word] >= max(held[name] for name in ANCESTRIES)
    if word == "young":
        return max(held["baby"], held["child"], held["old"]) < HALF
    return held["old"] > HALF / 2 if word == "middle-aged" else held[word] > HALF


def rank_correlation(asked: Asked, tools: Tools) -> float:
    """Between the scores of candidates as they are guessed and as they are drawn."""
    options, clay = HeadOptions(prompt=asked.prompt), clay_of(tools.template)
    start = start_of(None, options, tools.prior)
    expected = tools.prior.expected_coefficients(start.coefficients).cpu().numpy()
    drawn = draw(middle_for(expected, start, tools.template, options), COMPARED, [1])
    goal = wanted(tools.scorer, clay, asked.prompt)
    both = [embed(tools.scorer, clay, drawn) for embed in (guessed_embeddings, drawn_embeddings)]
    return float(spearmanr(*(scores(normalize(one, dim=1), goal, options.choice).numpy() for one in both)).statistic)


def apart_mm(first: np.ndarray, second: np.ndarray, template: Template) -> float:
    """The mean distance of the surfaces of two heads of coefficients [K], millimetres."""
    change = torch.from_numpy(first - second).to(template.neutral) @ template.identity[:, FACE].flatten(1)
    return float(change.view(-1, 3).norm(dim=1).mean()) * MILLIMETRE


def table(prompts: Sequence[Asked], choices: Mapping[str, ChoiceOptions], tools: Tools) -> Iterator[dict]:
    """A row for each setting and prompt: which they are, and what is measured."""
    for name, choice in choices.items():
        for asked in prompts:
            found, _ = measured(asked, choice, 0, tools)
            yield {"setting": name, "prompt": asked.prompt, **asdict(found), "missing": list(found.missing)}


def seeds_apart(asked: Asked, tools: Tools) -> dict[str, float]:
    """How far the heads of two seeds lie apart, millimetres, and two candidates of the same words that nobody chose."""
    choice = ChoiceOptions()
    (_, one), (_, other) = (measured(asked, choice, seed, tools) for seed in (0, 1))
    options = HeadOptions(prompt=asked.prompt)
    start = start_of(None, options, tools.prior)
    expected = tools.prior.expected_coefficients(start.coefficients).cpu().numpy()
    first, second = draw(middle_for(expected, start, tools.template, options), 2, [2])
    return {"seeds": apart_mm(one, other, tools.template), "anybody": apart_mm(first, second, tools.template)}
