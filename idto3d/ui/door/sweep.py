"""Clearing the upload folder: of what is in no living job and of what was left in the middle, whatever lies there.

Age counts from when we first saw an entry, by a clock nobody sets: neither a wrong date nor odd times of files matter.
"""

import logging
import os
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from idto3d.files import sha256_of
from idto3d.jobs.limits import Limits
from idto3d.ui.door.uploads import Ledger

MADE_SECONDS = 600.0  # for files nobody uploaded: pictures that were drawn and handed out
EMPTY_SECONDS = 60.0  # an empty folder may be that of an upload just coming

log = logging.getLogger(__name__)


class Sweep:
    """Clears `folder` but for its entries named in `kept`. `clock` gives seconds that only grow."""

    def __init__(
        self,
        folder: Path,
        limits: Limits,
        ledger: Ledger,
        kept: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ):
        self.folder, self.limits, self.ledger, self.kept = folder, limits, ledger, kept
        self._clock = clock
        self._seen: dict[tuple[Path, int], float] = {}

    def run(self, living: Collection[str]) -> None:
        """Remove what is past its time. `living` are the SHA-256 of photos of jobs that wait or run: those stay."""
        seen, now = {}, self._clock()
        for path, number in list(_entries(self.folder, self.kept)):
            key = (path, number)
            seen[key] = self._seen.get(key, now)
            if self._past(path, now - seen[key]) and not self._lives(path, living):
                _remove(path)
        self._seen = seen
        self.ledger.forget_removed()

    def _past(self, path: Path, age: float) -> bool:
        if path.parent == self.folder and not path.is_dir():  # a part of an upload, which moves on when it is whole
            return not self.ledger.uploading
        if path.is_dir() and not path.is_symlink():
            return age > EMPTY_SECONDS and _empty(path)
        return age > (self.limits.upload_keep_seconds if self.ledger.knows(path) else MADE_SECONDS)

    def _lives(self, path: Path, living: Collection[str]) -> bool:
        try:
            return bool(living) and self.ledger.knows(path) and sha256_of(path) in living
        except OSError:
            return False


def _entries(folder: Path, kept: Collection[str]) -> Iterator[tuple[Path, int]]:
    """Everything below `folder`, what lies in a folder before it, with its number on the disk; no link is followed."""
    try:
        found = list(os.scandir(folder))
    except OSError:  # gone, or not ours to read
        return
    for entry in found:
        if entry.name in kept:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(Path(entry.path), ())
        yield Path(entry.path), entry.inode()


def _empty(folder: Path) -> bool:
    try:
        return not any(os.scandir(folder))
    except OSError:
        return False


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()  # not with all it holds: something may have come meanwhile
        else:
            path.unlink(missing_ok=True)
    except OSError as fault:
        log.warning("%s stays for now: %s", path, fault.strerror)
