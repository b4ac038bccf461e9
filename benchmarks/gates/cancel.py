"""Cancels at random moments: while a worker starts, between steps, in steps that never end, and near the end."""

import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.gates import toys
from benchmarks.gates.gate import Gate, Outcome, main_of
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.jobs.desk import Desk
from idto3d.jobs.limits import LOCAL
from idto3d.jobs.lock import is_locked
from idto3d.jobs.run_folder import LOCK

P99_SECONDS = 2.0
LATEST = 2.0  # seconds after a job was handed in
KINDS = ("steps=40 pause=0.02", "steps=4 deaf", "steps=2 pause=0.5")


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` jobs, each cancelled."""
    desk = Desk(folder / "runs", toys.__name__, replace(LOCAL, visitor_jobs_an_hour=count + 1))
    chance, took, failures = random.Random(seed), [], []
    for number in range(count):
        prompt, after = chance.choice(KINDS), chance.uniform(0.0, LATEST)
        seconds, wrong = cancelled(desk, prompt, after)
        took.append(seconds)
        failures += [f"{number}: '{prompt}' after {after:.2f} s {wrong}"] if wrong else []
    p99 = float(np.quantile(took, 0.99))
    if p99 >= P99_SECONDS:
        failures.append(f"99 of 100 cancels took up to {p99:.2f} s")
    figures = (("p50_seconds", float(np.median(took))), ("p99_seconds", p99), ("max_seconds", max(took)))
    return Outcome(count, tuple(failures), tuple((name, round(value, 3)) for name, value in figures))


def cancelled(desk: Desk, prompt: str, after: float) -> tuple[float, str]:
    """How long the cancel of a job took that came so long `after` its start, and what was wrong with it."""
    job_id = desk.start([], HeadOptions(prompt=prompt))
    time.sleep(after)
    begun = time.monotonic()
    try:
        desk.cancel(job_id)
    except UserError as error:
        return time.monotonic() - begun, f"did not stop it: {error}"
    seconds = time.monotonic() - begun
    view, busy = desk.watch(job_id), is_locked(desk.folder(job_id) / LOCK)
    desk.delete(job_id)
    if view.status not in ("cancelled", "done"):
        return seconds, f"left it {view.status}"
    if busy and view.status == "cancelled":
        return seconds, "left a process at work"
    return seconds, "left its folder" if (desk.root / job_id).exists() else ""


GATE = Gate("cancel", "A job stops within two seconds wherever it is, and says that it was cancelled.", 200, run)

if __name__ == "__main__":
    main_of(GATE)
