"""The jobs under a runs root, read again only when their files have changed."""

import os
import re
from pathlib import Path

from idto3d.jobs import record
from idto3d.jobs.record import Job, is_active, readable_job

JOB_ID = re.compile(r"[A-Za-z0-9_-]{22}")


class Records:
    """What the job.json of every run under `root` says; those that this version cannot read say nothing."""

    def __init__(self, root: Path):
        self.root = root
        self._known: dict[Path, tuple[tuple[int, ...], Job | None]] = {}

    def ids(self) -> list[str]:
        """The ids of all jobs."""
        return [folder.name for folder in self._folders() if (folder / record.FILE).is_file()]

    def found(self) -> list[str]:
        """The names of all folders of jobs, also of those without a record."""
        return [folder.name for folder in self._folders()]

    def active(self) -> dict[Path, Job]:
        """The jobs that say that they are queued or running, by their folders."""
        folders, known = self._folders(), self._known
        self._known = {folder: known[folder] for folder in folders if folder in known}
        jobs = ((folder, self.read(folder)) for folder in folders)
        return {folder: job for folder, job in jobs if job and is_active(job)}

    def read(self, folder: Path) -> Job | None:
        """The job of a run folder; None when there is none, or none that can be read."""
        stamp = _stamp(folder / record.FILE)
        if stamp is None:
            return None
        known = self._known.get(folder)
        if known is None or known[0] != stamp:
            known = self._known[folder] = (stamp, readable_job(folder))
        return known[1]

    def _folders(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        return [self.root / name for name in os.listdir(self.root) if JOB_ID.fullmatch(name)]


def _stamp(path: Path) -> tuple[int, ...] | None:
    """What changes when a file is replaced."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
