"""Files the page hands out. They lie in Gradio's private upload folder, so no other path has to be opened.

A finished job has one folder here, named by a digest of its id, with links to (or copies of) its GLB and its ZIP,
and the pictures that were drawn of it for the API.
"""

import math
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from idto3d.files import copy_atomic, private_folder, remove, sha256_of, write_atomic
from idto3d.jobs.event_log import png
from idto3d.jobs.privacy.places import HEADS, handed_out
from idto3d.ui.door.calls import lies_alone
from idto3d.ui.heads.archive import is_of, stamp_of, write_zip

MOST_PICTURES = 8


class Shelf:
    """Hands out the files of finished jobs below `folder`, the folder Gradio serves uploads from."""

    def __init__(self, folder: Path):
        self.folder = folder

    def glb(self, job_id: str, glb: Path) -> Path:
        """A served GLB of the job."""
        path = self.place(job_id) / "head.glb"
        if not _of(path, glb):
            _link(glb, path)
        return path

    def archive(self, job_id: str, glb: Path) -> Path:
        """A served ZIP of the job's asset, the GLB and what lies beside it, some of which comes later."""
        path, stamp = self.place(job_id) / "head.zip", stamp_of(glb.parent)
        return path if is_of(path, stamp) else write_zip(glb.parent, path, stamp=stamp)

    def picture(self, job_id: str, image: np.ndarray) -> Path:
        """A served PNG of a drawing of the job, [S, S, 3] uint8 sRGB; the newest `MOST_PICTURES` of a job are kept."""
        place = self.place(job_id)
        path = write_atomic(place / f"view_{time.time_ns()}_{secrets.token_hex(4)}.png", png(image))
        for older in sorted(place.glob("view_*.png"))[:-MOST_PICTURES]:
            older.unlink(missing_ok=True)
        return path

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

    def drop(self, uploads: Iterable[str]) -> int:
        """Remove uploads by their paths, and copies of them; returns how many different ones there were."""
        found = {digest for path in uploads if lies_alone(path, self.folder) and (digest := _digest(Path(path)))}
        self.drop_uploads(found, math.inf)
        return len(found)

    def keep_only(self, job_ids: Iterable[str]) -> None:
        """Remove what is handed out for jobs that are gone."""
        kept = {self._folder(job_id).name for job_id in job_ids}
        for path in (self.folder / HEADS).glob("*"):
            if path.name not in kept:
                remove(path)

    def _uploads(self) -> Iterator[Path]:
        """Everything below the folder but what is handed out."""
        for entry in self.folder.iterdir():
            if entry.name != HEADS:
                yield from (entry, *entry.rglob("*"))

    def _folder(self, job_id: str) -> Path:
        return self.folder / HEADS / handed_out(job_id)

    def place(self, job_id: str) -> Path:
        """The private folder of what is handed out for a job."""
        return private_folder(self._folder(job_id))


def _is_one(path: Path, digests: set[str], until: float) -> bool:
    """Whether a file is old enough and has one of `digests`; no for a folder, or for what Gradio removes meanwhile."""
    try:
        return path.is_file() and path.stat().st_mtime <= until and sha256_of(path) in digests
    except OSError:
        return False


def _digest(path: Path) -> str:
    """The SHA-256 of a file; "" where it is gone."""
    try:
        return sha256_of(path)
    except OSError:
        return ""


def _of(path: Path, source: Path) -> bool:
    """Whether `path` is there and was made of `source`, of which an export, or an older version, takes the place."""
    return path.exists() and path.stat().st_mtime_ns == source.stat().st_mtime_ns


def _dated(path: Path, source: Path) -> Path:
    """`path`, of the same age as the file that it was made of: that says which one it was."""
    found = source.stat()
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))
    return path


def _link(source: Path, target: Path) -> None:
    with suppress(OSError):  # another disk, or a file system without links
        link = target.with_name(f".{target.name}.{secrets.token_hex(4)}.link")
        os.link(source, link)
        os.replace(link, target)
        link.unlink(missing_ok=True)  # where both were one file already
        return
    _dated(copy_atomic(source, target), source)
