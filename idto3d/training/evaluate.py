"""`python -m idto3d evaluate guidance BUNDLE`: does the guidance obey identity, expression, view and words?

Each row of the answer is one setting: how many portraits the identity comes from, and whether the identity or the
expression branch is switched off. See evaluation.py for what is asked.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from idto3d.fields.head_prior import HeadPrior, load_prior
from idto3d.guidance.bundle import load_bundle
from idto3d.guidance.device import choose_device
from idto3d.guidance.diffusion import Guidance
from idto3d.subject.encoders import make_encoder
from idto3d.training import evaluation, synthetic
from idto3d.training.evaluation import Case, Sight
from idto3d.training.ict import read_ict

FIRST_SEED = 6_000_000  # far from any training seed
FRONT = {"expression": 0, "azimuth_deg": 0.0}


@dataclass(frozen=True)
class Setting:
    """How the guidance is asked in one row; None for a branch's own strength."""

    name: str
    portraits: int
    lambda_id: float | None = None
    lambda_exp: float | None = None


@dataclass(frozen=True)
class EvaluateOptions:
    """What is measured. `among`: candidates of the identity question; `scale`: guidance scale, the bundle's if None."""

    bundle: str
    ict: Path
    people: int
    portraits: tuple[int, ...]
    among: int
    steps: int
    scale: float | None
    ablations: bool
    seed: int


@dataclass(frozen=True)
class Answers:
    """The true maps of one case that samples are compared with; the right one is first in each list."""

    people: list[np.ndarray]
    expressions: list[np.ndarray]
    views: list[np.ndarray]
    styles: list[np.ndarray]
    colours: list[np.ndarray]
    average: np.ndarray
    front_albedo: np.ndarray


def main(argv: list[str]) -> int:
    """The command."""
    told, as_line = _parse(argv)
    studio = synthetic.open_studio(read_ict(told.ict))
    bundle = load_bundle(told.bundle, choose_device("auto"))
    encoder = make_encoder(bundle.info.identity_encoder.name, bundle.identity_path)
    seeds = range(FIRST_SEED + told.seed, FIRST_SEED + told.seed + told.people)
    drawn = [evaluation.draw_case(studio, encoder, seed, max(told.portraits)) for seed in seeds]
    cases = [case for case in drawn if case is not None]
    prior = None if bundle.prior_path is None else load_prior(bundle.prior_path, "cpu")
    rows: dict[str, list[dict]] = {setting.name: [] for setting in settings(told)}
    for number, case in enumerate(cases):
        answers = true_maps(studio, case.sight, _others(cases, number, told.among), bundle.info.image_size)
        for setting in settings(told):
            guidance = Guidance(bundle, setting.lambda_id, setting.lambda_exp)
            measured = measure(guidance, case, answers, setting, told, number)
            rows[setting.name].append(measured | regressed(studio, prior, case, answers, setting.portraits))
        print(f"\r{number + 1}/{len(cases)}", end="", file=sys.stderr, flush=True)
    table = {name: mean_of(found) for name, found in rows.items()}
    print(
        json.dumps(
            {"people": len(cases), "no_face": told.people - len(cases), "among": told.among} | table,
            indent=None if as_line else 1,
        )
    )
    return 0


def settings(told: EvaluateOptions) -> list[Setting]:
    """The rows: one per number of portraits, then with each branch switched off."""
    rows = [Setting(f"portraits_{count}", count) for count in told.portraits]
    if told.ablations:
        count = told.portraits[-1]
        rows += [Setting("lambda_id_0", count, lambda_id=0.0), Setting("lambda_exp_0", count, lambda_exp=0.0)]
    return rows


def _others(cases: Sequence[Case], number: int, among: int) -> list[synthetic.Person]:
    ring = [*cases[number + 1 :], *cases[:number]]
    return [case.sight.person for case in ring[: among - 1]]


def true_maps(studio, sight: Sight, others: Sequence[synthetic.Person], size: int) -> Answers:
    """Draw everything a sample of `sight` is compared with."""
    front = replace(sight, **FRONT)
    mean = replace(sight.person, coefficients=np.zeros_like(sight.person.coefficients))

    def drawn(sights: Sequence[Sight], domain: str) -> list[np.ndarray]:
        return [evaluation.truth(studio, one, domain, size) for one in sights]

    return Answers(
        people=drawn(evaluation.other_people(sight, others), "geometry"),
        expressions=drawn(evaluation.other_expressions(sight), "geometry"),
        views=drawn(evaluation.other_views(sight), "geometry"),
        styles=drawn(evaluation.other_styles(front), "geometry"),
        colours=[] if sight.person.look.hair_style == "bald" else drawn(evaluation.other_colours(front), "albedo"),
        average=drawn([replace(sight, person=mean)], "geometry")[0],
        front_albedo=drawn([front], "albedo")[0],
    )


