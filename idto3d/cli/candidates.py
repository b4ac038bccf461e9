"""`candidates`: heads that words could mean, as pictures and files of which `generate --candidate` makes one."""

import argparse
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

from idto3d.checks import path_of
from idto3d.cli.common import DONE, add_option, add_set, all_assigned
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.files import read_json, write_json
from idto3d.words.prompts import one_line

KIND = "idto3d candidate"
REMEDY = "Give a file that `candidates --out` wrote."
MOST = 10_000  # coefficients that a file may hold


def add_candidates(parser: argparse.ArgumentParser) -> None:
    """The words of `candidates`."""
    for name in ("prompt", "weights", "seed", "device"):
        add_option(parser, HeadOptions, name)
    text = "a candidate's file: the others shall be like it; may be repeated"
    parser.add_argument("--like", type=path_of, action="append", default=[], metavar="FILE", help=text)
    parser.add_argument("--count", type=int, default=9, help="how many (default: 9)")
    text = "folder for pictures and files; without it the candidates are printed as JSON"
    parser.add_argument("--out", type=path_of, metavar="DIR", help=text)
    add_set(parser, "any other option, e.g. --set choice.candidates=100000")


def candidates(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Propose heads for words, and write or print them."""
    from idto3d.candidates import propose
    from idto3d.events import CandidatesFound, Notice

    if arguments.out is not None and arguments.out.exists() and not arguments.out.is_dir():
        raise UserError(f"{arguments.out} is a file, no folder.", "Give --out a folder, new or not.")
    given = {name: getattr(arguments, name) for name in ("prompt", "weights", "seed", "device")}
    options = replace(HeadOptions(), **{name: value for name, value in given.items() if value is not None})
    options = all_assigned(replace(options, prompt=one_line(options.prompt)), arguments.set)
    like, found = [candidate_in(path)["coefficients"] for path in arguments.like], ()
    for event in propose(options, like, arguments.count):
        if isinstance(event, Notice):
            print(event.text, file=sys.stderr)
        found = event.candidates if isinstance(event, CandidatesFound) else found
    rows = [_as_json(one, options) for one in found]
    if arguments.out is None:
        print(json.dumps(rows))
    else:
        _write(arguments.out, rows, [one.picture for one in found])
    return DONE


def _as_json(candidate, options: HeadOptions) -> dict:
    about = {"kind": KIND, "prompt": options.prompt, "seed": options.seed, "weights": options.weights}
    coefficients = [round(value, 5) for value in candidate.coefficients]
    return about | {"score": round(candidate.score, 4), "coefficients": coefficients}


def _write(folder: Path, rows: list[dict], pictures: list) -> None:
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    for number, (row, picture) in enumerate(zip(rows, pictures, strict=True), 1):
        Image.fromarray(picture).save(folder / f"candidate-{number}.png")
        write_json(folder / f"candidate-{number}.json", row)
        print(f"{folder / f'candidate-{number}.json'}  score {row['score']}")


def candidate_in(path: Path) -> dict:
    """A candidate's `prompt`, `weights` and `coefficients` as written. Raises UserError for any other file."""
    if not path.is_file():
        raise UserError(f"There is no file {path}.", REMEDY)
    try:
        said = read_json(path)
    except UserError as fault:  # whose remedy is that of weights
        raise UserError(f"{path} holds no candidate.", REMEDY) from fault
    values, texts = said.get("coefficients"), [said.get(name) for name in ("prompt", "weights")]
    numbers = isinstance(values, list) and 0 < len(values) <= MOST and all(type(v) in (int, float) for v in values)
    words = all(isinstance(text, str) for text in texts)
    if said.get("kind") != KIND or not numbers or not words or not all(map(math.isfinite, values)):
        raise UserError(f"{path} holds no candidate.", REMEDY)
    return {"prompt": one_line(texts[0]), "weights": texts[1], "coefficients": tuple(map(float, values))}
