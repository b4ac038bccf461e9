"""Fills the disk, shuts the folder, takes it away, and damages checkpoints, each at a random moment of a run."""

import errno
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from benchmarks.gates import steps
from benchmarks.gates.gate import Gate, Outcome, main_of
from idto3d.errors import UserError
from idto3d.events import Notice
from idto3d.jobs.record import FAILED, read_job
from idto3d.jobs.run_folder import CHECKPOINTS, standing

ASKED = steps.options("a face in numbers", 0.0)
SAID = {"disk": "too full", "shut": "Read-only", "vanished": "was removed"}
KINDS = (*SAID, "damaged")


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` faults of each kind."""
    steps.run(folder / "whole", ASKED)
    whole, chance, failures = steps.result(folder / "whole"), random.Random(seed), []
    for number in range(count):
        for kind in KINDS:
            out, moment = folder / f"{kind}{number}", chance.randint(2, steps.STEPS)
            wrong = damaged(out, moment, chance) if kind == "damaged" else refused(kind, out, moment)
            wrong = wrong or ends_well(out, whole, kind)
            failures += [f"{number}: {kind} at step {moment}: {wrong}"] if wrong else []
    return Outcome(count * len(KINDS), tuple(failures))


def refused(kind: str, out: Path, moment: int) -> str:
    """Begin a run that the system refuses from step `moment` on; returns what it said wrongly."""
    real = os.fsync

    def each(step: int) -> None:
        if step == moment and kind == "vanished":
            shutil.rmtree(out)
        elif step == moment:
            os.fsync = full_at(used(out), real, out) if kind == "disk" else shut

    try:
        with patch.object(os, "fsync", real):
            steps.run(out, ASKED, each=each)
        return "it went on as if nothing were"
    except UserError as error:
        told = str(error)
    except Exception as error:
        return f"a fault of ours: {type(error).__name__}: {error}"
    return "" if SAID[kind] in told else f"it said: {told}"


def used(out: Path) -> int:
    """Bytes of all files below `out`."""
    return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())


def full_at(most: int, real: Callable[[int], None], out: Path) -> Callable[[int], None]:
    """A disk that holds no more than `most` bytes below `out`, told as the system tells it."""

    def sync(handle: int) -> None:
        if used(out) > most:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    return sync


def shut(_handle: int) -> None:
    """A disk that became read-only."""
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


def damaged(out: Path, moment: int, chance: random.Random) -> str:
    """Stop a run at step `moment` and damage its newest checkpoint; returns what is wrong when it goes on."""

    def stop(step: int) -> None:
        if step == moment:
            raise UserError("Stopped.", "Go on.")

    try:
        steps.run(out, ASKED, each=stop)
    except UserError:
        how = harm(max((out / CHECKPOINTS).glob(f"*.{chance.choice(('json', 'safetensors'))}")), chance)
    events = steps.run(out, ASKED, resume=True)
    told = " ".join(event.text for event in events if isinstance(event, Notice))
    if how == "remove":  # a missing half cannot be told from a pair that was torn, but the work is
        return "" if "not saved" in told else f"nothing was said of a half that is missing: {told}"
    return "" if "is damaged" in told and "not saved" in told else f"'{how}' was not told: {told}"


def harm(path: Path, chance: random.Random) -> str:
    """Damage a file in one of many ways; returns which."""
    data, how = bytearray(path.read_bytes()), chance.choice(("cut", "flip", "empty", "nonsense", "deep", "remove"))
    if how == "remove":
        path.unlink()
        return how
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(1, 5) if how == "flip" else 0
    path.write_bytes(
        {"cut": data[:at], "flip": data, "empty": b"", "nonsense": b'{"schema": []}'}.get(how, b"[" * 5000)
    )
    return how


def ends_well(out: Path, whole: tuple[bytes, bytes], kind: str) -> str:
    """What is wrong with a run after its fault, and after it was resumed or begun anew."""
    if kind == "vanished" and out.exists():
        return "the folder came back"
    job = read_job(out)
    if kind == "disk" and (job.status != FAILED or SAID[kind] not in job.error.what):
        return f"job.json says {job.status}"
    if kind == "shut" and standing(out, job) == "running":
        return "a dead run is called running"
    if kind != "damaged":
        steps.run(out, ASKED, resume=job is not None)
    return "" if steps.result(out) == whole else "another result"


GATE = Gate(
    "faults", "A full, shut, vanished or damaged disk is told truly, and the run goes on to the same bytes.", 20, run
)

if __name__ == "__main__":
    main_of(GATE)
