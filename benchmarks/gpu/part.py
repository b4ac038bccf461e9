"""What a part of the GPU check is given, and what it gives back."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from idto3d.device import CUDA


class Absent(Exception):
    """A part has nothing to do here: what it would look at is not installed."""


@dataclass(frozen=True)
class Host:
    """Where a part works: on `device`, with files in `scratch`, and with the sizes of the tests where `tiny`."""

    device: torch.device
    scratch: Path
    tiny: bool

    def weights(self) -> Path:
        """The bundle with random weights that the part `weights` writes."""
        return self.scratch / "bundle"


@dataclass(frozen=True)
class Found:
    """What a part found: `figures` of any kind, and `checks` that should all be true."""

    figures: dict
    checks: dict[str, bool] = field(default_factory=dict)


def settled(device: torch.device) -> float:
    """The time in seconds, once all work that `device` was given is done: CUDA works behind the program's back."""
    if device.type == CUDA:
        torch.cuda.synchronize(device)
    return time.perf_counter()


def mean_seconds(device: torch.device, work: Callable[[], object], count: int, warm: int = 2) -> float:
    """Seconds that `work` takes in the mean of `count` times, after `warm` times that are not counted."""
    for _ in range(warm):
        work()
    start = settled(device)
    for _ in range(count):
        work()
    return (settled(device) - start) / count


def forget_peak(device: torch.device) -> None:
    """Begin to count the peak of memory anew, where that can be done."""
    if device.type == CUDA:
        torch.cuda.reset_peak_memory_stats(device)
