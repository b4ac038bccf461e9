"""Waiting, in tests of processes: until something holds, and no longer than it may take."""

import time


def until(condition, seconds=60.0, pause=0.02):
    """What `condition()` gives as soon as that is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(pause)
    return found


def watched(desk, job_id, condition, seconds=60.0):
    """The view of a job as soon as `condition(view)` holds."""
    deadline = time.monotonic() + seconds
    while not condition(view := desk.watch(job_id)):
        assert time.monotonic() < deadline, (view, log_of(view.folder))
        time.sleep(0.02)
    return view


def log_of(folder):
    """What the worker in `folder` said, for a test that waited in vain."""
    log = folder / "worker.log"
    return log.read_text() if log.exists() else ""


def over(view):
    """Whether a job is neither queued nor running."""
    return not view.active
