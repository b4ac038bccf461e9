"""Files that are either whole or absent: atomic writes, digests, private folders, safetensors.

torch and safetensors are imported only where tensors are read or written, so that the front doors stay quick.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from idto3d.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, dtype
    from torch.nn import Module

REMEDY = "Fetch the weights again; the file may be damaged."
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system calls a full disk
MOST_JSON = 64 << 20  # bytes; a tokenizer of 50,000 words takes three million

PART = re.compile(r"\..+\.part")  # what `atomic` calls a partial file


def write_atomic(path: Path, data: bytes) -> Path:
    """Write `data` so that a reader, or a crash, sees the old file or the new one and nothing between.

    Folders above it are made. The partial file is this thread's own: several may write the same path.
    """
    with atomic(Path(path)) as part:
        part.write_bytes(data)
    return Path(path)


def copy_atomic(source: Path, path: Path) -> Path:
    """Copy a file, whole or not at all."""
    with atomic(Path(path)) as part:
        shutil.copyfile(source, part)
    return Path(path)


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A partial file to write, which takes the place of `path` in the end, or vanishes where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename inside `folder` durable, where the system can open folders."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: Path, data: Mapping) -> Path:
    """`data` as indented JSON, atomically."""
    return write_atomic(path, (json.dumps(data, indent=2, ensure_ascii=False) + "\n").encode())


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def private_folder(folder: Path) -> Path:
    """`folder`, made if it is missing, readable by its owner only (0700)."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def remove(path: Path) -> None:
    """Remove a file or a folder with all it holds; nothing happens when it is not there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_tensors(path: str | Path, tensors: Mapping[str, "Tensor"], metadata: Mapping[str, str] | None = None) -> Path:
    """Write a safetensors file, atomically; the tensors may lie on any device and share memory.

    Raises OSError where the system refuses, e.g. on a full disk.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    with atomic(Path(path)) as part:
        try:
            save_file(unshared(tensors), part, dict(metadata) if metadata else None)
        except SafetensorError as fault:
            number = re.search(r"os error (\d+)", str(fault))  # safetensors tells the system's errors as text only
            raise OSError(int(number[1]), str(fault)) if number else fault from None
    return Path(path)


