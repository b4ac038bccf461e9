"""`python -m idto3d evaluate guidance BUNDLE`: does the guidance obey identity, expression and view?

Normal maps are sampled for held-out synthetic people, given only embeddings of other portraits of theirs, and
compared with the truth by the angle between normals inside the mask.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from idto3d.expressions import EXPRESSIONS
from idto3d.guidance.bundle import load_bundle
from idto3d.guidance.device import choose_device
from idto3d.guidance.diffusion import Guidance
from idto3d.prompts import view_word
from idto3d.subject.encoders import make_encoder
from idto3d.training import synthetic
from idto3d.training.denoiser import mean_embedding
from idto3d.training.ict import read_ict

FIRST_SEED = 6_000_000  # far from any training seed
VIEWS_DEG = (0.0, 45.0, 90.0, 135.0, 180.0, -135.0, -90.0, -45.0)


@dataclass(frozen=True)
class Case:
    """One held-out person in one expression and view, and the mean embedding [D] of their other portraits."""

    person: synthetic.Person
    expression: int
    azimuth_deg: float
    embedding: torch.Tensor


def main(argv: list[str]) -> int:
    """The command."""
    told = _parse(argv)
    studio = synthetic.open_studio(read_ict(told.ict))
    guidance = Guidance(load_bundle(told.bundle, choose_device("auto")))
    encoder = make_encoder(guidance.info.identity_encoder.name)
    cases = [c for i in range(told.people) if (c := draw_case(studio, encoder, FIRST_SEED + i, told.portraits))]
    measured = measure(studio, guidance, cases, told)
    text = json.dumps(measured, indent=None if told.json else 1)
    print(text)
    return 0


def draw_case(studio, encoder, seed: int, count: int) -> Case | None:
    """A case from a seed; None where no portrait shows a face to the encoder."""
    person, random = synthetic.draw_person(seed), np.random.default_rng([seed, 5])
    found = []
    for _ in range(count):
        index, strength = synthetic.draw_expression(random)
        weights = studio.model.weights(EXPRESSIONS[index], strength * 0.6)
        faces = encoder.embed(synthetic.portrait(synthetic.sculpt(studio, person, weights), random, 256))
        found += [faces[0].embedding] if faces else []
    if not found:
        return None
    expression = int(random.integers(len(EXPRESSIONS)))
    embedding = mean_embedding(torch.from_numpy(np.stack(found))[None])[0]
    return Case(
        person, expression, float(random.choice(VIEWS_DEG, p=(0.4, 0.15, 0.1, 0.05, 0.05, 0.05, 0.1, 0.1))), embedding
    )


def truth(studio, person, expression: int, azimuth_deg: float, size: int) -> np.ndarray:
    """The true normal map [S, S, 3] uint8."""
    sculpture = synthetic.sculpt(studio, person, studio.model.weights(EXPRESSIONS[expression]))
    return synthetic.maps(sculpture, synthetic.camera(azimuth_deg, 0.0), size)[0]


def angle(first: np.ndarray, second: np.ndarray) -> float:
    """Mean angle in degrees between two normal maps where either shows the head."""
    a, b = (image.astype(np.float32) / 127.5 - 1 for image in (first, second))
    inside = ~((first > 250).all(-1) & (second > 250).all(-1))
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    cosine = (a * b).sum(-1)[inside] / np.maximum(lengths[inside], 1e-6)
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean())


def sample(guidance: Guidance, case: Case, steps: int, scale: float | None, seed: int) -> np.ndarray:
    """A sampled normal map [S, S, 3] uint8 for a case, described by all its words."""
    prompt = guidance.info.prompt("geometry", view_word(case.azimuth_deg), case.person.subject())
    descriptor = EXPRESSIONS[case.expression].descriptor
    conditions = guidance.conditions([prompt], "", case.embedding, [descriptor])
    picture = guidance.sample("geometry", conditions, steps, torch.Generator().manual_seed(seed), scale)
    return (picture[0].permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)


def measure(studio, guidance: Guidance, cases: list[Case], told) -> dict:
    """All figures over `cases`."""
    size, hits = guidance.info.image_size, {"identity": [], "expression": [], "view": []}
    own, average = [], []
    for i, case in enumerate(cases):
        image = sample(guidance, case, told.steps, told.scale, i)
        others = [c.person for c in cases if c is not case][: told.among - 1]
        mean = synthetic.Person(np.zeros(100, np.float32), case.person.look, case.person.seed)
        gaps = {
            "identity": [(p, case.expression, case.azimuth_deg) for p in (case.person, *others)],
            "expression": [
                (case.person, e, case.azimuth_deg) for e in _first(range(len(EXPRESSIONS)), case.expression)
            ],
            "view": [(case.person, case.expression, a) for a in _first(VIEWS_DEG, case.azimuth_deg)],
        }
        for kind, candidates in gaps.items():
            if kind == "identity" or abs(case.azimuth_deg) <= 45 or kind == "view":
                angles = [angle(image, truth(studio, *candidate, size)) for candidate in candidates]
                hits[kind].append(int(np.argmin(angles)) == 0)
                own += [angles[0]] if kind == "identity" else []
        average.append(
            angle(
                image * 0 + truth(studio, mean, case.expression, case.azimuth_deg, size),
                truth(studio, case.person, case.expression, case.azimuth_deg, size),
            )
        )
    rates = {f"right_{kind}": round(float(np.mean(values)), 4) for kind, values in hits.items()}
    degrees = {
        "sample_error_deg": round(float(np.mean(own)), 3),
        "average_head_error_deg": round(float(np.mean(average)), 3),
    }
    return rates | degrees | {"people": len(cases), "among": min(told.among, len(cases)), "portraits": told.portraits}


def _first(values, chosen) -> list:
    return [chosen, *(value for value in values if value != chosen)]


def _parse(argv: list[str]):
    parser = argparse.ArgumentParser(prog="idto3d evaluate", description="Measure a bundle's guidance.")
    parser.add_argument("what", choices=("guidance",))
    parser.add_argument("bundle", help="embedded or a folder")
    parser.add_argument("--ict", type=Path, required=True, help="packed ICT-FaceKit .npz or a checkout's folder")
    parser.add_argument("--people", type=int, default=100, help="held-out people")
    parser.add_argument("--portraits", type=int, default=2, help="portraits whose mean embedding is given")
    parser.add_argument("--among", type=int, default=50, help="candidates of the identity test")
    parser.add_argument("--steps", type=int, default=20, help="sampling steps")
    parser.add_argument("--scale", type=float, default=None, help="guidance scale; the bundle's own when absent")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
