"""On what a benchmark ran: commit, versions, processor and GPU, for its JSON."""

import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import torch

from idto3d.device import CUDA

ROOT = Path(__file__).parents[1]
PROCESSORS = Path("/proc/cpuinfo")


def machine(device: torch.device) -> dict:
    """What a measurement on `device` should say about itself."""
    packages = ("torch", "diffusers", "transformers", "peft")
    return {
        "commit": commit(),
        "device": device.type,
        "gpu": torch.cuda.get_device_name(device) if device.type == CUDA else None,
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
    }


def commit(folder: Path = ROOT) -> str:
    """The commit that is checked out in `folder`, with a plus sign where files differ; "unknown" outside git."""
    try:
        named = _git(folder, "rev-parse", "HEAD")
        return named + ("+" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *words: str) -> str:
    answer = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


def processor() -> str:
    """The processor's name where Linux tells it, otherwise its kind."""
    lines = PROCESSORS.read_text(encoding="utf-8").splitlines() if PROCESSORS.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
