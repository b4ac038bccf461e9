"""The process that owns one job: `python -m idto3d.jobs.worker FOLDER`.

With `-` as its folder it loads the pipeline first and waits for a line on its standard input that names the folder.
With `--stay` it waits for another one after a job, which an edit often follows: what that needs is loaded then. See
standby/line.py.

It runs the job and records how it ended. It lives in a session of its own, so neither a closed browser tab nor a
stopped page ends it. SIGTERM, or a file `CANCEL` in the folder where no signal reaches it, cancels: between two events
the generator is closed; when none comes for `GRACE` seconds after the signal the step is interrupted. A job that works
longer than it may is stopped in the same way.
"""

import argparse
import logging
import signal
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from types import FrameType

from idto3d.determinism import repeatable
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.lock import FileLock, try_lock
from idto3d.jobs.pace.learning import learn
from idto3d.jobs.produce import PIPELINE, prepare, produce, rest
from idto3d.jobs.record import Job, TimeUp, read_job, readable_job, write_job
from idto3d.jobs.run_folder import claim, perform
from idto3d.jobs.standby.line import Errand, Line, log_into, nothing
from idto3d.stop import AGAIN, is_undisturbed

CANCEL = ".cancel"
SPARE = "-"  # in place of a folder: it is told on the standard input
LOG = "worker.log"
FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"
LARGER_JOBS = 2  # those that are no edits, of one worker
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
    def why(self) -> type[BaseException] | None:
        """What is raised in the work that stops; None where it was called off."""
        return TimeUp if self.late else None

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
            for _ in steps(folder, job, pipeline, cancellation):
                pass
            return read_job(folder).status


def steps(folder: Path, job: Job, pipeline: str, cancellation: Cancellation) -> Iterator[None]:
    """Do a queued `job` in its claimed folder, one event after the other, until `cancellation` asks to stop."""
    resume = bool(job.started)
    try:
        with closing(perform(folder, job, partial(produce, pipeline=pipeline), resume)) as events:
            for _ in events:
                if cancellation.asked:
                    cancellation.calm()
                    if cancellation.why:
                        events.throw(cancellation.why)
                    break
                yield
    except KeyboardInterrupt:
        cancellation.calm()
    except UserError as error:
        log.warning("refused: %s", error)
    except Exception:
        log.exception("the job broke")
    learn(folder)


@contextmanager
def logged(file: Path) -> Iterator[None]:
    """What is logged goes to `file` as well."""
    handler = logging.FileHandler(file)
    handler.setFormatter(logging.Formatter(FORMAT))
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def main(argv: list[str] | None = None) -> int:
    """Own the job of one run folder until it ends."""
    repeatable()
    parser = argparse.ArgumentParser(prog="python -m idto3d.jobs.worker", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="run folder; - waits for one on the standard input")
    parser.add_argument("--pipeline", default=PIPELINE, help="the module that does the work")
    parser.add_argument("--turn", type=Path, help="a file whose lock is held while at work")
    parser.add_argument("--stay", action="store_true", help="wait for more folders on the standard input")
    arguments = parser.parse_args(argv)
    if arguments.stay or str(arguments.folder) == SPARE:
        return stay(arguments.folder, arguments.pipeline, arguments.turn)
    code = own(arguments.folder, arguments.pipeline, arguments.turn)
    _complete({arguments.folder: None}, arguments.pipeline)
    return code


def stay(folder: Path | None, pipeline: str, turn: Path | None) -> int:
    """Do the job of a run folder (SPARE: of the first that is named), and of others as they are named.

    It ends after the second job that was no edit, and after one of those that failed, so that what such work leaves in
    memory goes; an edit that failed, as those do that are refused, ends nothing. Between jobs the rest of what was done
    is done, and what was left of that at the end. Returns the exit code of the last one.
    """
    line, code, left, larger = Line(), 0, {}, 0
    errand = Errand(folder)
    if str(folder) == SPARE:
        prepare(pipeline)
        errand = line.next(nothing())
    while errand is not None:
        left = {one: None for one in left if one != errand.folder} | {errand.folder: None}
        if errand.only_rest:
            errand = line.next(_rests(left, pipeline))
            continue
        kind, code = _logged_job(errand.folder, pipeline, turn)
        is_edit = kind == record.EDIT
        larger += not is_edit
        ends = not is_edit and (code or larger >= LARGER_JOBS)
        if ends or not line.free():
            break
        errand = line.next(_rests(left, pipeline) if is_edit else _prepared(left, pipeline))
    _complete(left, pipeline)
    return code


def _logged_job(folder: Path, pipeline: str, turn: Path | None) -> tuple[str, int]:
    """Do the job of a run folder, which has the log; its kind, "" where it was deleted meanwhile, and the exit code."""
    try:
        log_into(folder / LOG)
    except OSError:
        return "", 0
    job = readable_job(folder)
    code = own(folder, pipeline, turn)
    _leave_signals()
    return job.kind if job else "", code


def _prepared(left: dict[Path, None], pipeline: str) -> Generator[None, None, None]:
    """Load what an edit needs, then as `_rests`."""
    yield
    prepare(pipeline)
    yield from _rests(left, pipeline)


def _rests(left: dict[Path, None], pipeline: str) -> Generator[None, None, None]:
    """Do the rest of the heads in the folders `left`, the last of them first; each leaves `left` when it is done."""
    for folder in reversed(tuple(left)):
        yield from rest(folder, pipeline)
        del left[folder]


def _complete(left: dict[Path, None], pipeline: str) -> None:
    """Do the rest of heads to its end."""
    for _ in _rests(left, pipeline):
        pass


def _leave_signals() -> None:
    """Who waits is ended by SIGTERM at once, and by no alarm that was set for a job."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "SIGALRM"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def own(folder: Path, pipeline: str, turn: Path | None) -> int:
    """Do the job of a run folder; returns the exit code."""
    logging.basicConfig(level=logging.INFO, format=FORMAT)
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
