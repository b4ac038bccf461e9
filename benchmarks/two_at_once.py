"""How long a draft takes alone, and beside another one on the same machine; JSON.

    python -m benchmarks.two_at_once photo.png [--before FOLDER] [--rounds 5] [--set NAME=VALUE ...]

Each round times one run alone, then two at once. With `--before`, a checkout of another build, each round first times
one run of that build alone, and the shares are of its median. Nothing else should run meanwhile.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.machine import ROOT, machine
from idto3d.device import choose_device


def seconds_of(build: Path, words: Sequence[str], count: int) -> float:
    """Seconds until the last of `count` runs that begin together has ended. Raises RuntimeError when one fails."""
    with TemporaryDirectory() as scratch:
        outs = [f"{scratch}/{number}" for number in range(count)]
        commands = [[sys.executable, "-m", "idto3d", "generate", *words, "--out", out] for out in outs]
        begun = time.monotonic()
        runs = [subprocess.Popen(command, cwd=build, stderr=subprocess.DEVNULL) for command in commands]
        codes = [run.wait() for run in runs]
        if any(codes):
            raise RuntimeError(f"runs of {build} ended with {codes}")
        return time.monotonic() - begun


def measured(words: Sequence[str], before: Path | None, rounds: int) -> dict:
    """Medians over `rounds`, and the shares of the first of them."""
    builds = {"before": (before, 1)} if before else {}
    builds |= {"alone": (ROOT, 1), "two_at_once": (ROOT, 2)}
    times = {name: [] for name in builds}
    for _ in range(rounds):
        for name, (build, count) in builds.items():
            times[name].append(round(seconds_of(build, words, count), 1))
    medians = {name: median(each) for name, each in times.items()}
    quiet = next(iter(medians.values()))
    shares = {name: round(seconds / quiet, 3) for name, seconds in medians.items()}
    return {"seconds": times, "medians": medians, "shares": shares}


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--before", type=Path, help="a checkout of another build")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--set", dest="options", action="append", default=[], help="option of the runs")
    asked = parser.parse_args(words)
    run = [str(asked.photo.resolve()), *(word for option in asked.options for word in ("--set", option))]
    print(json.dumps(measured(run, asked.before, asked.rounds) | machine(choose_device("cpu")), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
