"""What a gate is, and how one is run as a command: many tries from one seed, and the failures among them as JSON."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.machine import machine
from idto3d.device import choose_device

MOST_SHOWN = 20


@dataclass(frozen=True)
class Outcome:
    """What came of a gate's tries. `figures` are measurements worth a line, such as the slowest try in seconds."""

    tries: int
    failures: tuple[str, ...] = ()
    figures: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Gate:
    """One gate. `run(count, seed, folder)` makes `count` tries in an empty folder and says what came of them.

    `promise` is one sentence for docs/reliability.md; `count` is the default number of tries.
    """

    name: str
    promise: str
    count: int
    run: Callable[[int, int, Path], Outcome]


def tried(gate: Gate, count: int, seed: int) -> dict:
    """A gate's tries in a folder of their own, as plain JSON."""
    begun = time.monotonic()
    with TemporaryDirectory() as scratch:
        outcome = gate.run(count, seed, Path(scratch))
    return {
        "gate": gate.name,
        "tries": outcome.tries,
        "seed": seed,
        "failed": len(outcome.failures),
        "failures": list(outcome.failures[:MOST_SHOWN]),
        "figures": dict(outcome.figures),
        "seconds": round(time.monotonic() - begun, 1),
    }


def command(gate: Gate, words: Sequence[str] | None = None) -> int:
    """`python -m benchmarks.gates.NAME [--count N] [--seed N]`; exit code 1 where a try failed."""
    parser = argparse.ArgumentParser(description=gate.promise)
    parser.add_argument("--count", type=int, default=gate.count, help="tries (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(words)
    found = tried(gate, asked.count, asked.seed)
    print(json.dumps(found | machine(choose_device("cpu")), indent=1))
    return 1 if found["failed"] else 0


def main_of(gate: Gate) -> None:
    """Run the command and leave with its exit code."""
    sys.exit(command(gate))
