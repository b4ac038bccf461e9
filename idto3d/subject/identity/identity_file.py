"""identity.safetensors of a bundle: the network that reads shape and traits from a portrait."""

import json
from dataclasses import asdict
from pathlib import Path

import safetensors
import torch
from safetensors.torch import load_file

from idto3d.errors import UserError
from idto3d.files import write_tensors
from idto3d.subject.identity.portrait_net import PortraitNet, PortraitSize

VERSION = 4
KEY = "identity"


def save_identity(net: PortraitNet, path: str | Path, provenance: dict) -> None:
    """Write it as safetensors, what was trained in half precision, whole or not at all.

    `provenance` (JSON types) says what it learned from.
    """
    description = {"version": VERSION, "size": asdict(net.size), "provenance": provenance}
    tensors = dict(net.named_buffers()) | {name: value.detach().half() for name, value in net.named_parameters()}
    write_tensors(path, tensors, {KEY: json.dumps(description)})


def load_identity(path: str | Path) -> PortraitNet:
    """The network of `path`, on the CPU, without gradients. Raises UserError where the file is missing or damaged."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"The identity network {path} is missing.", "Fetch the weights again.")
    try:
        description = read_description(path)
        if description["version"] != VERSION:
            what = f"The identity network {path} is of another version of idto3d."
            raise UserError(what, "Use weights of this version, or train the bundle anew: docs/training.md tells how.")
        net = PortraitNet(_size(description["size"]))
        net.load_state_dict({name: value.float() for name, value in load_file(path).items()})
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
    return net.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def _size(description: dict) -> PortraitSize:
    words = {name: tuple(words) for name, words in description["attributes"].items()}
    shape = {name: tuple(description[name]) for name in ("widths", "blocks")}
    return PortraitSize(**description | shape | {"attributes": words})


def read_description(path: str | Path) -> dict:
    """Version, size and provenance of what is in `path`. Raises ValueError for a file of another kind."""
    with safetensors.safe_open(str(path), "pt") as file:
        description = json.loads((file.metadata() or {}).get(KEY, "{}"))
    if not isinstance(description, dict) or "version" not in description:
        raise ValueError(f"{path} is not an identity file")
    return description
