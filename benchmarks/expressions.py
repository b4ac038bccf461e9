"""Whether the expressions of heads are told apart by a network that reads faces.

    python -m benchmarks.expressions heads [--size 384]

`heads` holds folders of finished heads. Each is drawn from the front in each of the thirteen expressions, the landmark
network's 51 blendshape weights are read from the picture, and the expression is told as the one whose mean weights over
all OTHER heads lie nearest, each weight measured in its own spread. Prints JSON: the share told right, and what was
taken for what.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

from benchmarks.machine import machine
from idto3d import pipeline
from idto3d.config import EMBEDDED, LANDMARKS_FILE, RenderOptions
from idto3d.device import choose_device
from idto3d.errors import UserError, run_command
from idto3d.subject.encoders import make_encoder
from idto3d.subject.face_points import BLENDSHAPES
from idto3d.subject.finding import find_person
from idto3d.subject.landmarks import LandmarkReader
from idto3d.words.expressions import NAMES

SPREAD = 0.02  # added to each weight's deviation, so that one which hardly moves does not decide


def finished_heads(home: Path) -> list[Path]:
    """Folders of finished heads in `home`. Raises UserError for fewer than three."""
    found = sorted(path.parent for path in home.glob("*/head.glb"))
    if len(found) < 3:
        raise UserError(f"There are {len(found)} finished heads in '{home}'.", "Give a folder with three or more.")
    return found


def read_weights(folder: Path, size: int, encoder, reader: LandmarkReader) -> np.ndarray:
    """[13, 51] blendshape weights read from pictures of a head; NaN where no face is found."""
    rows = np.full((len(NAMES), len(BLENDSHAPES)), np.nan)
    for row, name in enumerate(NAMES):
        pose = () if name == "neutral" else ((name, 1.0),)
        pixels = pipeline.render_view(folder, RenderOptions(size=size, expressions=pose))
        if (seen := find_person(pixels, encoder, reader)) is not None:
            rows[row] = seen.landmarks.expression
    return rows


def told(weights: np.ndarray) -> np.ndarray:
    """[N, E] the expression told of each head's pictures, -1 where none was read; weights [N, E, 51], NaN as missing.

    The nearest mean over the other heads, in units of the spread of a weight within one expression.
    """
    count, kinds, _ = weights.shape
    answers = np.full((count, kinds), -1)
    for head in range(count):
        others = np.delete(weights, head, axis=0)
        means = np.nanmean(others, 0)
        spread = np.sqrt(np.nanmean((others - means) ** 2, (0, 1))) + SPREAD
        distance = (((weights[head][:, None] - means) / spread) ** 2).sum(-1)
        read = np.isfinite(distance).all(1)
        answers[head, read] = distance[read].argmin(1)
    return answers


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
    weights = np.stack([read_weights(folder, asked.size, encoder, reader) for folder in finished_heads(asked.heads)])
    print(json.dumps(report(told(weights)) | machine(choose_device("cpu")), indent=1))
    return 0


if __name__ == "__main__":
    run_command(main)
