"""Kills a run without warning at a random moment, resumes it, and says where it went on and what came out, as JSON.

    python -m benchmarks.kill_and_resume photo.png [--within 120] [--seed 0] [--set NAME=VALUE ...]

Exit code 1 when the resumed run does not begin after its last checkpoint or leaves no head.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from idto3d.export.gltf.load import load_asset


def command(out: Path, words: list[str]) -> list[str]:
    """The command line of a run in `out`."""
    return [sys.executable, "-m", "idto3d", "generate", *words, "--out", str(out)]


def killed_run(words: list[str], out: Path, seconds: float) -> float:
    """Start a run and kill it `seconds` after its first checkpoint; returns how long it lived."""
    begun = time.monotonic()
    with subprocess.Popen(command(out, words), stderr=subprocess.DEVNULL) as process:
        while not list(out.glob("checkpoints/*.json")):
            if process.poll() is not None:
                raise RuntimeError(f"the run ended with {process.returncode} before its first checkpoint")
            time.sleep(0.1)
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return time.monotonic() - begun


def newest(out: Path) -> tuple[str, int]:
    """Stage and step of the newest checkpoint, whose files are called NUMBER_stage_step."""
    _, stage, step = max(path.stem for path in out.glob("checkpoints/*.json")).split("_")
    return stage, int(step)


def first_steps(out: Path, offset: int) -> dict[str, int]:
    """The first step of each stage that the events after byte `offset` of the log tell of."""
    steps: dict[str, int] = {}
    for line in (out / "events.jsonl").read_bytes()[offset:].splitlines():
        try:
            event = json.loads(line)
        except ValueError:  # the line that the kill tore, with the next one on its end
            continue
        if event["event"] == "StepDone":
            steps.setdefault(event["stage"], event["step"])
    return steps


def continues(stage: str, step: int, went_on: dict[str, int]) -> bool:
    """Whether the first steps after a resume follow the checkpoint; a finished stage makes no step again."""
    return went_on.get(stage, step + 1) == step + 1 and (stage == "shape" or "shape" not in went_on)


def main() -> int:
    """Kill, resume, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", type=Path)
    parser.add_argument("--within", type=float, default=120.0, help="latest moment of the kill, seconds")
    parser.add_argument("--seed", type=int, default=0, help="of the moment")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    told = parser.parse_args()
    words = [str(told.photo), *(word for assignment in told.set for word in ("--set", assignment))]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "head"
        lived = killed_run(words, out, random.Random(told.seed).uniform(0, told.within))
        (stage, step), offset = newest(out), (out / "events.jsonl").stat().st_size
        code = subprocess.run(command(out, ["--resume"]), stderr=subprocess.DEVNULL).returncode
        went_on = first_steps(out, offset)
        mesh = load_asset(out).mesh if code == 0 else None
        kept = continues(stage, step, went_on)
        found = {
            "killed_after_seconds": round(lived, 1),
            "saved": f"{stage} {step}",
            "went_on_at": went_on,
            "exit_code": code,
        }
        found |= {"expressions": len(mesh.names) if mesh else 0, "continued": kept}
        print(json.dumps(found, indent=1))
    return 0 if kept and mesh else 1


if __name__ == "__main__":
    sys.exit(main())
