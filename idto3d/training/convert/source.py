"""Files of others that are converted: which bytes are meant, where they come from, on what terms."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from idto3d.errors import UserError
from idto3d.files import write_tensors
from idto3d.subject.graph.graph_net import KEY, VERSION


@dataclass(frozen=True)
class Origin:
    """What a network was converted from; written beside its tensors."""

    title: str
    file: str
    sha256: str
    carried_by: str
    licence: str


def checked_bytes(path: str | Path, origin: Origin) -> bytes:
    """The content of the file `path`. Raises UserError where it is not the file that `origin` names."""
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        raise UserError(f"The file {path} cannot be read.", f"Take {origin.file} from {origin.carried_by}.") from fault
    digest = hashlib.sha256(data).hexdigest()
    if digest != origin.sha256:
        what = (
            f"{path} is not the file that is converted: its SHA-256 is {digest[:16]}..., not {origin.sha256[:16]}...."
        )
        raise UserError(what, f"Take {origin.file} from {origin.carried_by}.")
    return data


def write_graphs(
    path: str | Path, networks: Mapping[str, tuple[dict, Mapping[str, np.ndarray]]], origin: Origin
) -> Path:
    """Write graphs and tensors of `networks` by name, as `subject.graph.graph_net` reads them, whole or not at all."""
    tensors = {
        f"{name}.{key}": torch.from_numpy(np.array(value))
        for name, (_, constants) in networks.items()
        for key, value in constants.items()
    }
    described = {
        "version": VERSION,
        "origin": asdict(origin),
        "networks": {n: graph for n, (graph, _) in networks.items()},
    }
    return write_tensors(path, tensors, {KEY: json.dumps(described, separators=(",", ":"))})
