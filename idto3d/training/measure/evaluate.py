"""`python -m idto3d evaluate guidance BUNDLE`: does the guidance obey identity, expression, view and words?

Each row of the answer is one setting: how many portraits the identity comes from, and whether the identity or the
expression branch is switched off; null stands for a question that nobody could be asked. See evaluation.py for the
questions.
"""

import json
import multiprocessing
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from tqdm import tqdm

from idto3d.device import choose_device
from idto3d.errors import run_command
from idto3d.guidance.loading import Bundle, load_bundle
from idto3d.guidance.prediction import Guidance
from idto3d.head.prior import HeadPrior
from idto3d.head.prior_file import load_prior
from idto3d.subject.encoders import make_encoder
from idto3d.training.measure import evaluation
from idto3d.training.measure.evaluate_options import EvaluateOptions, parse
from idto3d.training.measure.evaluation import Case, Sight
from idto3d.training.measure.even_light import SIDES, followed, unevenness
from idto3d.training.measure.text import command as text
from idto3d.training.people import synthetic
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import Person, draw_coefficients, draw_person

FIRST_SEED = 6_000_000  # far from any training seed
PEOPLE_PER_PIECE = 5  # people that a process measures at a time
AVERAGED_PEOPLE = 2000  # people of whom the average head is the mean
FRONT = {"expression": 0, "azimuth_deg": 0.0}


@dataclass(frozen=True)
class Setting:
    """How the guidance is asked in one row; None for a branch's own strength. `said`: words describe the person."""

    name: str
    portraits: int
    lambda_id: float | None = None
    lambda_exp: float | None = None
    said: bool = True

    @property
    def full(self) -> bool:
        """Whether both branches are on."""
        return self.lambda_id is None and self.lambda_exp is None


@dataclass(frozen=True)
class Answers:
    """The true maps of one case that samples are compared with; the right one is first in each list.

    average: the average head in the case's view and expression. front_albedo, regrown_albedo: the person from the
    front, as they are and with other strands of hair.
    """

    people: list[np.ndarray]
    expressions: list[np.ndarray]
    views: list[np.ndarray]
    styles: list[np.ndarray]
    colours: list[np.ndarray]
    average: np.ndarray
    front_albedo: np.ndarray
    regrown_albedo: np.ndarray


def main(argv: list[str]) -> int:
    """The command; what is measured of words alone has one of its own."""
    if argv[:1] == ["text"]:
        return text.main(argv[1:])
    options, as_line = parse(argv)
    seeds = range(FIRST_SEED + options.seed, FIRST_SEED + options.seed + options.people)
    pieces = [seeds[i : i + PEOPLE_PER_PIECE] for i in range(0, len(seeds), PEOPLE_PER_PIECE)]
    rows: dict[str, list[dict]] = {}
    for piece_rows in tqdm(measured_pieces(options, pieces), total=len(pieces), unit="piece"):
        for name, measured in piece_rows:
            rows.setdefault(name, []).append(measured)
    asked = len(next(iter(rows.values()), []))
    counts = {"people": asked, "no_face": options.people - asked, "among": options.among, "steps": options.steps}
    table = {name: mean_of(measured) for name, measured in rows.items()}
    print(json.dumps(counts | table, indent=None if as_line else 1, allow_nan=False))
    return 0


