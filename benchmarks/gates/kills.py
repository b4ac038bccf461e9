"""Kills a short run without warning at random moments and resumes it; kill_and_resume.py does whole heads."""

import multiprocessing
import random
import time
from pathlib import Path

from benchmarks.gates import steps
from benchmarks.gates.gate import Gate, Outcome, main_of
from idto3d.errors import UserError
from idto3d.events import StepDone
from idto3d.files import PART
from idto3d.jobs import record
from idto3d.jobs.event_log import read_progress
from idto3d.jobs.record import read_job

PAUSE = 0.01  # seconds a step takes
BETWEEN = 0.05  # seconds between checkpoints
SAVING = 0.25  # seconds that writing one may take on a busy disk, longer than steps do
ASKED = steps.options("a face in numbers", BETWEEN)


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` runs, each killed once."""
    begun = time.monotonic()
    steps.run(folder / "whole", ASKED, pause=PAUSE)
    longest, whole = time.monotonic() - begun, steps.result(folder / "whole")
    chance, failures, resumed, most = random.Random(seed), [], 0, 0
    for number in range(count):
        out, after = folder / str(number), chance.uniform(0.0, longest)
        killed(out, after)
        went_on, lost, wrong = gone_on(out, whole)
        resumed, most = resumed + went_on, max(most, lost)
        failures += [f"{number}: killed after {after:.3f} s, {wrong}"] if wrong else []
    return Outcome(count, tuple(failures), (("resumed", resumed), ("most_steps_lost", most)))


def killed(out: Path, after: float) -> None:
    """Begin a run in a process of its own and kill it so many seconds later."""
    process = multiprocessing.get_context("fork").Process(target=steps.run, args=(out, ASKED, False, PAUSE))
    process.start()
    process.join(after)
    process.kill()
    process.join()


def gone_on(out: Path, whole: tuple[bytes, bytes]) -> tuple[bool, int, str]:
    """Whether there was a run to resume, how many steps it did again, and what was wrong."""
    before = read_progress(out)
    try:
        job = read_job(out)
        if job is not None and job.status == record.DONE:
            return False, 0, "" if steps.result(out) == whole else "called done, with another result"
        events = steps.run(out, ASKED, resume=job is not None)
    except (UserError, OSError, ValueError) as error:
        return False, 0, f"not resumable: {type(error).__name__}: {error}"
    first = next((event.step for event in events if isinstance(event, StepDone)), before.step + 1)
    lost = max(before.step - first + 1, 0)
    return job is not None, lost, fault_of(out, whole, lost)


def fault_of(out: Path, whole: tuple[bytes, bytes], lost: int) -> str:
    """What is wrong with a resumed run that did `lost` steps again; empty where nothing is."""
    if steps.result(out) != whole:
        return "another result than the run that was left alone"
    if parts := [path.name for path in out.rglob("*") if PART.fullmatch(path.name)]:
        return f"left {parts}"
    if lost * PAUSE > BETWEEN + SAVING:
        return f"lost {lost} steps"
    return "" if read_job(out).status == record.DONE else "not called done"


GATE = Gate("kills", "A run killed at any moment goes on from its last checkpoint to the same bytes.", 100, run)

if __name__ == "__main__":
    main_of(GATE)
