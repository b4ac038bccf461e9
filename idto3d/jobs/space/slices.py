"""One slice of a job: what is done of it within some seconds, after which it waits for the next slice."""

import time
from collections.abc import Iterator
from pathlib import Path

from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.checkpoint import NAME
from idto3d.jobs.history.state import RECORD, VERSIONS
from idto3d.jobs.record import Paused, TimeUp, read_job, taken, write_job
from idto3d.jobs.run_folder import CHECKPOINTS, claim
from idto3d.jobs.worker import CANCEL, LOG, log, logged, steps

SAVING = 5.0  # seconds of a slice that are kept for saving what was done


def declared(folder: str, pipeline: str, seconds: float, left: float) -> int:
    """How many whole seconds a slice asks for; the arguments are those of `hold`."""
    return round(seconds)


def hold(folder: str, pipeline: str, seconds: float, left: float) -> Iterator[None]:
    """Go on with the queued job of a run folder for at most so many `seconds`; what comes are its events' places.

    One more comes before them, as soon as the slice has begun: until then it waited for its GPU. At the end job.json
    says how it ended, or that it is queued, for the next slice. `left` are the seconds that all its work may take yet,
    0 for no end. It runs in whatever thread and process the Space gives, hence without signals.
    """
    place, bounds = Path(folder), Bounds(Path(folder), seconds - SAVING, left)
    yield
    with logged(place / LOG):
        try:
            with claim(place):
                job = read_job(place)
                if job is not None and job.status == record.QUEUED:
                    write_job(place, taken(job))
                    yield from steps(place, job, pipeline, bounds)
        except UserError as error:  # another process works there, or the folder is gone
            log.warning("not begun: %s", error)


class Bounds:
    """Whether the work of a slice is to stop, seen from the work: see `worker.Cancellation`."""

    def __init__(self, folder: Path, seconds: float, left: float):
        now = time.monotonic()
        self.why: type[BaseException] | None = None
        self._mark = folder / CANCEL
        self._over = now + seconds
        self._late = now + left if left else float("inf")

    @property
    def asked(self) -> bool:
        """Whether to stop now; `why` is then what is raised in the work, None where it was called off."""
        now = time.monotonic()
        if self._mark.exists():
            return True
        self.why = TimeUp if now > self._late else Paused if now > self._over else None
        return self.why is not None

    def calm(self) -> None:
        """Nothing is interrupted here."""


def saved(folder: Path) -> int:
    """How often the job of `folder` has saved itself; a version that it made counts as well."""
    names = (NAME.fullmatch(path.name) for path in (folder / CHECKPOINTS).glob("*.json"))
    versions = len([*(folder / VERSIONS).glob(f"v*/{RECORD}")])
    return max((int(name["number"]) for name in names if name), default=0) + versions