def unshared(tensors: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """`tensors` on the CPU; of those that share memory all but the first are copies, as safetensors asks for."""
    plain, seen = {}, set()
    for name, value in tensors.items():
        value = value.detach().cpu().contiguous()
        place = value.untyped_storage().data_ptr()
        plain[name] = value.clone() if place in seen or value.untyped_storage().nbytes() > value.nbytes else value
        seen.add(place)
    return plain


def read_tensors(path: str | Path) -> dict[str, "Tensor"]:
    """The tensors of a safetensors file, on the CPU; every number of them is finite.

    Raises UserError where it is missing, damaged or of another kind.
    """
    from safetensors.torch import load_file

    path = Path(path)
    with _readable(path) as name:
        tensors = load_file(name)
    for key, value in tensors.items():
        if value.is_floating_point() and not _finite(value):
            raise damaged(path, f"{key} has values that are no finite numbers")
    return tensors


def _finite(values: "Tensor") -> bool:
    """Whether all are finite: the least and the largest say so, in a tenth of the time that looking at each takes."""
    import torch

    if values.numel() == 0 or values.element_size() == 1:  # eight-bit floats have no order in torch
        return bool(values.float().isfinite().all())
    return bool(torch.stack(torch.aminmax(values)).isfinite().all())


def read_names(path: str | Path) -> list[str]:
    """The names of the tensors of a safetensors file, which is not read further. Raises UserError likewise."""
    return list(read_shapes(path))


def read_shapes(path: str | Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor of a safetensors file, of which the header alone is read. Raises UserError likewise."""
    from safetensors import safe_open

    with _readable(Path(path)) as name, safe_open(name, "pt") as file:
        return {key: tuple(file.get_slice(key).get_shape()) for key in list(file.keys())}


def read_metadata(path: str | Path) -> dict[str, str]:
    """The texts that were written beside the tensors of a safetensors file. Raises UserError likewise."""
    from safetensors import safe_open

    with _readable(Path(path)) as name, safe_open(name, "pt") as file:
        return dict(file.metadata() or {})


def read_json(path: str | Path) -> dict:
    """The object in a JSON file of at most MOST_JSON bytes. Raises UserError where it is missing or holds no object."""
    path = Path(path)
    if not path.is_file():
        raise UserError(f"The file {path} is missing.", REMEDY)
    try:
        if path.stat().st_size > MOST_JSON:
            raise ValueError(f"it is larger than {MOST_JSON >> 20} MB")
        return json_object(path.read_bytes().decode())
    except (OSError, ValueError) as fault:  # not `refusing`, which loads torch: pages and workers begin with JSON
        raise damaged(path, first_line(fault)) from fault


def json_object(text: str) -> dict:
    """The object that `text` is as JSON. Raises ValueError for other text, NaN, and a name that is given twice."""
    try:
        found = json.loads(text, parse_constant=_no_number, object_pairs_hook=_once)
    except RecursionError as fault:
        raise ValueError("it is nested too deeply") from fault
    if not isinstance(found, dict):
        raise ValueError("it should be a JSON object")
    return found


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def _once(pairs: list[tuple[str, object]]) -> dict:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it gives a name twice")
    return found


def fill(network: "Module", path: Path, dtype: "dtype | None" = None, named: Callable[[str], str] = str) -> None:
    """Give `network`, built on torch's device meta, the tensors of a safetensors file, floating ones as `dtype`.

    Nothing is read before the file's header shows that each tensor is there, in its shape, and no other. `named` gives
    the network's name for one of the file's, "" for a tensor that it does not take. Raises UserError.
    """
    wanted, shapes = network.state_dict(), read_shapes(path)
    names = {named(name): name for name in shapes}
    names.pop("", None)
    expect_shapes(path, {n: v.shape for n, v in wanted.items()}, {n: shapes[name] for n, name in names.items()})
    tensors, state = read_tensors(path), {}
    for name, like in wanted.items():
        value = tensors[names[name]]
        if value.is_floating_point() != like.is_floating_point():
            raise damaged(path, f"{names[name]} has numbers of another kind")
        kind = (dtype or like.dtype) if like.is_floating_point() else like.dtype
        state[name] = value.reshape(like.shape).to(kind)
    network.load_state_dict(state, assign=True)


def expect_shapes(
    path: Path,
    expected: Mapping[str, Sequence[int]],
    found: Mapping[str, Sequence[int]],
    refusal: "Callable[[Path, str], UserError] | None" = None,
) -> None:
    """Raise UserError unless the file `path`, whose tensors have the shapes `found`, has just those `expected`.

    A single number may lie there as a row of one. `refusal` makes the error, `damaged` where nothing is given.
    """
    refusal = refusal or damaged
    missing, more = [sorted(one.keys() - other.keys()) for one, other in ((expected, found), (found, expected))]
    if missing:
        raise refusal(path, f"{missing[0]} is missing" + _others(missing))
    if more:
        raise refusal(path, f"{more[0]} does not belong there" + _others(more))
    for name, shape in expected.items():
        if (tuple(found[name]) or (1,)) != (tuple(shape) or (1,)):
            raise refusal(path, f"{name} should be {list(shape)}, found {list(found[name])}")


def _others(names: Sequence[str]) -> str:
    return f", and {len(names) - 1} more" if len(names) > 1 else ""


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Whatever what lies in `path` makes fail inside is raised as UserError, but for a machine's own want of memory."""
    import torch
    from safetensors import SafetensorError

    faults = (ArithmeticError, AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except (*faults, SafetensorError) as fault:
        raise damaged(path, first_line(fault)) from fault


def first_line(fault: Exception) -> str:
    """What `fault` says, in one line without a full stop."""
    said = f"it lacks {fault}" if isinstance(fault, KeyError) else str(fault)
    return (said.strip().splitlines() or [type(fault).__name__])[0][:200].rstrip(".")


@contextmanager
def _readable(path: Path) -> Iterator[str]:
    if path.suffix != ".safetensors":
        raise UserError(f"{path.name} is not a safetensors file.", "Only safetensors weights are loaded.")
    if not path.is_file():
        raise UserError(f"The file {path} is missing.", REMEDY)
    with refusing(path):
        yield str(path)


def damaged(path: Path, why: str) -> UserError:
    """The error for a file of weights that cannot be read, or says what no such file says."""
    return UserError(f"The file {path} could not be read: {why}.", REMEDY)


def unfit(path: Path, why: str) -> UserError:
    """The error for a readable file that does not belong to its base model."""
    return UserError(f"{path} does not fit the base model: {why}.", "Use files that were trained for this base.")
