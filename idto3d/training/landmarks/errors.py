"""The command that learns what landmarks are worth (`evidence.landmark_model`) from portraits of synthetic people."""

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from idto3d.bundle.layout import IDENTITY_FILE, PRIOR_FILE, TEMPLATE_FILE
from idto3d.config import LANDMARKS_FILE
from idto3d.errors import run_command
from idto3d.evidence.fit import belief, fit_photos
from idto3d.evidence.landmark_model import LandmarkModel, save_landmark_model
from idto3d.evidence.normal_equations import Seen
from idto3d.evidence.shapes import Shapes, as_shapes, shapes_of
from idto3d.head.prior import HeadPrior
from idto3d.head.prior_file import load_prior
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.training.arguments import add_ict, add_out, add_workers, count
from idto3d.training.landmarks import statistics
from idto3d.training.landmarks.places import landmark_places
from idto3d.training.landmarks.portraits import SIZE, Readings, read_many
from idto3d.training.people.ict import IctModel, read_ict
from idto3d.training.people.person import draw_coefficients

FIRST_SEED = 9_000_000  # far from the people of training and of benchmarks
AVERAGED = 2000  # people whose coefficients tell how people differ
FITTED, WORST, SLACK = 200, 99.5, 1.5  # portraits whose fit tells the limit of an error: that percentile times SLACK
log = logging.getLogger(__name__)


def learn(model: IctModel, template: Template, prior: HeadPrior, readings: Readings) -> LandmarkModel:
    """The statistics of `readings`, for the `template`."""
    corners, place = landmark_places(model, readings)
    vertices = numbers_in(template, corners)
    people = draw_coefficients(AVERAGED, model.words, FIRST_SEED - AVERAGED).astype(np.float64)
    blank = _blank(vertices, place, people, len(template.shapes))
    shapes = shapes_of(template, blank)
    found = statistics.landmark_errors(shapes, readings)
    log.info("landmarks err by %.2f mm, root mean square", 1000 * np.sqrt((found.left**2).mean()))
    expected = expected_coefficients(prior, readings)
    pull, left = statistics.pull_of(found, expected - blank.mean, readings.seed)
    person, photo, variance = statistics.factors(left, readings.seed[found.rows])
    turn, turn_spread = statistics.turns(shapes, readings)
    usual, slope, spread = statistics.expression_lines(readings, template.shapes)
    face_person, face_photo = statistics.shared_and_own(readings.coefficients - expected, readings.seed)
    learned = replace(
        blank,
        bias=found.bias,
        pull=pull,
        person_factor=person,
        photo_factor=photo,
        variance=variance,
        face_person=statistics.steady(face_person),
        face_photo=statistics.steady(face_photo),
        turn=turn,
        turn_spread=turn_spread,
        usual=usual,
        slope=slope,
        spread=spread,
    )
    return replace(learned, fit_error=np.array([fit_limit(shapes, learned, readings, template.shapes)]))


def numbers_in(template: Template, originals: np.ndarray) -> np.ndarray:
    """The numbers in the template's file of ICT-FaceKit's vertices `originals` [...].

    Raises ValueError where it lacks one.
    """
    own = np.full(int(template.original.max()) + 1, -1)
    listed = template.original[template.original >= 0].numpy()
    own[listed] = np.arange(len(listed))
    if originals.max() >= len(own) or (own[originals] < 0).any():
        raise ValueError("landmarks lie on vertices that the template lacks")
    return own[originals]


def _blank(vertices: np.ndarray, place: np.ndarray, people: np.ndarray, shapes: int) -> LandmarkModel:
    """A model in which only where landmarks lie and how people differ are known."""
    flat, none = 2 * len(vertices), np.zeros(shapes)
    covariance = statistics.steady(np.cov(people.T), 0.0)
    return LandmarkModel(
        vertices=vertices,
        weights=place,
        bias=np.zeros((3, flat)),
        pull=np.zeros((flat, people.shape[1])),
        person_factor=np.zeros((flat, 0)),
        photo_factor=np.zeros((flat, 0)),
        variance=np.ones(flat),
        mean=people.mean(0),
        covariance=covariance,
        face_person=covariance,
        face_photo=covariance,
        turn=np.eye(2),
        turn_spread=np.ones(2),
        usual=none,
        slope=none,
        spread=none + statistics.WEAK_SPREAD,
        fit_error=np.ones(1),
    )


@torch.inference_mode()
def expected_coefficients(prior: HeadPrior, readings: Readings) -> np.ndarray:
    """[n, K] what the prior expects of each portrait's embedding."""
    codes = [prior.shape_code(torch.from_numpy(one)) for one in readings.embedding]
    return np.stack([prior.expected_coefficients(code).numpy() for code in codes]).astype(np.float64)


def fit_limit(shapes: Shapes, model: LandmarkModel, readings: Readings, names: Sequence[str]) -> float:
    """The mean distance in metres of landmarks from the fit beyond which a photo shows something else than a face."""
    rows = np.linspace(0, len(readings.seed) - 1, min(FITTED, len(readings.seed))).astype(int)
    told = model.expected_weights(as_shapes(readings.expression.astype(np.float64), names))
    seen = [Seen(readings.landmarks[row].astype(np.float64), (SIZE, SIZE), told[row]) for row in rows]
    worst = [fit_photos(shapes, [one], belief(model, None), model).photos[0].error for one in seen]
    log.info("fitted, they lie %.2f mm off in the mean, %.2f at worst", 1000 * np.mean(worst), 1000 * max(worst))
    return SLACK * float(np.percentile(worst, WORST))


def main(argv: list[str]) -> int:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(description="Learn how landmarks of portraits err.")
    add_ict(parser)
    add_out(parser, "where to write the model (.safetensors)")
    parser.add_argument("--weights", type=Path, required=True, help="bundle whose networks read the portraits")
    parser.add_argument("--people", type=count, default=1400)
    parser.add_argument("--portraits", type=count, default=2, help="portraits drawn of each of them")
    parser.add_argument("--keep", type=Path, required=True, help="folder for what was read, taken up again")
    add_workers(parser)
    chosen = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    sources = (chosen.ict, chosen.weights / IDENTITY_FILE, chosen.weights / LANDMARKS_FILE)
    readings = read_many(sources, FIRST_SEED, chosen.people, chosen.portraits, chosen.workers, chosen.keep)
    log.info("faces were found in %d portraits", len(readings.seed))
    template, prior = load_template(chosen.weights / TEMPLATE_FILE), load_prior(chosen.weights / PRIOR_FILE)
    learned = learn(read_ict(chosen.ict), template, prior, readings)
    learned_from = {"people": chosen.people, "portraits": len(readings.seed), "first_seed": FIRST_SEED}
    save_landmark_model(learned, chosen.out, learned_from)
    return 0


if __name__ == "__main__":
    run_command(main)
