"""identity.safetensors of a bundle: the network that reads shape and traits from a portrait."""

import json
from dataclasses import asdict
from pathlib import Path

import torch

from idto3d.errors import UserError
from idto3d.files import fill, json_object, read_metadata, read_shapes, refusing, write_tensors
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
    with refusing(path):
        description = read_description(path)
        if description["version"] != VERSION:
            what = f"The identity network {path} is of another version of idto3d."
            raise UserError(what, "Use weights of this version, or train the bundle anew: docs/training.md tells how.")
        size = _size(description["size"])
        if sum(size.blocks) > len(read_shapes(path)):
            raise ValueError("it has more layers than there are weights for")
        with torch.device("meta"):
            net = PortraitNet(size)
    fill(net, path, torch.float32)
    return net.requires_grad_(False).eval().to(memory_format=torch.channels_last)


def _size(description: dict) -> PortraitSize:
    words = {name: tuple(words) for name, words in description["attributes"].items()}
    shape = {name: tuple(description[name]) for name in ("widths", "blocks")}
    return PortraitSize(**description | shape | {"attributes": words})


def read_description(path: str | Path) -> dict:
    """Version, size and provenance of what is in `path`. Raises ValueError for a file of another kind."""
    description = json_object(read_metadata(path).get(KEY, "{}"))
    if "version" not in description:
        raise ValueError(f"{path} is not an identity file")
    return description
