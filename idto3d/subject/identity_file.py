"""identity.safetensors of a bundle: how shape is read from a portrait, and a network that says how it looks."""

import json
from dataclasses import asdict
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file, save_file

from idto3d.errors import UserError
from idto3d.subject.looks_net import LooksNet, LooksSize
from idto3d.subject.shape_reader import ReaderSize, ShapeReader

VERSION = 2
KEY = "identity"
HALF_PRECISION = ("edge_basis", "centres")  # of the reader; the network's trained weights are too


def save_identity(reader: ShapeReader, looks: LooksNet, path: str | Path, provenance: dict) -> None:
    """Write both as safetensors, whole or not at all. `provenance` (JSON types) says what they learned from."""
    path = Path(path)
    description = {"version": VERSION, "reader": asdict(reader.size), "looks": asdict(looks.size)}
    tensors = {f"reader.{name}": value for name, value in reader.state_dict().items()}
    tensors |= {f"reader.{name}": tensors[f"reader.{name}"].half() for name in HALF_PRECISION}
    tensors |= {f"looks.{name}": value.half() for name, value in looks.state_dict().items()}
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, metadata={KEY: json.dumps(description | {"provenance": provenance})})
    partial.replace(path)


def load_identity(path: str | Path) -> tuple[ShapeReader, LooksNet]:
    """Both of `path`, on the CPU, without gradients. Raises UserError where the file is missing or damaged."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"The identity network {path} is missing.", "Fetch the weights again.")
    try:
        told = read_description(path)
        if told["version"] != VERSION:
            what = f"The identity network {path} is of another version of idto3d."
            raise UserError(what, "Fetch the weights again, or make it anew: docs/training.md tells how.")
        reader, looks = ShapeReader(ReaderSize(**told["reader"])), LooksNet(_looks_size(told["looks"]))
        tensors = {name: value.float() for name, value in load_file(path).items()}
        for part, title in ((reader, "reader."), (looks, "looks.")):
            part.load_state_dict({k.removeprefix(title): v for k, v in tensors.items() if k.startswith(title)})
    except (
        safetensors.SafetensorError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
        RuntimeError,
        AttributeError,
    ) as fault:
        raise UserError(f"The identity network {path} could not be read.", "Fetch the weights again.") from fault
    return reader.eval(), looks.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def _looks_size(told: dict) -> LooksSize:
    words = {name: tuple(words) for name, words in told["attributes"].items()}
    return LooksSize(**told | {"widths": tuple(told["widths"]), "blocks": tuple(told["blocks"]), "attributes": words})


def read_description(path: str | Path) -> dict:
    """Version, sizes and provenance of what is in `path`. Raises ValueError for a file of another kind."""
    with safetensors.safe_open(str(path), "pt") as file:
        told = json.loads((file.metadata() or {}).get(KEY, "{}"))
    if not isinstance(told, dict) or "version" not in told:
        raise ValueError(f"{path} is not an identity file")
    return told