def measure(
    guidance: Guidance, case: Case, answers: Answers, setting: Setting, told: EvaluateOptions, seed: int
) -> dict:
    """Figures of one case in one setting; NaN where a question makes no sense for it."""
    identity, front = case.identity(setting.portraits), replace(case.sight, **FRONT)

    def sampled(domain: str, sight: Sight) -> np.ndarray:
        return evaluation.sample(guidance, domain, sight, identity, told.steps, told.scale, seed)

    normal, front_normal, albedo = sampled("geometry", case.sight), sampled("geometry", front), sampled("albedo", front)
    frontal = abs(case.sight.azimuth_deg) <= 45  # from behind no expression shows
    side, height = np.subtract(evaluation.uneven_light(albedo), evaluation.uneven_light(answers.front_albedo))
    return {
        "error_deg": evaluation.angle(normal, answers.people[0]),
        "average_head_error_deg": evaluation.angle(answers.average, answers.people[0]),
        "right_person": float(evaluation.nearest_by_angle(normal, answers.people) == 0),
        "right_expression": _hit(evaluation.nearest_by_angle, normal, answers.expressions if frontal else []),
        "right_view": float(evaluation.nearest_by_angle(normal, answers.views) == 0),
        "right_hair_style": float(evaluation.nearest_by_angle(front_normal, answers.styles) == 0),
        "right_hair_colour": _hit(evaluation.nearest_by_colour, albedo, answers.colours),
        "light_left_right": abs(float(side)),
        "light_up_down": abs(float(height)),
    }


def _hit(nearest, image: np.ndarray, candidates: list[np.ndarray]) -> float:
    return float(nearest(image, candidates) == 0) if candidates else float("nan")


def regressed(studio, prior: HeadPrior | None, case: Case, answers: Answers, portraits: int) -> dict:
    """The same questions to the head prior's linear regression from the embedding, for comparison."""
    if prior is None:
        return {}
    # z = map^T c, so c = map (map^T map)^-1 z is its smallest solution
    z = prior.shape_code(case.identity(portraits))
    coefficients = torch.linalg.pinv(prior.coefficient_map).T @ z
    person = replace(case.sight.person, coefficients=coefficients.numpy())
    image = evaluation.truth(studio, replace(case.sight, person=person), "geometry", len(answers.average))
    return {
        "regression_error_deg": evaluation.angle(image, answers.people[0]),
        "regression_right_person": float(evaluation.nearest_by_angle(image, answers.people) == 0),
    }


def mean_of(rows: Sequence[dict]) -> dict[str, float]:
    """Column means of `rows`, without the NaNs."""
    return {key: round(float(np.nanmean([row[key] for row in rows])), 4) for key in rows[0]} if rows else {}


def _parse(argv: list[str]) -> tuple[EvaluateOptions, bool]:
    parser = argparse.ArgumentParser(prog="idto3d evaluate", description="Measure a bundle's guidance.")
    parser.add_argument("what", choices=("guidance",))
    parser.add_argument("bundle", help="embedded, community, a folder, or ORG/REPO[@REV]")
    parser.add_argument("--ict", type=Path, required=True, help="packed ICT-FaceKit .npz or a checkout's folder")
    parser.add_argument("--people", type=int, default=300, help="held-out people")
    parser.add_argument("--portraits", default="1,2,5", help="how many portraits' mean embedding is given, a row each")
    parser.add_argument("--among", type=int, default=50, help="candidates of the identity question")
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--scale", type=float, default=None, help="guidance scale; the bundle's own when absent")
    parser.add_argument("--ablations", action="store_true", help="two more rows, each without one branch")
    parser.add_argument("--seed", type=int, default=0, help="added to the first held-out person's seed")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    told = vars(parser.parse_args(argv))
    as_line, _ = told.pop("json"), told.pop("what")
    told["portraits"] = tuple(int(count) for count in told["portraits"].split(","))
    return EvaluateOptions(**told), as_line


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
