"""The process that owns one job: `python -m idto3d.jobs.worker FOLDER`.

With `-` as its folder it loads the pipeline first and waits for a line on its standard input that names the folder; it
ends when none can come any more.

It runs the job and records how it ended. It lives in a session of its own, so neither a closed browser tab nor a
stopped page ends it. SIGTERM, or a file `CANCEL` in the folder where no signal reaches it, cancels: between two events
the generator is closed; when none comes for `GRACE` seconds after the signal the step is interrupted. A job that works
longer than it may is stopped in the same way.
"""

import argparse
import logging
import os
import signal
import sys
import time
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from types import FrameType

from idto3d.determinism import repeatable
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.lock import FileLock, try_lock
from idto3d.jobs.pace.learning import learn
from idto3d.jobs.produce import PIPELINE, prepare, produce
from idto3d.jobs.record import Job, TimeUp, read_job, write_job
from idto3d.jobs.run_folder import claim, perform
from idto3d.stop import AGAIN, is_undisturbed

CANCEL = ".cancel"
SPARE = "-"  # in place of a folder: it is told on the standard input
LOG = "worker.log"
GRACE = 0.8  # seconds a step may take to end by itself

log = logging.getLogger(__name__)


class Cancellation:
    """Whether the job of `folder` is to stop, and whether that is because its time is up."""

    def __init__(self, folder: Path) -> None:
        self.late = False
        self._mark = folder / CANCEL
        self._asked = False
        self._until = float("inf")

    @property
    def asked(self) -> bool:
        """Whether to stop now."""
        self.late = self.late or not self._asked and time.monotonic() > self._until
        return self._asked or self.late or self._mark.exists()

    def listen(self) -> None:
        """Take SIGTERM as the wish to stop."""
        signal.signal(signal.SIGTERM, self._ask)
        if hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, self._insist)

    def allow(self, seconds: float) -> None:
        """From here on there are that many `seconds`, or without end for 0."""
        self._until = time.monotonic() + seconds if seconds else float("inf")
        self._wake_in(seconds)

    def calm(self) -> None:
        """Interrupt nothing from here on."""
        self._asked = True
        self._wake_in(0.0)

    def _ask(self, *_) -> None:
        if not self._asked:
            self._wake_in(GRACE)
        self._asked = True

    def _insist(self, _number: int, frame: FrameType | None) -> None:
        if is_undisturbed(frame):
            self._wake_in(AGAIN)
            return
        if self._asked:
            raise TimeUp if self.late else KeyboardInterrupt
        self.late = True
        self._ask()

    def _wake_in(self, seconds: float) -> None:
        if hasattr(signal, "SIGALRM"):
            signal.setitimer(signal.ITIMER_REAL, seconds)


def wait_for_turn(turn: Path, cancellation: Cancellation, pause: float = 0.2) -> FileLock | None:
    """The lock at `turn` of the one that works, or None when cancelled while waiting."""
    while not cancellation.asked:
        if lock := try_lock(turn, patience=0.0):
            return lock
        time.sleep(pause)
    return None


def work(folder: Path, pipeline: str, cancellation: Cancellation, turn: Path | None = None) -> str:
    """Run the job of `folder`; returns how it stands then. `pipeline`: see `produce`; `turn`: see `wait_for_turn`."""
    with claim(folder):
        job = read_job(folder)
        if job is None or job.status != record.QUEUED:
            return record.CANCELLED  # it was called off before this process began
        write_job(folder, record.taken(job))
        held = wait_for_turn(turn, cancellation) if turn else nullcontext()
        if held is None:
            cancellation.calm()
            write_job(folder, record.ended(job, record.CANCELLED))
            return read_job(folder).status
        with held:
            cancellation.allow(job.most_seconds)
            return _run(folder, job, pipeline, cancellation)


def _run(folder: Path, job: Job, pipeline: str, cancellation: Cancellation) -> str:
    resume = bool(job.started)
    try:
        with closing(perform(folder, job, partial(produce, pipeline=pipeline), resume)) as events:
            for _ in events:
                if cancellation.asked:
                    cancellation.calm()
                    if cancellation.late:
                        events.throw(TimeUp)
                    break
    except KeyboardInterrupt:
        cancellation.calm()
    except UserError as error:
        log.warning("refused: %s", error)
    except Exception:
        log.exception("the job broke")
    learn(folder)
    return read_job(folder).status


def main(argv: list[str] | None = None) -> int:
    """Own the job of one run folder until it ends."""
    repeatable()
    parser = argparse.ArgumentParser(prog="python -m idto3d.jobs.worker", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="run folder; - waits for one on the standard input")
    parser.add_argument("--pipeline", default=PIPELINE, help="the module that does the work")
    parser.add_argument("--turn", type=Path, help="a file whose lock is held while at work")
    arguments = parser.parse_args(argv)
    folder = awaited(arguments.pipeline) if str(arguments.folder) == SPARE else arguments.folder
    return own(folder, arguments.pipeline, arguments.turn) if folder else 0


def awaited(pipeline: str) -> Path | None:
    """The folder that somebody names, once the pipeline is loaded; None when nobody can any more."""
    prepare(pipeline)
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return None
    folder = Path(os.fsdecode(line[:-1]))
    try:
        log_file = os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:  # deleted meanwhile
        return None
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log_file, stream.fileno())
    os.close(log_file)
    return folder


def own(folder: Path, pipeline: str, turn: Path | None) -> int:
    """Do the job of a run folder; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    cancellation = Cancellation(folder)
    cancellation.listen()
    try:
        status = work(folder, pipeline, cancellation, turn)
    except UserError as error:  # another process works there, or the folder is gone
        log.warning("not begun: %s", error)
        return 1
    return 0 if status in (record.DONE, record.CANCELLED) else 1


if __name__ == "__main__":
    sys.exit(main())
