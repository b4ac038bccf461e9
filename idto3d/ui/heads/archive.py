"""A ZIP of the files of a finished asset."""

import zipfile
from hashlib import sha256
from pathlib import Path

from idto3d.files import atomic
from idto3d.jobs.history.contents import asset_of
from idto3d.jobs.history.state import VERSIONS


def asset_files(folder: Path, versions: bool = False) -> list[Path]:
    """The files of a run folder that are the asset: no photos, crops, saved head, checkpoints, logs or previews.

    versions: those of every version as well, not only of the one that is shown.
    """
    places = [path for path in sorted((folder / VERSIONS).glob("v*")) if path.is_dir()] if versions else []
    return sorted(place / name for place in (folder, *places) for name in asset_of(place))


def stamp_of(folder: Path) -> bytes:
    """What tells the files of the asset in a run folder from what they were, or are in another version."""
    files = [(file, file.stat()) for file in asset_files(folder)]
    told = [(str(file.relative_to(folder)), found.st_size, found.st_mtime_ns) for file, found in files]
    return sha256(repr(told).encode()).hexdigest().encode()


def is_of(path: Path, stamp: bytes) -> bool:
    """Whether `path` is a ZIP that was written with that `stamp`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment == stamp
    except (OSError, zipfile.BadZipFile):
        return False


def write_zip(folder: Path, path: Path, versions: bool = False, stamp: bytes = b"") -> Path:
    """ZIP the asset of a run folder into `path`, whole or not at all; `versions`: see `asset_files`.

    stamp: that of `stamp_of` before, which the ZIP has for its comment.
    """
    with atomic(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for file in asset_files(folder, versions):
            archive.write(file, Path("head") / file.relative_to(folder))
        archive.comment = stamp
    return path