def measured_pieces(options: EvaluateOptions, pieces: Sequence[Sequence[int]]) -> Iterator[list[tuple[str, dict]]]:
    """What `measure_people` finds of each piece, in other processes where more than one is asked for."""
    if options.processes == 1:
        yield from map(partial(measure_people, options), pieces)
        return
    share = (max(1, (os.cpu_count() or 1) // options.processes),)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, spawn, torch.set_num_threads, share) as pool:
        yield from pool.map(partial(measure_people, options), pieces)


def measure_people(options: EvaluateOptions, seeds: Sequence[int]) -> list[tuple[str, dict]]:
    """(row, figures) of every setting of every person of `seeds` whose portraits show a face."""
    studio = synthetic.open_studio(read_ict(options.ict))
    bundle = load_bundle(options.bundle, choose_device("auto"))
    encoder = make_encoder(bundle.info.identity_encoder.name, bundle.identity_path)
    prior = None if bundle.prior_path is None else load_prior(bundle.prior_path, "cpu")
    average = average_coefficients(studio)
    rows = []
    for seed in seeds:
        case = evaluation.draw_case(studio, encoder, seed, max(options.portraits))
        if case is not None:
            others = [draw_person(seed + step, studio.model.words) for step in range(1, options.among)]
            answers = true_maps(studio, case.sight, others, average, bundle.info.image_size)
            rows += measure_person(bundle, studio, prior, case, answers, options)
    return rows


def average_coefficients(studio: synthetic.Studio) -> np.ndarray:
    """[C] mean identity coefficients of people."""
    return draw_coefficients(AVERAGED_PEOPLE, studio.model.words, FIRST_SEED - AVERAGED_PEOPLE).mean(0)


def measure_person(
    bundle: Bundle,
    studio: synthetic.Studio,
    prior: HeadPrior | None,
    case: Case,
    answers: Answers,
    options: EvaluateOptions,
) -> list[tuple[str, dict]]:
    """The rows of one person: by number of portraits, without a branch, and what words do."""
    full, rows = [s for s in settings(options) if s.full], []
    asked = [(case.sight, case.identity(setting.portraits)) for setting in full]
    images = sampled(Guidance(bundle), "geometry", asked, case, options)
    for setting, image in zip(full, images, strict=True):
        beside = of_morphable(Guidance(bundle), case, answers, setting) | regressed(
            studio, prior, case, answers, setting
        )
        rows.append((setting.name, measure(image, case, answers) | beside))
    for setting in (s for s in settings(options) if not s.full):
        guidance = Guidance(bundle, setting.lambda_id, setting.lambda_exp)
        sight = replace(case.sight, said=setting.said)
        (image,) = sampled(guidance, "geometry", [(sight, case.identity(setting.portraits))], case, options)
        rows.append((setting.name, measure(image, case, answers)))
    return [*rows, ("words", words_heard(Guidance(bundle), studio, case, answers, options))]


def sampled(guidance: Guidance, domain: str, asked, case: Case, options: EvaluateOptions) -> list[np.ndarray]:
    """Samples of `asked`, from noise that depends on the person."""
    return evaluation.samples(guidance, domain, asked, options.steps, options.scale, case.sight.person.seed)


def settings(options: EvaluateOptions) -> list[Setting]:
    """The rows: one per number of portraits, then with each branch switched off."""
    rows = [Setting(f"portraits_{count}", count) for count in options.portraits]
    if options.ablations:
        count = options.portraits[-1]
        rows += [Setting("lambda_id_0", count, lambda_id=0.0), Setting("lambda_exp_0", count, lambda_exp=0.0)]
        rows += [Setting("lambda_id_0_unsaid", count, lambda_id=0.0, said=False)]  # words tell who it is, too
    return rows


def true_maps(studio, sight: Sight, others: Sequence[Person], average: np.ndarray, size: int) -> Answers:
    """Draw everything a sample of `sight` is compared with."""
    front = replace(sight, **FRONT)
    mean = evaluation.average_head(sight.person, average)
    regrown = replace(sight.person, seed=sight.person.seed + evaluation.OTHER_STRANDS_SEED)
    own = synthetic.dress(studio, sight.person)

    def drawn(sights: Sequence[Sight], domain: str) -> list[np.ndarray]:
        return [
            evaluation.truth(studio, one, domain, size, own if one.person is sight.person else None) for one in sights
        ]

    return Answers(
        people=drawn(evaluation.other_people(sight, others), "geometry"),
        expressions=drawn(evaluation.other_expressions(sight), "geometry"),
        views=drawn(evaluation.other_views(sight), "geometry"),
        styles=drawn(evaluation.other_styles(front), "geometry"),
        colours=[] if sight.person.look.hair_style == "bald" else drawn(evaluation.other_colours(front), "albedo"),
        average=drawn([replace(sight, person=mean)], "geometry")[0],
        front_albedo=drawn([front], "albedo")[0],
        regrown_albedo=drawn([replace(front, person=regrown)], "albedo")[0],
    )


def measure(normal: np.ndarray, case: Case, answers: Answers) -> dict:
    """Figures of one sampled normal map; NaN where a question makes no sense for it."""
    frontal = abs(case.sight.azimuth_deg) <= 45  # from behind no expression shows
    return {
        "error_deg": evaluation.angle(normal, answers.people[0]),
        "average_head_error_deg": evaluation.angle(answers.average, answers.people[0]),
        "right_person": float(evaluation.nearest_by_angle(normal, answers.people) == 0),
        "right_expression": _hit(evaluation.nearest_by_angle, normal, answers.expressions if frontal else []),
        "right_view": float(evaluation.nearest_by_angle(normal, answers.views) == 0),
    }


def words_heard(guidance: Guidance, studio, case: Case, answers: Answers, options: EvaluateOptions) -> dict:
    """Figures of fronts under the most portraits: hair, even light, and whether a word moves the shape its way.

    A word's sample is compared with the person as the word has them and as its opposite; NaN for words that the bundle
    or the model lacks.
    """
    identity, front = case.identity(max(options.portraits)), replace(case.sight, **FRONT)
    pairs = word_pairs(guidance, studio, case.sight.person)
    sights = [front, *(pair[0] for pair in pairs.values())]
    normal, *worded = sampled(guidance, "geometry", [(sight, identity) for sight in sights], case, options)
    (albedo,) = sampled(guidance, "albedo", [(front, identity)], case, options)
    answered = dict.fromkeys((f"right_{word}" for word in evaluation.ASKED_WORDS), float("nan"))
    for image, (word, pair) in zip(worded, pairs.items(), strict=True):
        maps = [evaluation.truth(studio, one, "geometry", len(image)) for one in pair]
        answered[f"right_{word}"] = _hit(evaluation.nearest_by_angle, image, maps)
    hair = {
        "right_hair_style": _hit(evaluation.nearest_by_angle, normal, answers.styles),
        "right_hair_colour": _hit(evaluation.nearest_by_colour, albedo, answers.colours),
    }
    even = unevenness(albedo, answers.front_albedo, answers.regrown_albedo)
    return answered | hair | even | light_followed(guidance, front, case, options)


def light_followed(guidance: Guidance, front: Sight, case: Case, options: EvaluateOptions) -> dict[str, float]:
    """Whether albedo maps sampled from two portraits, one each, differ as these were lit; NaN for a single portrait."""
    if len(case.embeddings) < 2:
        return dict.fromkeys((f"light_{side}_followed" for side in SIDES), float("nan"))
    alone = [sampled(guidance, "albedo", [(front, one)], case, options)[0] for one in case.embeddings[:2]]
    return followed(alone, case.light[:2])


def word_pairs(guidance: Guidance, studio, person: Person) -> dict[str, tuple[Sight, Sight]]:
    """For each word that is known: the front of the person as the word has it, and of its opposite."""
    words = studio.model.words
    known = [word for word in evaluation.ASKED_WORDS if words and not guidance.info.unknown_words(word)]
    return {word: tuple(Sight(one, **FRONT) for one in evaluation.with_word(person, word, words)) for word in known}


def _hit(nearest, image: np.ndarray, candidates: list[np.ndarray]) -> float:
    return float(nearest(image, candidates) == 0) if candidates else float("nan")


def of_morphable(guidance: Guidance, case: Case, answers: Answers, setting: Setting) -> dict:
    """The same questions to the morphable head alone, for comparison; nothing where there is none."""
    image = evaluation.morphable_picture(guidance, "geometry", case.sight, case.identity(setting.portraits))
    figures = {} if image is None else measure(image, case, answers)
    return {f"morphable_{name}": value for name, value in figures.items() if name != "average_head_error_deg"}


def regressed(studio, prior: HeadPrior | None, case: Case, answers: Answers, setting: Setting) -> dict:
    """The same questions to the head prior's linear regression from the embedding, for comparison."""
    if prior is None:
        return {}
    expected = prior.expected_coefficients(prior.shape_code(case.identity(setting.portraits))).numpy()
    coefficients = np.zeros_like(case.sight.person.coefficients)  # a prior without words says nothing of their modes
    coefficients[: len(expected)] = expected[: len(coefficients)]
    person = replace(case.sight.person, coefficients=coefficients)
    image = evaluation.truth(studio, replace(case.sight, person=person), "geometry", len(answers.average))
    return {
        "regression_error_deg": evaluation.angle(image, answers.people[0]),
        "regression_right_person": float(evaluation.nearest_by_angle(image, answers.people) == 0),
    }


def mean_of(rows: Sequence[dict]) -> dict[str, float | None]:
    """Column means of `rows`, without the NaNs; None for a question that had no answer in any row."""
    columns = {key: np.array([row[key] for row in rows]) for key in (rows[0] if rows else ())}
    answers = {key: column[~np.isnan(column)] for key, column in columns.items()}
    return {key: round(float(values.mean()), 4) if len(values) else None for key, values in answers.items()}


if __name__ == "__main__":
    run_command(main)
