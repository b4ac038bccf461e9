"""A batch whose workers are killed every few seconds ends, every head once.

    python -m benchmarks.gates.batch [--count 50] [--seed 0] [--ray ADDRESS]

With `--ray` the workers are those of a Ray cluster that was started on this machine.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.gates import batch_toy as toy
from benchmarks.gates.gate import Gate, Outcome, command
from idto3d.config import HeadOptions, ShapeOptions
from idto3d.jobs import record
from idto3d.jobs.batch.run import Conductor
from idto3d.jobs.batch.standing import Place
from idto3d.jobs.batch.table import Person
from idto3d.jobs.engine import Engine, LocalEngine
from idto3d.jobs.lock import owner_of
from idto3d.jobs.run_folder import LOCK

WORKERS = 2
STEPS = 8
KILLS = (2.0, 4.0)  # seconds from one kill to the next
PIPELINE = toy.__name__


class Watched:
    """An engine that notes how much was begun, and what although it was at work."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.room, self.working, self.stop = engine.room, engine.working, engine.stop
        self.twice: list[str] = []
        self.begun = 0

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`."""
        self.begun += 1
        if owner_of(folder / LOCK) or self.engine.working(folder):
            self.twice.append(f"{folder.name} was begun although it was at work")
        self.engine.begin(folder)


class Killer(threading.Thread):
    """Kills a worker at random every few seconds."""

    def __init__(self, folders: Sequence[Path], seed: int, between: tuple[float, float]):
        super().__init__(daemon=True)
        self.folders, self.chance, self.between = folders, random.Random(seed), between
        self.over = threading.Event()
        self.kills = 0

    def run(self) -> None:
        """Until `over` is set."""
        while not self.over.wait(self.chance.uniform(*self.between)):
            owners = [pid for folder in self.folders if (pid := owner_of(folder / LOCK)) not in (None, os.getpid())]
            if owners:
                self.kills += _killed(self.chance.choice(owners))


def _killed(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def killing(folders: Sequence[Path], seed: int, between: tuple[float, float] = KILLS):
    """While workers in `folders` are killed."""
    killer = Killer(folders, seed, between)
    killer.start()
    try:
        yield killer
    finally:
        killer.over.set()
        killer.join()


def crowd(count: int, seed: int, out: Path) -> list[Place]:
    """That many people with words of their own."""
    short = HeadOptions(shape=ShapeOptions(steps=STEPS), prompt="young")
    people = [Person(row, f"p{row}", f"p{row}", (), replace(short, seed=seed + row)) for row in range(count)]
    return [Place(person, out / person.folder) for person in people]


def run(count: int, seed: int, folder: Path, address: str = "", between: tuple[float, float] = KILLS) -> Outcome:
    """`count` heads by `WORKERS` workers, or by those of the cluster at `address`."""
    places, begun = crowd(count, seed, folder), time.monotonic()
    engine = Watched(_engine(address))
    with killing([place.folder for place in places], seed, between) as killer:
        Conductor(places, engine).go_on(lambda _place: None)
    failures = [fault for place in places if (fault := _fault(place))] + engine.twice
    again = Watched(engine.engine)
    Conductor(places, again).go_on(lambda _place: None)
    failures += [f"{again.begun} heads were begun by a second batch"] if again.begun else []
    figures = (("kills", killer.kills), ("begun", engine.begun), ("seconds", round(time.monotonic() - begun, 1)))
    return Outcome(count, tuple(failures), figures)


def _engine(address: str) -> Engine:
    if not address:
        return LocalEngine(WORKERS, PIPELINE)
    from idto3d.jobs.batch.ray_engine import RayEngine

    return RayEngine(address, PIPELINE)


def _fault(place: Place) -> str:
    """What is wrong with a person's head; nothing where each of its steps was done once."""
    job, steps = place.job(), toy.steps_in(place.folder)
    if job is None or job.status != record.DONE:
        return f"{place.person.name} is {job.status if job else 'not begun'}"
    wanted = [str(step) for step in range(1, STEPS + 1)]
    return "" if steps == wanted else f"{place.person.name} had the steps {' '.join(steps)}"


GATE = Gate("batch", "A batch whose workers are killed every few seconds ends, every head once.", 50, run)


def main(words: Sequence[str] | None = None) -> int:
    """The gate's command, with the choice of a cluster."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--ray", default="", metavar="ADDRESS")
    asked, rest = parser.parse_known_args(words)
    return command(replace(GATE, run=partial(run, address=asked.ray)), rest)


if __name__ == "__main__":
    sys.exit(main())
