"""Jobs on a Space that lends its GPU for some seconds at a time (ZeroGPU of Hugging Face).

There a GPU is seen only inside a function that the package `spaces` wraps, called in the process that serves the page,
on behalf of a visitor: what it may use of the GPU is that visitor's. So a job is done in slices, each of which goes on
from what the one before saved. `spaces` runs them in a copy of this process, which it keeps for the next one where it
can; the pipeline is loaded here for that reason. What is computed here are pictures that need no GPU, when a job is
over. Whoever asks for a job, or looks at it, lends his request to the next slice.
"""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from idto3d.bundle.find import fetch_weights, find_bundle
from idto3d.determinism import repeatable
from idto3d.errors import UserError
from idto3d.events import Event, Notice
from idto3d.jobs import record
from idto3d.jobs.engine import Engine
from idto3d.jobs.lock import is_locked
from idto3d.jobs.produce import PIPELINE, rest
from idto3d.jobs.queue.dispatcher import DIED
from idto3d.jobs.record import Job, JobError, is_active, read_job, readable_job, write_job
from idto3d.jobs.run_folder import LOCK, claim, give_up
from idto3d.jobs.space.slices import declared, hold, saved
from idto3d.jobs.worker import CANCEL

SWITCH, SECONDS = "SPACES_ZERO_GPU", "IDTO3D_GPU_SECONDS"
USUAL, LEAST, MOST = 60.0, 15.0, 600.0  # seconds of a slice
REMEMBERED = 256  # jobs whose last visitor is known
LONGEST_REASON = 240
LITTLE = 0.01  # seconds, as none would be without end
END = object()

log = logging.getLogger(__name__)


def on_zero_gpu(environment: Mapping[str, str]) -> bool:
    """Whether this is a Space that lends its GPU for some seconds at a time."""
    return environment.get(SWITCH, "").lower() in ("1", "t", "true")


def space_engine(environment: Mapping[str, str], weights: str, beside: Engine) -> "SpaceEngine":
    """The engine for a Space on which `on_zero_gpu` is true, with the `weights` fetched; `beside` does the rest.

    To be made before the page is served. Raises UserError where the package `spaces` is missing, or a setting is wrong.
    """
    seconds = slice_seconds(environment)
    repeatable()
    try:
        import spaces
    except ImportError:
        what = "The package spaces, which lends the GPU of this Space, is not installed."
        raise UserError(what, "Add a line 'spaces' to requirements.txt.") from None
    for event in find_and_fetch(weights):  # now, as the seconds of a slice are counted
        if isinstance(event, Notice):
            log.info(event.text)
    import_module(PIPELINE)
    return SpaceEngine(spaces.GPU, beside, PIPELINE, seconds)


def slice_seconds(environment: Mapping[str, str]) -> float:
    """The seconds of a slice. Raises UserError where the environment has no number that can be meant."""
    given = environment.get(SECONDS, "") or str(USUAL)
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not LEAST <= seconds <= MOST:
        raise UserError(f"{SECONDS}={given} is no length of a slice.", f"Give from {LEAST:g} to {MOST:g} seconds.")
    return seconds


def find_and_fetch(weights: str) -> Iterator[Event]:
    """Fetch all files of `weights` that are not here, reporting as it goes. Raises UserError."""
    yield from fetch_weights((yield from find_bundle(weights)))


@dataclass(eq=False)
class Task:
    """A job in slices.

    `worked` are the seconds that these took from their beginnings on; `again` that it was begun anew before it was
    `over`; `drawing` that pictures of it follow after that, unless it is `stopped`.
    """

    folder: Path
    stopped: threading.Event = field(default_factory=threading.Event)
    worked: float = 0.0
    again: bool = False
    over: bool = False
    drawing: bool = False

    def alive(self) -> bool:
        """Whether it goes on."""
        return not self.over and not self.stopped.is_set()


