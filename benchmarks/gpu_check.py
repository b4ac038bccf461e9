"""Everything that only a GPU host can show, part by part, in under eight minutes; what was found is written as JSON.

    python -m benchmarks.gpu_check --out gpu_check.json [--minutes 7.5] [--only PART ...] [--skip PART ...] [--tiny]

nvdiffrast, our torch rasteriser and tiny-cuda-nn are held against their twins, a distillation step at Stable Diffusion
1.5's size is timed by part and in several ways, and a short head goes through to its GLB; all weights are random and
nothing is fetched. Each part has a process and a limit of its own, so that one that fails, or takes the GPU
down with it, is named and the others go on; the JSON is written after each. What is not installed is "absent", what
there was no time for is "left out". Exit code 1 where a part failed or found something wrong.

`--tiny` runs the same program on the sizes of the tests, also without a GPU. It needs about 12 GB of memory and 4 GB of
disk otherwise.
"""

import argparse
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from multiprocessing.context import BaseContext
from pathlib import Path

import torch

from benchmarks.gpu.part import Absent, Found, Host
from benchmarks.machine import machine
from idto3d.device import choose_device
from idto3d.errors import UserError, discreet, run_command
from idto3d.files import read_json, write_json

# By name: the function in benchmarks.gpu that does it, and the seconds that it may take. The most telling come first.
PARTS = {
    "host": ("host.host", 60),
    "weights": ("steps.weights", 120),
    "step": ("steps.plain", 90),
    "step_rows_first": ("steps.rows_first", 60),
    "nvdiffrast": ("rasterisers.nvdiffrast", 60),
    "torch_rasteriser": ("rasterisers.torch_rasteriser", 60),
    "tiny_cuda_nn": ("hash_grids.tiny_cuda_nn", 60),
    "head": ("head.head", 150),
    "step_compiled": ("steps.compiled", 150),
    "step_graphs": ("steps.graphs", 120),
    "small_encoder": ("steps.small_encoder", 60),
    "small_encoder_compiled": ("steps.small_encoder_compiled", 120),
}
FINE, WRONG, FAILED, ABSENT, LEFT_OUT = "fine", "wrong", "failed", "absent", "left out"
LEAST_SECONDS = 10.0  # that a part is begun for
LONGEST_LOAD_SECONDS = 90.0  # of all modules together
LOADED_ONCE = ["torch", "diffusers", "transformers", "benchmarks.gpu.steps", "benchmarks.gpu.head"]
SHOWN_LINES = 15  # of what a failed part wrote


@dataclass(frozen=True)
class Answer:
    """What came of a part: its verdict, what it found, and what it wrote in the end where it failed."""

    verdict: str
    found: Mapping
    fault: str = ""


def work(name: str, here: Host) -> Answer:
    """Do one part in this process; whatever it raises is its answer."""
    module, _, function = PARTS[name][0].partition(".")
    try:
        found: Found = getattr(import_module(f"benchmarks.gpu.{module}"), function)(here)
    except Absent as why:
        return Answer(ABSENT, {}, discreet(str(why)))
    except Exception:  # a part may fail in any way, and the others go on
        return Answer(FAILED, {}, _ending(traceback.format_exc()))
    verdict = FINE if all(found.checks.values()) else WRONG
    return Answer(verdict, {**found.figures, "checks": found.checks})


def processes(device: torch.device) -> BaseContext:
    """How parts begin: from a process that has loaded all modules once, where a child of it can use `device`."""
    quick = get_context("forkserver")
    quick.set_forkserver_preload(LOADED_ONCE)
    probe = quick.Process(target=_touch, args=(device,))
    probe.start()
    probe.join(LONGEST_LOAD_SECONDS)
    if probe.exitcode == 0:
        return quick
    probe.kill()
    return get_context("spawn")


def _touch(device: torch.device) -> None:
    torch.ones(1, device=device).sum().item()


