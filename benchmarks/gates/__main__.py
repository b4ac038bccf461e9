"""All gates one after the other, or those named: what must hold however often it is tried.

    python -m benchmarks.gates [NAME ...] [--share 0.01] [--seed 0] [--out gates.json]

`--share` makes that part of each gate's own number of tries, at least one. Prints a line a gate and at the end JSON;
with `--out` the JSON is kept after every gate. Exit code 1 where a try failed.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from benchmarks.gates.gate import Gate, tried
from benchmarks.machine import machine
from idto3d.device import choose_device
from idto3d.files import write_json


def gates() -> dict[str, Gate]:
    """Every gate beside this module, by name."""
    modules = [
        import_module(f"benchmarks.gates.{found.name}")
        for found in iter_modules([str(Path(__file__).parent)])
        if found.name != "__main__"
    ]
    found = [module.GATE for module in modules if hasattr(module, "GATE")]
    return {gate.name: gate for gate in sorted(found, key=lambda gate: gate.name)}


def line(found: dict) -> str:
    """A result in one line."""
    stands = "passed" if not found["failed"] else f"{found['failed']} FAILED"
    return f"{found['gate']:<12}{found['tries']:>8} tries  {found['seconds']:>8.1f} s  {stands}"


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    known = gates()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *known], help=", ".join(known))
    parser.add_argument("--share", type=float, default=1.0, help="part of each gate's tries")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="file for the JSON")
    asked = parser.parse_args(words)
    report = machine(choose_device("cpu")) | {"gates": []}
    for name in asked.names or known:
        found = tried(known[name], max(1, round(known[name].count * asked.share)), asked.seed)
        report["gates"].append(found)
        print(line(found), file=sys.stderr, flush=True)
        if asked.out:
            write_json(asked.out, report)
    print(json.dumps(report, indent=1))
    return 1 if any(found["failed"] for found in report["gates"]) else 0


if __name__ == "__main__":
    sys.exit(main())
