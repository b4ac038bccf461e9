"""A ZIP of the files of a finished asset."""

import zipfile
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


def write_zip(folder: Path, path: Path, versions: bool = False) -> Path:
    """ZIP the asset of a run folder into `path`, whole or not at all; `versions`: see `asset_files`."""
    with atomic(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for file in asset_files(folder, versions):
            archive.write(file, Path("head") / file.relative_to(folder))
    return path
