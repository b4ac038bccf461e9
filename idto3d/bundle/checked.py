"""Fetched files are checked once, recorded by SHA-256, and made ready to load: no pickle remains."""

import hashlib
import json
import pickle
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import cached_assets_path

from idto3d.bundle.sources import COMMIT, Source
from idto3d.errors import UserError
from idto3d.files import copy_atomic, sha256_of, write_json, write_tensors

if TYPE_CHECKING:
    from torch import Tensor

RECORD = "sha256.json"
CONVERTED = "converted"  # folder of our own copies
DIGEST = re.compile(r"[0-9a-f]{64}")


def check_files(source: Source, folder: Path) -> None:
    """Compare the files of `source` in `folder` with what is known of them, and record what was found.

    The first time every file is read and its SHA-256 recorded; afterwards a file of the recorded size is taken for
    unchanged. Raises UserError where a file is not the one that was published; it is removed, to be fetched anew.
    """
    record = _record_path(source)
    known = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    checked = {name: _checked(source, folder / name, name, known.get(name)) for name in source.files}
    if any(known.get(name) != entry for name, entry in checked.items()):
        write_json(record, known | checked)


def recorded(source: Source) -> dict[str, str]:
    """The SHA-256 of every file of `source` that was checked on this machine."""
    record = _record_path(source)
    if not record.is_file():
        return {}
    return {name: entry["sha256"] for name, entry in json.loads(record.read_text(encoding="utf-8")).items()}


def _record_path(source: Source) -> Path:
    return assets(source) / RECORD


def assets(source: Source) -> Path:
    """Our own folder for `source` in huggingface_hub's cache."""
    return cached_assets_path("idto3d", namespace=source.repo, subfolder=source.revision)


def _checked(source: Source, path: Path, name: str, known: Mapping | None) -> dict:
    size = path.stat().st_size
    if known is not None and known["size"] == size and source.files[name] in ("", known["sha256"]):
        return dict(known)
    expected = source.files[name] or (known or {}).get("sha256")
    digest = sha256_of(path)
    actual, wanted = (digest, expected) if expected else _announced(path, digest)
    if actual != wanted:
        _remove(path)
        raise UserError(
            f"{name} of {source.title()} is not the file that was published: its hash is {actual[:16]}..., "
            f"not {wanted[:16]}....",
            "It was removed from the cache; run it again to fetch it anew.",
        )
    return {"sha256": digest, "size": size}


def _announced(path: Path, digest: str) -> tuple[str, str]:
    """The hash of a file, and the one by which the Hub announced it; the latter is the name of the cache's blob.

    For a large file that is the SHA-256, here `digest`, for a small one git's. Another name says nothing: two equal
    texts.
    """
    name = path.resolve().name
    if DIGEST.fullmatch(name):
        return digest, name
    return (git_hash(path), name) if COMMIT.fullmatch(name) else ("", "")


def git_hash(path: Path) -> str:
    """The SHA-1 by which git knows a file's content, hexadecimal."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _remove(path: Path) -> None:
    blob = path.resolve()
    path.unlink()
    blob.unlink(missing_ok=True)


def ready(source: Source, folder: Path) -> Path:
    """The folder of `source` from which can be loaded: `folder`, or ours where pickled weights had to be converted."""
    if not any(name.endswith(".bin") for name in source.files):
        return folder
    for name in source.files:
        if name.endswith(".bin"):
            converted(folder / name, _copy_of(source, name))
        elif not _copy_of(source, name).is_file():
            copy_atomic(folder / name, _copy_of(source, name))
    return assets(source) / CONVERTED


def to_copy(source: Source, sizes: Mapping[str, int]) -> int:
    """Bytes that `ready` has still to write at most, where the files of `source` have these `sizes`."""
    if not any(name.endswith(".bin") for name in source.files):
        return 0
    return sum(sizes[name] for name in source.files if not _copy_of(source, name).is_file())


def _copy_of(source: Source, name: str) -> Path:
    path = Path(name)
    return assets(source) / CONVERTED / (path.with_suffix(".safetensors") if path.suffix == ".bin" else path)


def converted(pickled: Path, target: Path) -> None:
    """Write the tensors of a pickled file as safetensors, in half precision, names of nested dicts joined by dots.

    It is read by torch's loader for weights only, which runs none of the file's code, and only the first time.
    Raises UserError where the file holds anything but tensors.
    """
    import torch

    if target.is_file():
        return
    try:
        state = torch.load(pickled, map_location="cpu", weights_only=True)
        tensors = {name: _half(value) for name, value in _flattened(state)}
    except (pickle.UnpicklingError, RuntimeError, EOFError, AttributeError, ValueError) as fault:
        raise UserError(
            f"{pickled.name} could not be read, or holds more than tensors.", "Such a file is not loaded; use another."
        ) from fault
    write_tensors(target, tensors, {"format": "pt"})


def _half(value: "Tensor") -> "Tensor":
    import torch

    return value.to(torch.float16 if value.is_floating_point() else value.dtype, copy=True).contiguous()


def _flattened(state: Mapping, prefix: str = "") -> Iterator[tuple[str, "Tensor"]]:
    from torch import Tensor

    for key, value in state.items():
        if isinstance(value, Tensor):
            yield f"{prefix}{key}", value
        elif isinstance(value, Mapping):
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            raise ValueError(f"{prefix}{key} is a {type(value).__name__}")
