"""Files that are either whole or absent: atomic writes, digests, private folders, safetensors.

torch and safetensors are imported only where tensors are read or written, so that the front doors stay quick.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from idto3d.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor


def write_atomic(path: Path, data: bytes) -> Path:
    """Write `data` so that a reader, or a crash, sees the old file or the new one and nothing between.

    Folders above it are made. The partial file is this process's own: several may write the same path.
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
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
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


def move_all(source: Path, target: Path, last: str) -> None:
    """Move every file below the folder `source` to its place below `target`, the one named `last` in the end."""
    names = sorted((path.relative_to(source) for path in source.rglob("*") if path.is_file()), key=str)
    for name in sorted(names, key=lambda name: str(name) == last):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(source / name, target / name)
    remove(source)


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
            save_file(_unshared(tensors), part, dict(metadata) if metadata else None)
        except SafetensorError as fault:
            number = re.search(r"os error (\d+)", str(fault))  # safetensors tells the system's errors as text only
            raise OSError(int(number[1]), str(fault)) if number else fault from None
    return Path(path)


def _unshared(tensors: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """`tensors` on the CPU; of those that share memory all but the first are copies, as safetensors asks for."""
    plain, seen = {}, set()
    for name, value in tensors.items():
        value = value.detach().cpu().contiguous()
        place = value.untyped_storage().data_ptr()
        plain[name] = value.clone() if place in seen or value.untyped_storage().nbytes() > value.nbytes else value
        seen.add(place)
    return plain


def read_tensors(path: str | Path) -> dict[str, "Tensor"]:
    """The tensors of a safetensors file, on the CPU. Raises UserError if it is missing, damaged or of another kind."""
    from safetensors.torch import load_file

    with _readable(Path(path)) as name:
        return load_file(name)


def read_names(path: str | Path) -> list[str]:
    """The names of the tensors of a safetensors file, which is not read further. Raises UserError likewise."""
    from safetensors import safe_open

    with _readable(Path(path)) as name, safe_open(name, "pt") as file:
        return list(file.keys())


def read_metadata(path: str | Path) -> dict[str, str]:
    """The texts that were written beside the tensors of a safetensors file. Raises UserError likewise."""
    from safetensors import safe_open

    with _readable(Path(path)) as name, safe_open(name, "pt") as file:
        return dict(file.metadata() or {})


@contextmanager
def _readable(path: Path) -> Iterator[str]:
    from safetensors import SafetensorError

    if path.suffix != ".safetensors":
        raise UserError(f"{path.name} is not a safetensors file.", "Only safetensors weights are loaded.")
    if not path.is_file():
        raise UserError(f"The file {path} is missing.", "Fetch the weights again.")
    try:
        yield str(path)
    except (SafetensorError, OSError) as fault:
        raise UserError(f"The file {path} could not be read: {fault}.", "Fetch the weights again.") from fault


def unfit(path: Path, why: str) -> UserError:
    """The error for a readable file that does not belong to its base model."""
    return UserError(f"{path} does not fit the base model: {why}.", "Use files that were trained for this base.")