def apart(name: str, here: Host, seconds: float, context: BaseContext) -> Answer:
    """Do one part in a process of its own, which is ended after `seconds`."""
    log, answer = here.scratch / f"{name}.log", here.scratch / f"{name}.json"
    process = context.Process(target=_as_file, args=(name, here, log, answer))
    process.start()
    process.join(seconds)
    if process.is_alive():
        process.kill()
        process.join()
        return Answer(FAILED, {}, f"It took more than {seconds:.0f} s.\n{_ending(_read(log))}")
    if not answer.is_file():
        return Answer(FAILED, {}, f"Its process ended with {process.exitcode}.\n{_ending(_read(log))}")
    return Answer(**read_json(answer))


def _as_file(name: str, here: Host, log: Path, answer: Path) -> None:
    """In the process of a part: what it prints, and what the system prints of its end, goes into `log`."""
    with log.open("w", encoding="utf-8") as into:
        os.dup2(into.fileno(), 1)
        os.dup2(into.fileno(), 2)
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(here.scratch / "compiled")  # what one part compiled serves the next
    found = work(name, here)
    write_json(answer, {"verdict": found.verdict, "found": _plain(found.found), "fault": found.fault})


def _plain(value):
    """`value` as JSON holds it: what is neither a number, a text, nor made of such is said as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, bool | int | float | str) or value is None else str(value)


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""


def _ending(text: str) -> str:
    return discreet("\n".join(text.strip().splitlines()[-SHOWN_LINES:]))


def check(names: list[str], here: Host, told: argparse.Namespace) -> dict:
    """Do the parts `names` one after the other, keeping the report after each; returns it."""
    begun, report = time.monotonic(), machine(here.device) | {"tiny": told.tiny, "parts": {}}
    context = None if told.here else processes(here.device)
    for name in names:
        left = told.minutes * 60 - (time.monotonic() - begun)
        started = time.monotonic()
        answer = _done(name, here, min(left, PARTS[name][1]), context)
        spent = round(time.monotonic() - started, 1)
        report["parts"][name] = {"verdict": answer.verdict, "seconds": spent, "fault": answer.fault, **answer.found}
        report["minutes"] = round((time.monotonic() - begun) / 60, 2)
        write_json(told.out, report)
        print(line(name, report["parts"][name]), file=sys.stderr, flush=True)
    return report


def _done(name: str, here: Host, seconds: float, context: BaseContext | None) -> Answer:
    if seconds < LEAST_SECONDS:
        return Answer(LEFT_OUT, {}, "There was no time left.")
    return work(name, here) if context is None else apart(name, here, seconds, context)


def line(name: str, found: Mapping) -> str:
    """A part in one line: its verdict, and the figure it is about."""
    rate = found.get("views_1", {}).get("steps_per_second")
    shown = f"{rate} steps/s" if rate else found["fault"].splitlines()[-1] if found["fault"] else ""
    wrong = ", ".join(check for check, holds in found.get("checks", {}).items() if not holds)
    return f"{name:<24}{found['verdict']:<10}{found['seconds']:>7.1f} s  {wrong or shown}"


def main(argv: list[str]) -> int:
    """The command."""
    told = parse(argv)
    names = [name for name in told.only or PARTS if name not in told.skip]
    with tempfile.TemporaryDirectory(dir=told.scratch, ignore_cleanup_errors=True) as scratch:
        report = check(names, Host(choose_device(told.device), Path(scratch), told.tiny), told)
    return 1 if any(part["verdict"] in (WRONG, FAILED) for part in report["parts"].values()) else 0


def parse(argv: list[str]) -> argparse.Namespace:
    """The options in `argv`. Raises UserError for the published sizes without a GPU."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--minutes", type=float, default=7.5, help="no part is begun or goes on after these")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="these parts; steps and head need weights before them")
    parser.add_argument("--skip", nargs="+", choices=PARTS, default=[], help="all parts but these")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--scratch", type=Path, metavar="DIR", help="where 4 GB can be written for a while")
    parser.add_argument("--here", action="store_true", help="all parts in this process")
    parser.add_argument("--tiny", action="store_true", help="the sizes of the tests")
    told = parser.parse_args(argv)
    if choose_device(told.device).type == "cpu" and not told.tiny:
        raise UserError("There is no CUDA device to check.", "Add --tiny for a dry run.")
    return told


if __name__ == "__main__":
    run_command(main)
