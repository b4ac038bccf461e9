"""The process that owns one job: `python -m idto3d.jobs.worker FOLDER`.

It waits until it is the oldest job under its runs root, runs it, and records how it ended. It lives in a session of
its own, so neither a closed browser tab nor a stopped page ends it. SIGTERM cancels: between two events the generator
is closed; when none comes for `GRACE` seconds the step is interrupted.
"""

import argparse
import logging
import os
import signal
import sys
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from idto3d.determinism import repeatable
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.lock import FileLock, is_locked, try_lock
from idto3d.jobs.produce import PIPELINE, produce
from idto3d.jobs.record import Job, read_job, readable_job, write_job
from idto3d.jobs.run_folder import LOCK, claim, perform

TURN = ".turn"
GRACE = 0.8  # seconds a step may take to end by itself after SIGTERM
STARTING = 120.0  # seconds a new worker may take until it holds its lock

log = logging.getLogger(__name__)


class Cancellation:
    """Whether somebody asked this process to stop."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        """Take SIGTERM as the wish to stop."""
        signal.signal(signal.SIGTERM, self._ask)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._insist)

    def calm(self) -> None:
        """Interrupt nothing from here on."""
        self.asked = True
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)

    def _ask(self, *_) -> None:
        if not self.asked and hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, GRACE)
        self.asked = True

    def _insist(self, *_) -> None:
        raise KeyboardInterrupt


def alive(folder: Path, job: Job) -> bool:
    """Whether a process works on `job`, or was started for it a moment ago."""
    if job.status not in (record.QUEUED, record.RUNNING):
        return False
    return is_locked(folder / LOCK) or (job.status == record.QUEUED and record.age(job.queued) < STARTING)


def waiting_before(folder: Path) -> list[Path]:
    """Run folders beside `folder` whose jobs are alive and come first: running, or queued earlier."""
    mine = read_job(folder)
    ahead = []
    for other in folder.parent.iterdir():
        job = readable_job(other)  # a run of another version is not ours to wait for
        if job is None or other == folder or not alive(other, job):
            continue
        if job.status == record.RUNNING or (job.queued, other.name) < (mine.queued, folder.name):
            ahead.append(other)
    return ahead


def wait_for_turn(folder: Path, cancellation: Cancellation, pause: float = 0.2) -> FileLock | None:
    """The lock of the one that works, or None when cancelled while waiting."""
    while not cancellation.asked:
        if not waiting_before(folder) and (turn := try_lock(folder.parent / TURN, patience=0.0)):
            return turn
        time.sleep(pause)
    return None


def work(folder: Path, pipeline: str, cancellation: Cancellation) -> str:
    """Run the job of `folder` when its turn comes; returns how it stands then. `pipeline`: see `produce`."""
    with claim(folder):
        job = read_job(folder)
        if job is None or job.status != record.QUEUED:
            return record.CANCELLED  # it was called off before this process began
        write_job(folder, replace(job, pid=os.getpid()))
        turn = wait_for_turn(folder, cancellation)
        if turn is None:
            cancellation.calm()
            write_job(folder, record.ended(job, record.CANCELLED))
            return read_job(folder).status
        with turn:
            return _run(folder, job, pipeline, cancellation)


def _run(folder: Path, job: Job, pipeline: str, cancellation: Cancellation) -> str:
    resume = bool(job.started)
    try:
        with closing(perform(folder, job, partial(produce, pipeline=pipeline), resume)) as events:
            for _ in events:
                if cancellation.asked:
                    cancellation.calm()
                    break
    except KeyboardInterrupt:
        cancellation.calm()
    except UserError as error:
        log.warning("refused: %s", error)
    except Exception:
        log.exception("the job broke")
    return read_job(folder).status


def main(argv: list[str] | None = None) -> int:
    """Own the job of one run folder until it ends."""
    repeatable()
    parser = argparse.ArgumentParser(prog="python -m idto3d.jobs.worker", description=main.__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pipeline", default=PIPELINE, help="the module that does the work")
    arguments = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    cancellation = Cancellation()
    cancellation.listen()
    status = work(arguments.folder, arguments.pipeline, cancellation)
    return 0 if status in (record.DONE, record.CANCELLED) else 1


if __name__ == "__main__":
    sys.exit(main())
