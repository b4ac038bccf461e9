"""Files the page hands out. They lie in Gradio's private upload folder, so no other path has to be opened.

A finished job has one folder here, named by a digest of its id, with links to (or copies of) its GLB and its ZIP.
"""

import hashlib
import math
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from idto3d.files import copy_atomic, private_folder, remove, sha256_of
from idto3d.ui.glb import write_zip

NAME = "heads"


class Shelf:
    """Hands out the files of finished jobs below `folder`, the folder Gradio serves uploads from."""

    def __init__(self, folder: Path):
        self.folder = folder

    def glb(self, job_id: str, glb: Path) -> Path:
        """A served GLB of the job."""
        path = self._place(job_id) / "head.glb"
        if not _as_new_as(path, glb):
            _link(glb, path)
        return path

    def archive(self, job_id: str, glb: Path) -> Path:
        """A served ZIP of the job's asset, the GLB and what lies beside it."""
        path = self._place(job_id) / "head.zip"
        return path if _as_new_as(path, glb) else write_zip(glb.parent, path)

    def clear(self) -> None:
        """Remove all uploads and all that is handed out; the latter comes back when it is asked for."""
        for path in self.folder.iterdir():
            remove(path)

    def forget(self, job_id: str, digests: Iterable[str]) -> None:
        """Remove what is handed out for the job, and every upload whose SHA-256 is one of `digests`."""
        remove(self._folder(job_id))
        self.drop_uploads(digests, math.inf)

    def drop_uploads(self, digests: Iterable[str], until: float) -> None:
        """Remove every upload whose SHA-256 is one of `digests` and that came `until` then, seconds since 1970."""
        wanted = set(digests)
        for path in self._uploads() if wanted else ():
            if _is_one(path, wanted, until):
                path.unlink(missing_ok=True)

    def keep_only(self, job_ids: Iterable[str]) -> None:
        """Remove what is handed out for jobs that are gone."""
        kept = {self._folder(job_id).name for job_id in job_ids}
        for path in (self.folder / NAME).glob("*"):
            if path.name not in kept:
                remove(path)

    def _uploads(self) -> Iterator[Path]:
        """Everything below the folder but what is handed out."""
        for entry in self.folder.iterdir():
            if entry.name != NAME:
                yield from (entry, *entry.rglob("*"))

    def _folder(self, job_id: str) -> Path:
        return self.folder / NAME / hashlib.sha256(job_id.encode()).hexdigest()[:40]

    def _place(self, job_id: str) -> Path:
        return private_folder(self._folder(job_id))


def _is_one(path: Path, digests: set[str], until: float) -> bool:
    """Whether a file is old enough and has one of `digests`; no for a folder, or for what Gradio removes meanwhile."""
    try:
        return path.is_file() and path.stat().st_mtime <= until and sha256_of(path) in digests
    except OSError:
        return False


def _as_new_as(path: Path, source: Path) -> bool:
    """Whether `path` is there and was not made before `source`, which a new export replaces."""
    return path.exists() and path.stat().st_mtime_ns >= source.stat().st_mtime_ns


def _link(source: Path, target: Path) -> None:
    with suppress(OSError):  # another disk, or a file system without links
        link = target.with_name(f".{target.name}.{secrets.token_hex(4)}.link")
        os.link(source, link)
        os.replace(link, target)
        return
    copy_atomic(source, target)
