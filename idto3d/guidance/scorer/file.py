"""scorer.safetensors of a bundle: our own scorer's networks, in half precision, with the words that they hear."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from idto3d.files import expect_shapes, json_object, read_metadata, read_tensors, refusing, write_tensors
from idto3d.guidance.scorer.towers import Towers
from idto3d.words.faces.table import TOKENS
from idto3d.words.traits import TAUGHT_COLOURS, TAUGHT_STYLES

VERSION, KEY = 1, "scorer"
MOST_MODES, MOST_WORDS = 1000, 1000


@dataclass(frozen=True, eq=False)
class Scoring:
    """The networks, and what they were taught in the order of its numbers: tokens, hair styles, colours of hair."""

    towers: Towers
    modes: int
    tokens: tuple[str, ...] = TOKENS
    styles: tuple[str, ...] = TAUGHT_STYLES
    colours: tuple[str, ...] = TAUGHT_COLOURS


def new_scoring(modes: int) -> Scoring:
    """Networks that were taught nothing yet, for a template of so many identity modes."""
    return Scoring(Towers(modes, len(TAUGHT_STYLES), len(TAUGHT_COLOURS), len(TOKENS)), modes)


def save_scoring(scoring: Scoring, path: str | Path, provenance: Mapping) -> None:
    """Write the networks; `provenance` (JSON types) says what they were taught."""
    description = {
        "version": VERSION,
        "modes": scoring.modes,
        "tokens": scoring.tokens,
        "styles": scoring.styles,
        "colours": scoring.colours,
        "provenance": provenance,
    }
    tensors = {name: value.half() for name, value in scoring.towers.state_dict().items()}
    write_tensors(path, tensors, {KEY: json.dumps(description)})


def load_scoring(path: str | Path, device: torch.device | str = "cpu") -> Scoring:
    """The networks of `path`, in full precision, without gradients.

    Raises UserError where the file is missing, damaged or of another version.
    """
    path = Path(path)
    tensors, text = read_tensors(path), read_metadata(path).get(KEY, "{}")
    with refusing(path):
        said = json_object(text)
        if said.get("version") != VERSION:
            raise ValueError(f"it is no scorer of version {VERSION}")
        lists = [_texts(said[name]) for name in ("tokens", "styles", "colours")]
        modes = said["modes"]
        if type(modes) is not int or not 0 < modes <= MOST_MODES:
            raise ValueError("the number of its modes")
        with torch.device("meta"):
            towers = Towers(modes, len(lists[1]), len(lists[2]), len(lists[0]))
        wanted = {name: tuple(value.shape) for name, value in towers.state_dict().items()}
        expect_shapes(path, wanted, {name: tuple(value.shape) for name, value in tensors.items()})
        towers.load_state_dict({name: value.float() for name, value in tensors.items()}, assign=True)
    return Scoring(towers.requires_grad_(False).eval().to(device), modes, *lists)


def _texts(value: object) -> tuple[str, ...]:
    if (
        not isinstance(value, Sequence)
        or not 0 < len(value) <= MOST_WORDS
        or not all(isinstance(v, str) for v in value)
    ):
        raise ValueError("its lists of words")
    return tuple(value)
