"""The tensors of a saved head in files that heads share as far as they have the same.

Of a hundred megabytes that say what a head is, green hair changes seven. Tensors that change together lie in a file of
their own in FOLDER, called by the digest of what it holds: a head that has the same ones has a file of that name, which
is one more name of the other's where the file system knows such. Nothing here is ever written over.
"""

import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from idto3d.files import read_tensors, remove, unshared, write_atomic
from idto3d.moves import link_or_copy

FOLDER = "saved"
NAME = re.compile(r"saved/[a-z_]+-[0-9a-f]{32}\.safetensors")
PARTED = {"head": 2, "painted": 3}  # how many words of a tensor's name say what changes together; one, where not here
ROWS, VALUES, SHAPE = "@rows", "@values", "@shape"  # what a tensor of few rows that are not zero becomes
LEAST, MOST = 1 << 14, 1 << 30  # numbers of a tensor from which that is worth it, and that one may have


def write_shared(folder: Path, tensors: Mapping[str, Tensor], beside: Path | None = None) -> list[str]:
    """Write `tensors` into files below `folder`, relative to which their names are returned, sorted.

    beside: the folder of another head; files that it has already become files of this one. Raises OSError.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        groups.setdefault(_group(name), {}).update(_thinned(name, value))
    return sorted({_write(folder, _kind(group), own, beside) for group, own in groups.items()})


def _group(name: str) -> str:
    words = name.split(".")
    return ".".join(words[: PARTED.get(words[0], 1)])


def _kind(group: str) -> str:
    """What files of a group are called: the first word of its name, in letters that all file systems take."""
    return re.sub(r"[^a-z_]", "_", group.split(".")[0].lower())


def _write(folder: Path, kind: str, tensors: Mapping[str, Tensor], beside: Path | None) -> str:
    content = save(unshared(tensors))
    name = f"{FOLDER}/{kind}-{hashlib.sha256(content).hexdigest()[:32]}.safetensors"
    if (folder / name).is_file():
        return name
    if beside is not None and (beside / name).is_file():
        link_or_copy(beside / name, folder / name)
    else:
        write_atomic(folder / name, content)
    return name


def read_shared(folder: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """The tensors of the files `names` below `folder`, on the CPU.

    Raises ValueError for names that are none of ours, UserError where a file is missing or damaged.
    """
    if strange := [name for name in names if not NAME.fullmatch(name)]:
        raise ValueError(f"{strange[0]!r} is no file of a head")
    found = {name: value for file in names for name, value in read_tensors(folder / file).items()}
    return {name: _whole(name, value, found) for name, value in _whole_names(found)}


def tidy(folder: Path, names: Iterable[str]) -> None:
    """Remove the files in `folder` of heads that lay there before, all but `names`."""
    kept = set(names)
    for path in (folder / FOLDER).glob("*.safetensors"):
        if f"{FOLDER}/{path.name}" not in kept:
            remove(path)


def _thinned(name: str, value: Tensor) -> dict[str, Tensor]:
    """A tensor as it is, or by the rows of its last axis that hold a bit, where less than half of them do."""
    if value.dtype != torch.float32 or value.ndim < 2 or value.numel() < LEAST:
        return {name: value}
    rows = value.detach().cpu().contiguous().reshape(-1, value.shape[-1])
    some = rows.view(torch.int32).any(1).nonzero()[:, 0]
    if 2 * len(some) > len(rows):
        return {name: value}
    shape = torch.tensor(value.shape, dtype=torch.int64)
    return {name + ROWS: some.int(), name + VALUES: rows[some], name + SHAPE: shape}


def _whole_names(found: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    """The names of tensors that were given to `write_shared`, each with what is at that name or its values."""
    plain = [(name, value) for name, value in found.items() if "@" not in name]
    return plain + [(name.removesuffix(VALUES), value) for name, value in found.items() if name.endswith(VALUES)]


def _whole(name: str, value: Tensor, found: Mapping[str, Tensor]) -> Tensor:
    """The inverse of `_thinned`. Raises KeyError, ValueError, IndexError or RuntimeError for what it never wrote."""
    if name in found:
        return value
    shape = found[name + SHAPE].tolist()
    if min(shape) < 0 or math.prod(shape) > MOST or value.ndim != 2 or shape[-1] != value.shape[-1]:
        raise ValueError(f"{name} cannot be {shape}")
    rows = value.new_zeros(shape).reshape(-1, shape[-1])
    rows[found[name + ROWS].long()] = value
    return rows.reshape(shape)
