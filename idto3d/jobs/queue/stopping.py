"""Stopping a worker: asked first, then by force."""

import os
import platform
import signal
import time
from collections.abc import Callable
from pathlib import Path

from idto3d.errors import UserError
from idto3d.jobs.engine import Engine
from idto3d.jobs.lock import is_locked, owner_of, try_lock
from idto3d.jobs.record import CANCELLED, ended, is_active, read_job, readable_job, write_job
from idto3d.jobs.run_folder import LOCK

CANCEL_SECONDS = 1.8


def stop_worker(folder: Path, engine: Engine, busy: Callable[[], bool]) -> None:
    """Ask the worker in `folder` to stop; after `CANCEL_SECONDS` in which it stays `busy`, kill it."""
    deadline, asked = time.monotonic() + CANCEL_SECONDS, False
    while busy() and time.monotonic() < deadline:
        if not is_locked(folder / LOCK):
            engine.stop(folder)  # it has not begun: nothing to clean up
        elif not asked:
            asked = _signal(_process(folder), signal.SIGTERM)
        time.sleep(0.02)
    if busy():
        _signal(_process(folder), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        engine.stop(folder)


def mark_cancelled(folder: Path) -> None:
    """For a worker that could not say so itself; nobody begins meanwhile."""
    lock = try_lock(folder / LOCK, patience=2.0)
    if lock is None:
        raise UserError("The job does not stop.", "Try again in a moment.")
    with lock:
        job = read_job(folder)
        if job and is_active(job):
            write_job(folder, ended(job, CANCELLED))


def wait_until_free(folder: Path, seconds: float = 2.0) -> None:
    """Wait a little for a process that is about to leave `folder`."""
    lock = try_lock(folder / LOCK, patience=seconds)
    if lock:
        lock.release()


def _process(folder: Path) -> int | None:
    """The process of this machine that works in `folder`; None where there is none, or it is elsewhere.

    Also where it is this one, which may hold the folder for a moment, or works in it by turns: an engine stops that.
    """
    job = readable_job(folder)
    here = job is None or job.machine in ("", platform.node())
    owner = owner_of(folder / LOCK) if here else None
    return None if owner == os.getpid() else owner


def _signal(pid: int | None, number: int) -> bool:
    try:
        if pid:
            os.kill(pid, number)
    except ProcessLookupError:
        return False
    return pid is not None
