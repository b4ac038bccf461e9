"""`python -m idto3d batch PEOPLE.csv --out DIR`: heads of many people, on this machine or on a cluster."""

import argparse
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from idto3d.config import PRESETS
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.batch.results import status_of, write_results
from idto3d.jobs.batch.run import Conductor
from idto3d.jobs.batch.sheet import write_sheet
from idto3d.jobs.batch.standing import Place, places
from idto3d.jobs.batch.table import read_table
from idto3d.jobs.engine import Engine, LocalEngine
from idto3d.jobs.lock import try_lock
from idto3d.jobs.run_folder import check_disk

DONE, FIXABLE, CANCELLED = 0, 2, 130
LOCK = ".batch"
SPARSELY = 30.0  # seconds between bars where no terminal redraws them
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(words: Sequence[str] | None = None) -> int:
    """The command; returns 0 when all heads are done, 2 when some are not. Raises UserError, KeyboardInterrupt."""
    asked = _parser().parse_args(words)
    people = read_table(asked.table, asked.preset or "", asked.set)
    wanted = places(people, asked.out)
    if asked.check:
        print(f"{len(people)} people, no fault")
        return DONE
    _folder(asked.out)
    with _alone(asked.out):
        engine = _cluster(asked.ray) if asked.ray else _processes(asked.workers)
        return conduct(wanted, asked.out, engine, asked.retry)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="idto3d batch", description="Make heads of many people.")
    parser.add_argument("table", type=Path, metavar="PEOPLE.csv", help="a row a person; see docs/hosting.md")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder of the run folders")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_count, help="heads at a time on this machine (default: one for two cores)")
    where.add_argument("--ray", metavar="ADDRESS", help="work on a Ray cluster, which sees DIR and the photos as well")
    parser.add_argument("--preset", choices=tuple(PRESETS), help="where a row names none")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="any option, for all rows")
    parser.add_argument("--retry", action="store_true", help="try again what failed")
    parser.add_argument("--check", action="store_true", help="check the table and begin nothing")
    return parser


def _count(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 256):
        raise argparse.ArgumentTypeError("give a whole number from 1 to 256")
    return int(text)


def _folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The folder '{out}' cannot be made ({error.strerror}).", "Choose another --out.") from None
    check_disk(out)


def _alone(out: Path):
    """The lock of the one batch in a folder. Raises UserError."""
    lock = try_lock(out / LOCK)
    if lock is None:
        raise UserError(f"Another batch works in '{out}'.", "Wait for it, or choose another --out.")
    return lock


def _processes(workers: int | None) -> Engine:
    """Workers on this machine, which share its cores, unless the user said how many threads each has."""
    cores = os.cpu_count() or 1
    most = workers or max(1, cores // 2)
    return LocalEngine(most, environment=dict.fromkeys(THREADS, str(max(1, cores // most))) | dict(os.environ))


def _cluster(address: str) -> Engine:
    from idto3d.jobs.batch.ray_engine import RayEngine

    return RayEngine(address)


def conduct(wanted: Sequence[Place], out: Path, engine: Engine, retry: bool = False) -> int:
    """Make all heads and tell of it; returns the exit code.

    Raises KeyboardInterrupt when it is interrupted or terminated; what is there is kept.
    """
    conductor = Conductor(wanted, engine, retry)
    _listen(signal.default_int_handler)
    try:
        with _bar(wanted, conductor) as bar:
            conductor.go_on(lambda place: _tell(bar, place, conductor))
    except KeyboardInterrupt:
        _listen(signal.SIG_IGN)  # two seconds, and all is in order
        conductor.cancel()
        write_results(wanted, out, conductor.faults)
        raise
    return _sum_up(wanted, out, conductor)


def _listen(handler) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)


def _bar(wanted: Sequence[Place], conductor: Conductor) -> tqdm:
    to_come = len(conductor.waiting) + len(conductor.working)
    seldom = {} if sys.stderr.isatty() else {"mininterval": SPARSELY, "maxinterval": SPARSELY}
    return tqdm(total=len(wanted), initial=len(wanted) - to_come, unit="head", smoothing=0.0, **seldom)


def _tell(bar: tqdm, place: Place, conductor: Conductor) -> None:
    job = place.job()
    if job is None or job.status != record.DONE:
        error = conductor.faults.get(place.person.folder) or (job.error if job else None)
        why = f": {error.what} {error.remedy}" if error else ""
        bar.write(f"{place.person.name} ({status_of(job)}){why}", file=sys.stderr)
    bar.update()


def _sum_up(wanted: Sequence[Place], out: Path, conductor: Conductor) -> int:
    """Write what came of it; returns the exit code."""
    results, sheet = write_results(wanted, out, conductor.faults), write_sheet(wanted, out)
    counts = Counter(status_of(place.job()) for place in wanted)
    print(", ".join(f"{count} {status}" for status, count in counts.items()))
    print(*filter(None, (results, sheet)), sep="\n")
    if counts[record.DONE] == len(wanted):
        return DONE
    print(f"Some heads are not done; '{results}' says why.\nMend that, then run it with --retry.", file=sys.stderr)
    return FIXABLE
