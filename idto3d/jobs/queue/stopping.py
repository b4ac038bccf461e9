"""Stopping a worker: asked first, then by force."""

import os
import platform
import signal
import time
from collections.abc import Callable
from pathlib import Path

from idto3d.jobs.engine import Engine
from idto3d.jobs.lock import is_locked, owner_of
from idto3d.jobs.record import readable_job
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


def _process(folder: Path) -> int | None:
    """The process of this machine that works in `folder`; None where there is none, or it is elsewhere."""
    job = readable_job(folder)
    here = job is None or job.machine in ("", platform.node())
    return owner_of(folder / LOCK) if here else None


def _signal(pid: int | None, number: int) -> bool:
    try:
        if pid:
            os.kill(pid, number)
    except ProcessLookupError:
        return False
    return pid is not None
