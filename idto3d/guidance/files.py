"""Reading tensor files of a bundle: safetensors, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import safetensors
from safetensors.torch import load_file
from torch import Tensor

from idto3d.errors import UserError


def read_tensors(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU. Raises UserError if it is missing, damaged or of another kind."""
    with _readable(Path(path)) as name:
        return load_file(name)


def read_names(path: str | Path) -> list[str]:
    """The names of the tensors of a safetensors file, which is not read further. Raises UserError likewise."""
    with _readable(Path(path)) as name, safetensors.safe_open(name, "pt") as file:
        return list(file.keys())


@contextmanager
def _readable(path: Path) -> Iterator[str]:
    if path.suffix != ".safetensors":
        raise UserError(f"{path.name} is not a safetensors file.", "Only safetensors weights are loaded.")
    if not path.is_file():
        raise UserError(f"The file {path} is missing.", "Fetch the weights again.")
    try:
        yield str(path)
    except (safetensors.SafetensorError, OSError) as fault:
        raise UserError(f"The file {path} could not be read: {fault}.", "Fetch the weights again.") from fault


def unfit(path: Path, why: str) -> UserError:
    """The error for a readable file that does not belong to its base model."""
    return UserError(f"{path} does not fit the base model: {why}.", "Use files that were trained for this base.")
