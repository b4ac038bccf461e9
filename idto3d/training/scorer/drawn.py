"""Pictures that our scorer learns from, as shards of people: clay heads, and dressed ones in colour."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from idto3d.files import read_tensors, write_tensors
from idto3d.guidance.scorer.clay import STEPS, Clay, clay_normals
from idto3d.guidance.scorer.towers import SIZE
from idto3d.training.people import synthetic
from idto3d.training.people.person import PLAIN, Person, draw_person
from idto3d.training.scorer.measures import Ruler, degrees, group_of
from idto3d.words.faces.heard import looks_of
from idto3d.words.faces.table import FACES, GLASSES, TOKENS
from idto3d.words.traits import STYLES

PER_SHARD = 200
MIXED = 0.25  # deviation by which the words' modes are mixed, so that there is more than all and nothing
VARIED = (0.6, 1.15)  # factors on how far people differ
SIDES_DEG = (0.0, 40.0)  # azimuths of pictures in colour


@dataclass(frozen=True)
class Drawn:
    """N people: normals [N, V, S, S, 3] int8 by view, albedo likewise in bytes of sRGB or None for clay, how much of
    each of TOKENS they have [N, T] 0..1, and coefficients [N, K]."""

    normals: np.ndarray
    albedo: np.ndarray | None
    tokens: np.ndarray
    coefficients: np.ndarray


def clay_shard(clay: Clay, ruler: Ruler, words: Sequence[str], seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The arrays of clay heads of people of these `seeds`."""
    people = [_mixed(draw_person(seed, words), words) for seed in seeds]
    return {
        "normals": np.stack([clay_normals(clay, person.coefficients, SIZE) for person in people]),
        "tokens": np.stack([tokens_of(person, ruler, looks=False) for person in people]),
        "coefficients": np.stack([person.coefficients for person in people]),
    }


def _mixed(person: Person, words: Sequence[str]) -> Person:
    random = np.random.default_rng([person.seed, 4])
    own = person.coefficients.copy()
    own[:PLAIN] *= random.uniform(*VARIED)
    faces = [PLAIN + place for place, word in enumerate(words) if " " in word]
    own[faces] += MIXED * random.standard_normal(len(faces)).astype(np.float32)
    return Person(own, person.look, person.seed)


def dressed_shard(studio: synthetic.Studio, ruler: Ruler, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """The arrays of dressed people of these `seeds`, in colour."""
    words = studio.model.words
    people = [draw_person(seed, words) for seed in seeds]
    seen = [_dressed(studio, person) for person in people]
    return {
        "normals": np.stack([normals for normals, _ in seen]),
        "albedo": np.stack([albedo for _, albedo in seen]),
        "tokens": np.stack([tokens_of(person, ruler, looks=True) for person in people]),
        "coefficients": np.stack([person.coefficients for person in people]),
    }


def _dressed(studio: synthetic.Studio, person: Person) -> tuple[np.ndarray, np.ndarray]:
    sculpture = synthetic.sculpt(studio, person, np.zeros(len(studio.model.expression_names), np.float32))
    turned = np.random.default_rng([person.seed, 5]).choice((-1, 1))
    views = [synthetic.look_at(sculpture, synthetic.camera(turned * side, 0.0), 2 * SIZE) for side in SIDES_DEG]
    normals = np.stack([synthetic.halve(normals) for normals, _, _ in views])
    albedo = np.stack([synthetic.halve(synthetic.srgb(albedo)) for _, albedo, _ in views])
    return np.round(normals * STEPS).astype(np.int8), synthetic.byte(albedo)


def tokens_of(person: Person, ruler: Ruler, looks: bool) -> np.ndarray:
    """[T] float32 how much of each of TOKENS somebody has; without `looks` as far as clay shows it."""
    look = person.look
    ways = degrees(ruler.ways(person.coefficients[None].astype(np.float64), group_of(look.age)))[0]
    held = dict.fromkeys((look.age, look.gender, look.ancestry), 1.0) | dict(zip(FACES, ways, strict=True))
    if looks:
        shown = asdict(look) if STYLES[look.hair_style].grows else asdict(look) | {"hair_colour": ""}
        held |= dict.fromkeys(looks_of(shown), 1.0) | ({GLASSES: 1.0} if look.glasses else {})
    return np.array([held.get(token, 0.0) for token in TOKENS], np.float32)


def write_shards(folder: Path, count: int, first_seed: int, shard_of) -> Iterator[int]:
    """Draw what `folder` lacks of `count` people; yields how many are there after each shard."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(0, count, PER_SHARD):
        path, end = folder / f"{start:06}.safetensors", min(start + PER_SHARD, count)
        if not path.exists():
            arrays = shard_of(range(first_seed + start, first_seed + end))
            write_tensors(path, {name: torch.from_numpy(value) for name, value in arrays.items()})
        yield end


def read_shards(folder: Path, count: int) -> Drawn:
    """The first `count` people of `folder`."""
    shards = [read_tensors(path) for path in sorted(folder.glob("*.safetensors"))]
    joined = {name: np.concatenate([shard[name].numpy() for shard in shards])[:count] for name in shards[0]}
    return Drawn(joined["normals"], joined.get("albedo"), joined["tokens"], joined["coefficients"])
