"""Begins queued jobs when there is room. A job that waits is a record on the disk and nothing else."""

import logging
import threading
import time
from pathlib import Path

from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.engine import Engine
from idto3d.jobs.lock import is_locked
from idto3d.jobs.queue.line import Waiting, in_turn
from idto3d.jobs.queue.records import Records
from idto3d.jobs.record import Job, JobError, is_active, read_job, write_job
from idto3d.jobs.run_folder import LOCK, give_up
from idto3d.jobs.worker import CANCEL

PAUSE = 0.2
LATER = 5.0  # seconds until something is tried again that the system refused
DIED = JobError("The worker stopped before the job was done.", "Press Resume to go on from the last checkpoint.")
BUSY = UserError("This job is at work already.", "Watch it, or cancel it.")

log = logging.getLogger(__name__)


class Dispatcher:
    """Hands queued jobs to an engine. Its thread lives as long as jobs wait."""

    def __init__(self, records: Records, engine: Engine):
        self.records = records
        self.engine = engine
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._begun: set[Path] = set()  # and not yet said to run, or to be over
        self._served: dict[str, float] = {}

    def at_work(self, folder: Path) -> bool:
        """Whether a process works on the job of `folder`, or was begun for it."""
        return self.engine.working(folder) or is_locked(folder / LOCK)

    def before(self, folder: Path) -> int:
        """How many jobs come before the queued one in `folder`."""
        working, waiting = self._standing()
        order = self._order(waiting)
        ahead = [other for other, job in working.items() if other != folder and is_active(job)]
        return len(ahead) + (order.index(folder) if folder in order else 0)

    def queue(self, folder: Path, job: Job) -> None:
        """Write down a job that is to be begun when its turn comes.

        Raises UserError where the folder's job waits or is worked on: somebody else may have been the first.
        """
        with self._lock:
            there = read_job(folder)
            if there and (there.status == record.QUEUED or there.status == record.RUNNING and self.at_work(folder)):
                raise UserError(BUSY.what, BUSY.remedy)
            self._begun.discard(folder)
            self.engine.asked(folder)
            write_job(folder, job)
        self.nudge()

    def withdraw(self, folder: Path) -> bool:
        """Cancel a job that nobody has begun; returns whether that was so."""
        with self._lock:
            job = read_job(folder)
            if job is None or job.status != record.QUEUED or self.at_work(folder):
                return False
            write_job(folder, record.ended(job, record.CANCELLED))
            return True

    def nudge(self) -> None:
        """Look now, and go on looking while jobs wait."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._go_on, name="dispatcher", daemon=True)
                self._thread.start()

    def _go_on(self) -> None:
        while True:
            pause = PAUSE
            with self._lock:
                try:
                    if not self.step():
                        self._thread = None
                        return
                except Exception:
                    log.exception("a job could not be begun; it is tried again")
                    pause = LATER
            time.sleep(pause)

    def step(self) -> bool:
        """Begin what there is room for; returns whether there is something to look after."""
        with self._lock:
            working, waiting = self._standing()
            for folder in self._begun & waiting.keys():
                self._bury(folder)
                del waiting[folder]
            unsaid = {folder for folder, job in working.items() if job.status == record.QUEUED}
            self._begun &= unsaid
            others = sum(not self.engine.working(folder) for folder in working)  # of an earlier page
            for folder in self._order(waiting)[: max(self.engine.room() - others, 0)]:
                self.engine.begin(folder)
                self._begun.add(folder)
                self._served[waiting[folder].visitor] = time.time()
            return bool(waiting or unsaid or self._begun)

    def _standing(self) -> tuple[dict[Path, Job], dict[Path, Job]]:
        """The jobs that are worked on, and those that wait; a job is read after its process was looked for."""
        working, waiting = {}, {}
        for folder in self.records.active():
            busy = self.at_work(folder)
            job = self.records.read(folder)
            if job and busy:  # also where it just ended and its process has not
                working[folder] = job
            elif job and job.status == record.QUEUED:
                waiting[folder] = job
        return working, waiting

    def _order(self, waiting: dict[Path, Job]) -> list[Path]:
        return in_turn([Waiting(path, job.visitor, job.queued) for path, job in waiting.items()], self._served)

    def _bury(self, folder: Path) -> None:
        """Write down that a worker ended before it began its job; of a finished head that is told beside it."""
        job, cancelled = read_job(folder), (folder / CANCEL).exists()
        if job and job.status == record.QUEUED and cancelled:
            write_job(folder, record.ended(job, record.CANCELLED))
        elif job:
            give_up(folder, DIED)
        self._begun.discard(folder)