class SpaceEngine:
    """At most `most` jobs at a time in slices of so many `seconds` of a GPU; those that need none go `beside`.

    `gpu` is `spaces.GPU`, which wraps what needs the GPU.
    """

    def __init__(self, gpu: Callable, beside: Engine, pipeline: str = PIPELINE, seconds: float = USUAL, most: int = 1):
        self.beside, self.pipeline, self.seconds, self.most = beside, pipeline, seconds, most
        self._hold = gpu(duration=declared)(hold)
        self._tasks: dict[Path, Task] = {}
        self._visitors: OrderedDict[Path, Context] = OrderedDict()
        self._gate = threading.Lock()
        self._pen = threading.Lock()  # whoever draws has it

    def room(self) -> int:
        """How many more jobs may be begun now."""
        with self._gate:
            self._tasks = {folder: task for folder, task in self._tasks.items() if not task.over or task.drawing}
            return min(self.most - sum(task.alive() for task in self._tasks.values()), self.beside.room())

    def begin(self, folder: Path) -> None:
        """Begin the queued job in `folder`, or go on with it where it was just stopped and has not heard of it."""
        job = readable_job(folder)
        if job is not None and not needs_gpu(job):
            self.beside.begin(folder)
            return
        with self._gate:
            task = self._tasks.get(folder)
            if task is not None and not task.over:
                task.again = True
                task.stopped.clear()
                return
            if task is not None:
                task.stopped.set()  # it draws
            task = self._tasks[folder] = Task(folder)
        threading.Thread(target=self._work, args=(task,), name="a job in slices", daemon=True).start()

    def working(self, folder: Path) -> bool:
        """Whether what was begun in `folder` has not ended."""
        task = self._tasks.get(folder)
        return (task is not None and task.alive()) or self.beside.working(folder)

    def stop(self, folder: Path) -> None:
        """Let no further slice begin of what was begun in `folder`, and end this one at its next event."""
        if task := self._tasks.get(folder):
            task.stopped.set()
        self.beside.stop(folder)

    def warm(self, unfinished: Path | None = None) -> None:
        """Nothing: `spaces` keeps the process of the last slice where it can."""

    def asked(self, folder: Path) -> None:
        """The next slice of the job in `folder` is asked for on behalf of the request of this call."""
        with self._gate:
            self._visitors[folder] = copy_context()
            self._visitors.move_to_end(folder)
            while len(self._visitors) > REMEMBERED:
                self._visitors.popitem(last=False)

    def forget(self, folder: Path) -> None:
        """Keep nobody's request for the job of `folder`, and draw no more of it."""
        with self._gate:
            self._visitors.pop(folder, None)
            if task := self._tasks.get(folder):
                task.stopped.set()

    def _work(self, task: Task) -> None:
        try:
            while self._goes_on(task) or self._is_begun_again(task):
                pass
            self._draw_on(task)
        except (UserError, OSError) as error:  # the folder is gone, or somebody else works there
            log.warning("the job in %s is left: %s", task.folder, error)
        finally:
            task.over, task.drawing = True, False

    def _draw_on(self, task: Task) -> None:
        """Draw what is left of pictures, which needs no GPU: of one job at a time, until there is other work for it."""
        with self._pen:
            if task.stopped.is_set():
                return
            try:
                for _ in rest(task.folder, self.pipeline):
                    if task.stopped.is_set():
                        return
            except Exception:
                log.exception("not all pictures of the versions in %s are there", task.folder)

    def _is_begun_again(self, task: Task) -> bool:
        """Whether a job that does not go on was begun anew meanwhile; if not, it is over, and pictures follow."""
        with self._gate:
            task.over = task.drawing = not task.again
            task.again, task.worked = False, 0.0
            return not task.over

    def _goes_on(self, task: Task) -> bool:
        """Do a slice; returns whether another one is to follow."""
        folder, before = task.folder, saved(task.folder)
        job = read_job(folder)
        if task.stopped.is_set() or job is None or job.status != record.QUEUED:
            return False
        refusal = self._slice(task, job)
        job = read_job(folder)
        if task.stopped.is_set() or (folder / CANCEL).exists() or job is None or not is_active(job):
            return False
        if is_locked(folder / LOCK):
            return False  # another process took it
        further = job.before is None and saved(folder) > before  # an edit begins from nothing each time
        if why := self._stuck(job, refusal, further):
            give_up(folder, why)
            return False
        _queue_again(folder)
        return True

    def _slice(self, task: Task, job: Job) -> Exception | None:
        """Let the Space do a slice; returns what it raised, which is of the Space: what the work raises it records."""
        left = max(job.most_seconds - task.worked, LITTLE) if job.most_seconds else 0.0
        visitor, began = self._visitors.get(task.folder, Context()).copy(), None
        try:
            events = visitor.run(self._hold, str(task.folder), self.pipeline, self.seconds, left)
            while visitor.run(next, events, END) is not END:
                began = began or time.monotonic()
                if task.stopped.is_set():
                    visitor.run(events.close)
        except Exception as error:
            log.warning("a slice of %s ended: %s: %s", task.folder, type(error).__name__, error)
            return error
        finally:
            task.worked += time.monotonic() - began if began else 0.0
        return None

    def _stuck(self, job: Job, refusal: Exception | None, further: bool) -> JobError | None:
        """Why a job that is not over gets no other slice; None where it gets one."""
        if job.status == record.RUNNING:  # its process was ended
            return None if further else DIED
        if refusal is not None:
            return record.without_gpu(reason(refusal))
        if not further:
            what = f"Within {self.seconds:g} seconds of the GPU ({SECONDS}) the job did not get to a point to keep."
            return JobError(what, f"Choose less detail, or let the host set {SECONDS} higher.")
        return None


def needs_gpu(job: Job) -> bool:
    """Whether a job computes with weights, and may do so on a GPU."""
    return job.kind not in (record.EXPORT, record.ANIMATE) and job.options.device != "cpu"


def reason(error: Exception) -> str:
    """What the Space said, as plain text that ends like a sentence."""
    text = re.sub(r"<[^>]*>", "", str(getattr(error, "message", error)))
    text = " ".join(text.split())[:LONGEST_REASON] or type(error).__name__
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _queue_again(folder: Path) -> None:
    """Let a job whose process was ended go on."""
    with claim(folder):
        job = read_job(folder)
        if job is not None and job.status == record.RUNNING:
            write_job(folder, record.stopped(job, record.Paused()))
