"""Who a head of words alone is: one of many candidates, or the one that was chosen of those shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from idto3d.config import ChoiceOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.guidance.scorer.clay import Clay, clay_of
from idto3d.guidance.scorer.scorer import Scorer
from idto3d.head.features.eased import eased, soft_cheeks
from idto3d.head.sculpt.features import formed, sculpted
from idto3d.head.sculpt.persons import forms_of
from idto3d.head.start import Start
from idto3d.head.template_model import Template
from idto3d.stages.choice.drawn import Middle, blocks, draw, middle_of, near
from idto3d.stages.choice.pick import pool_size
from idto3d.stages.choice.score import ranked
from idto3d.words.asked import features_of
from idto3d.words.faces.heard import said_faces
from idto3d.words.faces.table import SCULPTED_AS
from idto3d.words.traits import SMALL

STREAM = 29  # of random numbers, beside those of other stages
FARTHEST = 25.0  # of a coefficient that somebody may have, in deviations over people
LEFT = 0.3  # of a feature for which a face was chosen: as much in all as sculpting alone makes of who is expected
UNHEARD = 4096  # candidates where words say nothing that a scorer could tell apart


@dataclass(frozen=True, eq=False)
class Scored:
    """The best candidates, as many as are looked through: coefficients [N, K], scores [N], and what shows them."""

    clay: Clay
    coefficients: np.ndarray
    scores: np.ndarray


def chosen_head(
    expected: Tensor, start: Start, template: Template, scorer: Scorer | None, options: HeadOptions
) -> Tensor:
    """[K] the coefficients of a head of words: those chosen, else the best candidate's, else the `expected` [K].

    Raises UserError for chosen ones that are of another template.
    """
    if options.choice.chosen:
        return chosen(options.choice, len(template.identity)).to(expected)
    if scorer is None or not options.choice.candidates:
        return expected
    found = scored(expected.cpu().numpy(), start, template, scorer, options)
    return torch.from_numpy(found.coefficients[found.scores.argmax()]).to(expected)


def scored(
    expected: np.ndarray,
    start: Start,
    template: Template,
    scorer: Scorer,
    options: HeadOptions,
    like: Sequence[Sequence[float]] = (),
) -> Scored:
    """Candidates for the prompt of `options` with their scores; about those that they shall be `like`, where given.

    Where the words say nothing of a shape, all are as good, and the first is the one that is drawn first.
    """
    choice, clay = options.choice, clay_of(template)
    middle = middle_for(expected, start, template, options)
    middle = near(middle, like) if like else middle
    seed = [options.seed, STREAM, crc32(np.asarray(like, np.float32).tobytes())]
    if not scorer.hears(options.prompt):
        count = min(choice.candidates, UNHEARD)
        drawn = draw(middle, count, seed)[: pool_size(count)]
        return Scored(clay, drawn, 1 - np.arange(len(drawn)) / count)
    lots = blocks(middle, choice.candidates, seed)
    return Scored(clay, *ranked(scorer, clay, lots, options.prompt, choice, pool_size(choice.candidates)))


def middle_for(expected: np.ndarray, start: Start, template: Template, options: HeadOptions) -> Middle:
    """What candidates lie about, by the words of a start."""
    faces = said_faces(options.prompt)
    return middle_of(expected, template.words, start.words(), faces, options.choice.spread)


def chosen(choice: ChoiceOptions, modes: int) -> Tensor:
    """[K] the coefficients that `choice` has. Raises UserError where they are none of a template of so many `modes`."""
    values = torch.tensor(choice.chosen, dtype=torch.float32)
    if len(values) != modes:
        what = f"The candidate has {len(values)} coefficients, and the weights' template {modes}."
        raise UserError(what, "Choose one that was found with these weights.")
    if not bool(values.isfinite().all()) or float(values.abs().max()) > FARTHEST:
        raise UserError("The candidate's coefficients are no head's.", "Choose one that `candidates` found.")
    return values


def is_chosen(options: HeadOptions, scorer: Scorer | None) -> bool:
    """Whether somebody is chosen for the words, rather than what they let expect taken."""
    return bool(options.choice.chosen) or (scorer is not None and options.choice.candidates > 0)


def shape_of_words(
    template: Template, coefficients: Tensor, traits: Mapping[str, str], prompt: str, choice: bool
) -> Tensor:
    """[V, 3] metres: the head of `coefficients` [K] with the forms of `traits` and the features that `prompt` names.

    choice: whether the coefficients were chosen for the words, see `features_left`. That of a child, whom modes of
    adults hardly reach, has a soft jaw and soft cheeks.
    """
    age, shape = traits.get("age", ""), template.shape(coefficients)
    if age in SMALL:
        shape = template.neutral + eased(template, shape - template.neutral)
    shape = shape + formed(template, forms_of(traits))
    shape = shape + sculpted(template, features_left(prompt) if choice else features_of(prompt), age)
    return soft_cheeks(template, shape) if age in SMALL else shape


def features_left(prompt: str) -> dict[str, float]:
    """The amounts of features that `prompt` asks for and somebody who was chosen for it lacks.

    Who was chosen for a big nose has one: of what sculpting alone would add, LEFT is added.
    """
    there = {feature for way in said_faces(prompt) for feature in SCULPTED_AS.get(way, ())}
    return {name: LEFT * amount if name in there else amount for name, amount in features_of(prompt).items()}
