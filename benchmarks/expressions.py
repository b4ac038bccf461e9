"""Whether the expressions of heads are told apart by a network that reads faces.

    python -m benchmarks.expressions heads [--size 384]

`heads` holds folders of finished heads. Each is drawn from the front in each of the thirteen expressions, and the
landmark network reads 478 points and 51 blendshape weights from the picture. Both are taken as they differ from their
mean over the pictures of that head, as a viewer who sees a face move judges it; the expression is told as the one whose
mean over all OTHER heads lies nearest, each number measured in its own spread. Prints JSON: the share told right, by
points and weights together and by each alone, and what was taken for what.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.machine import machine
from idto3d import pipeline
from idto3d.config import EMBEDDED, LANDMARKS_FILE, RenderOptions
from idto3d.device import choose_device
from idto3d.errors import UserError, run_command
from idto3d.subject.encoders import make_encoder
from idto3d.subject.face_points import BLENDSHAPES, POINTS
from idto3d.subject.finding import find_person
from idto3d.subject.landmarks import LandmarkReader
from idto3d.words.expressions import NAMES

SPREAD = 0.01  # added to each number's deviation, so that one which hardly moves does not decide
EYES = (33, 263)  # points at the outer corners, whose distance is the unit of the points


class Readings(NamedTuple):
    """What was read of N heads in E expressions; NaN where no face was found."""

    points: np.ndarray  # [N, E, 2 * 478] right and down, in distances of the eyes' outer corners
    weights: np.ndarray  # [N, E, 51] blendshapes, 0..1


def finished_heads(home: Path) -> list[Path]:
    """Folders of finished heads in `home`. Raises UserError for fewer than three."""
    found = sorted(path.parent for path in home.glob("*/head.glb"))
    if len(found) < 3:
        raise UserError(f"There are {len(found)} finished heads in '{home}'.", "Give a folder with three or more.")
    return found


def read_head(folder: Path, size: int, encoder, reader: LandmarkReader) -> Readings:
    """What is read from pictures of one head, in the order of NAMES, without the axis of heads."""
    read = Readings(np.full((len(NAMES), 2 * POINTS), np.nan), np.full((len(NAMES), len(BLENDSHAPES)), np.nan))
    for row, name in enumerate(NAMES):
        pose = () if name == "neutral" else ((name, 1.0),)
        pixels = pipeline.render_view(folder, RenderOptions(size=size, expressions=pose))
        if (seen := find_person(pixels, encoder, reader)) is not None:
            read.points[row] = (seen.landmarks.points[:, :2] / eye_distance(seen.landmarks.points)).ravel()
            read.weights[row] = seen.landmarks.expression
    return read


def eye_distance(points: np.ndarray) -> float:
    """From one outer corner to the other in the picture, in the unit of `points` [478, 3]."""
    return float(np.linalg.norm(points[EYES[0], :2] - points[EYES[1], :2]))


def told(*numbers: np.ndarray) -> np.ndarray:
    """[N, E] the expression told of each head's pictures by `numbers`, [N, E, K] each; -1 where none was read.

    Each array has an equal say: squared differences are averaged over its K numbers, in units of the spread of a
    number within one expression, and summed over the arrays.
    """
    moved = [one - np.nanmean(one, 1, keepdims=True) for one in numbers]
    count, kinds, _ = moved[0].shape
    answers = np.full((count, kinds), -1)
    for head in range(count):
        distance = sum(_distances(one, head) for one in moved)
        read = np.isfinite(distance).all(1)
        answers[head, read] = distance[read].argmin(1)
    return answers


def _distances(numbers: np.ndarray, head: int) -> np.ndarray:
    """[E, E] how far each picture of one head is from each expression of the others."""
    others = np.delete(numbers, head, axis=0)
    means = np.nanmean(others, 0)
    spread = np.sqrt(np.nanmean((others - means) ** 2, (0, 1))) + SPREAD
    return (((numbers[head][:, None] - means) / spread) ** 2).mean(-1)


def report(answers: np.ndarray) -> dict:
    """The share told right of `answers` [N, E], by expression too, and how often which was taken for another."""
    right = answers == np.arange(len(NAMES))
    mistakes = Counter(
        f"{NAMES[kind]} -> {NAMES[answer] if answer >= 0 else 'no face'}"
        for row in answers
        for kind, answer in enumerate(row)
        if answer != kind
    )
    shares = {name: float(share) for name, share in zip(NAMES, right.mean(0), strict=True)}
    return {"heads": len(answers), "right": float(right.mean()), "by_expression": shares, "mistakes": dict(mistakes)}


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("heads", type=Path, help="a folder with folders of finished heads")
    parser.add_argument("--size", type=int, default=384, help="side of a picture, pixels")
    return parser


def main(argv: list[str]) -> int:
    """The command."""
    asked = make_parser().parse_args(argv)
    encoder, reader = make_encoder("dlib"), LandmarkReader(EMBEDDED / LANDMARKS_FILE)
    heads = [read_head(folder, asked.size, encoder, reader) for folder in finished_heads(asked.heads)]
    points, weights = (np.stack(parts) for parts in zip(*heads, strict=True))
    alone = {"by_points_alone": report(told(points))["right"], "by_weights_alone": report(told(weights))["right"]}
    print(json.dumps(report(told(points, weights)) | alone | machine(choose_device("cpu")), indent=1))
    return 0


if __name__ == "__main__":
    run_command(main)
