"""`python -m idto3d synthesize`: write a dataset of synthetic people.

A dataset is a folder of shards, see shards.py. Same options, same bytes.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from idto3d.errors import UserError, run_command
from idto3d.training.arguments import PROCESSORS, add_encoder, add_ict, add_out, add_workers, expect_one
from idto3d.training.data.embedding import embed_portraits, is_embedded, title
from idto3d.training.data.shards import run_all, save_arrays, save_words, shard_path
from idto3d.training.people import synthetic
from idto3d.training.people.ict import read_ict
from idto3d.training.people.person import draw_person
from idto3d.words.expressions import EXPRESSIONS

SHOWN_DEG = 105.0  # azimuth up to which an expression can be seen


@dataclass(frozen=True)
class SynthesisOptions:
    """What to write, and how much of it."""

    ict: Path
    out: Path
    people: int = 2000
    views: int = 8
    expressions: int = 1
    portraits: int = 4
    size: int = 128
    portrait_size: int = 256
    per_shard: int = 50
    first_seed: int = 0
    workers: int = PROCESSORS
    encoder: str = "dlib"
    identity: Path | None = None


def main(argv: list[str]) -> int:
    """The command: draw the shards, then embed their portraits, anew where another encoder did before."""
    options = _parse(argv)
    encoder = title(options.encoder, options.identity)
    options.out.mkdir(parents=True, exist_ok=True)
    shards = range(-(-options.people // options.per_shard))
    jobs = [(options, shard) for shard in shards if not shard_path(options.out, shard, "json").exists()]
    run_all(draw_shard, jobs, options.workers, "drawing")
    jobs = [(options, shard) for shard in shards if not is_embedded(options.out, shard, encoder)]
    run_all(embed_shard, jobs, options.workers, "embedding")
    return 0


def draw_shard(job: tuple[SynthesisOptions, int]) -> None:
    """Draw one shard's people, views and portraits."""
    options, shard = job
    studio = synthetic.open_studio(read_ict(options.ict))
    first = options.first_seed + shard * options.per_shard
    last = min(first + options.per_shard, options.first_seed + options.people)
    drawn = [draw_one(studio, seed, options) for seed in range(first, last)]
    arrays = {key: np.concatenate([arrays[key] for arrays, _ in drawn]) for key in drawn[0][0]}
    save_arrays(shard_path(options.out, shard, "safetensors"), arrays)
    words = {"people": [words for _, words in drawn], "size": options.size}
    save_words(shard_path(options.out, shard, "json"), json.dumps(words, indent=1))


def draw_one(studio: synthetic.Studio, seed: int, options: SynthesisOptions) -> tuple[dict, dict]:
    """One person's arrays (leading axis: views or portraits) and words."""
    person = draw_person(seed, studio.model.words)
    random = np.random.default_rng([seed, 3])
    dressed = synthetic.dress(studio, person)
    sittings = [_draw_sitting(studio, person, dressed, random, options) for _ in range(options.views)]
    views = [view for sitting in sittings for view in sitting]
    size = options.portrait_size
    portraits = [_draw_portrait(studio, person, dressed, random, size) for _ in range(options.portraits)]
    arrays = {key: np.stack([view[key] for view, _ in views]) for key in (views[0][0] if views else ())}
    arrays |= {"portraits": np.stack(portraits), "coefficients": person.coefficients[None]}
    arrays["person"] = np.full(len(views), seed, np.int64)
    words = {"seed": seed, "subject": person.subject(), "look": person.attributes()}
    return arrays, words | {"captions": [text for _, text in views]}


def _draw_sitting(studio, person, dressed, random, options: SynthesisOptions) -> list[tuple[dict, tuple[str, str]]]:
    """A person before one camera, in as many expressions as are asked for; from behind, where none shows, in one."""
    index, strength = synthetic.draw_expression(random)
    azimuth, elevation = synthetic.draw_view(random)
    wanted = [(index, strength)]
    if options.expressions > 1 and abs(azimuth) < SHOWN_DEG:
        others = random.permutation([i for i in range(len(EXPRESSIONS)) if i != index])[: options.expressions - 1]
        wanted += [(int(other), synthetic.draw_expression(random)[1]) for other in others]
    return [_draw_view(studio, person, dressed, shown, (azimuth, elevation), options.size) for shown in wanted]


def _draw_view(studio, person, dressed, shown, place: tuple[float, float], size: int) -> tuple[dict, tuple[str, str]]:
    (index, strength), (azimuth, elevation) = shown, place
    sculpture = synthetic.sculpt(studio, person, studio.model.weights(EXPRESSIONS[index], strength), dressed)
    normal, albedo, mask = synthetic.maps(sculpture, synthetic.camera(azimuth, elevation), size)
    numbers = {"expression": np.int64(index), "strength": np.float32(strength)}
    numbers |= {"azimuth_deg": np.float32(azimuth), "elevation_deg": np.float32(elevation)}
    return {"normal": normal, "albedo": albedo, "mask": mask, **numbers}, synthetic.captions(person.subject(), azimuth)


def _draw_portrait(studio, person, dressed, random, size: int) -> np.ndarray:
    index, strength = synthetic.draw_expression(random)
    weights = studio.model.weights(EXPRESSIONS[index], strength * random.uniform(0.2, 0.9))
    return synthetic.portrait(synthetic.sculpt(studio, person, weights, dressed), random, size)


def embed_shard(job: tuple[SynthesisOptions, int]) -> None:
    """Embed a shard's portraits: `embedding` [people, portraits, D], zero rows where no face was found."""
    options, shard = job
    embed_portraits(options.out, shard, options.portraits, options.encoder, options.identity)


def _parse(argv: list[str]) -> SynthesisOptions:
    parser = argparse.ArgumentParser(prog="idto3d synthesize", description="Write a dataset of synthetic people.")
    add_ict(parser)
    add_out(parser, "folder of the dataset")
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--views", type=int, default=8, help="normal and albedo maps per person; 0: portraits alone")
    parser.add_argument("--expressions", type=int, default=1, help="of each view whose camera sees the face")
    parser.add_argument("--portraits", type=int, default=4, help="lit portraits per person")
    parser.add_argument("--size", type=int, default=128, help="side of the maps, pixels")
    parser.add_argument("--first-seed", type=int, default=0, help="people are drawn from consecutive seeds")
    add_workers(parser)
    add_encoder(parser)
    options = SynthesisOptions(**vars(parser.parse_args(argv)))
    expect_one("A number of people, portraits or expressions", options.people, options.portraits, options.expressions)
    if options.views < 0:
        raise UserError("A number of views is below 0.", "Give 0 for portraits alone, or more.")
    return options


if __name__ == "__main__":
    run_command(main)
