"""Heads made, watched, drawn and deleted for a long time: memory, open files and disk stay what they were.

The first quarter is warming up. Of the rest, the last third is compared with the first by their medians.
"""

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gates.gate import Gate, Outcome, main_of
from benchmarks.gates.visitors import Served, Visitor, served
from idto3d.files import private_folder
from idto3d.jobs.limits import LOCAL, Limits

VISITOR, LARGE = 1, 512
MOST_PER_HOUR = {"memory_mb": 24.0, "descriptors": 6.0, "disk_kb": 60.0}  # of growth
LEAST = {"memory_mb": 4.0, "descriptors": 3.0, "disk_kb": 50.0}  # of growth, that may be chance
LIMITS = Limits(visitor_jobs_an_hour=100_000, upload_keep_seconds=60.0, total_jobs=LOCAL.total_jobs)


@dataclass(frozen=True)
class Sample:
    """What the page and its drawing process took up at a moment, `seconds` after the first."""

    seconds: float
    memory_mb: float
    descriptors: float
    disk_kb: float


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` minutes."""
    return soaked(60.0 * count, seed, folder)


def soaked(seconds: float, seed: int, folder: Path) -> Outcome:
    """Cycle for that many `seconds`."""
    with served(private_folder(folder), LIMITS) as page:
        visitor, begun, samples = Visitor(page, VISITOR), time.monotonic(), []
        while (now := time.monotonic() - begun) < seconds:
            cycle(visitor, f"s{seed}x{len(samples)}")
            samples.append(sample(page, now))
    kept = [one for one in samples if one.seconds >= seconds / 4]
    return Outcome(len(samples), *judged(kept))


def cycle(visitor: Visitor, mark: str) -> None:
    """One head from upload to deletion. Raises ValueError where it is not made."""
    photo = visitor.upload(mark.encode() * 20_000)
    job_id = visitor.generate(f"mark={mark} pause=0.01", [photo])
    view, _ = visitor.until_over(job_id)
    if view["status"] != "done":
        raise ValueError(f"the job of {mark} is {view}")
    for size in (64, LARGE):
        visitor.render(job_id, size)
    visitor.call("download", job_id)
    visitor.call("delete", job_id)


def sample(page: Served, seconds: float) -> Sample:
    """What is taken up now; of processes by those that the page began and has not ended."""
    pid = page.process.pid
    memory = sum(resident(one) for one in (pid, *children(pid)))
    files = open_files(pid)
    disk = sum(map(size, _files(page.folder)))
    return Sample(seconds, memory / 1e6, files, disk / 1e3)


def _files(folder: Path) -> list[Path]:
    """The files below a folder, whatever vanishes meanwhile, but the page's log."""
    found = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return [path for path in found if path.suffix != ".log"]


def size(path: Path) -> int:
    """Bytes of a file; 0 when it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def children(pid: int) -> list[int]:
    """The processes that one began."""
    return [int(word) for tasks in Path(f"/proc/{pid}/task").iterdir() for word in _read(tasks / "children").split()]


def open_files(pid: int) -> int:
    """How many files a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def resident(pid: int) -> int:
    """Bytes of memory of a process; 0 when it is gone."""
    words = _read(Path(f"/proc/{pid}/statm")).split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") if words else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def judged(samples: list[Sample]) -> tuple[tuple[str, ...], tuple[tuple[str, float], ...]]:
    """What grew more than it may, and the growth of everything per hour."""
    failures, figures, third = [], [], max(len(samples) // 3, 1)
    hours = max(samples[-1].seconds - samples[0].seconds, 1.0) * 2 / 3 / 3600
    for name, most in MOST_PER_HOUR.items():
        first, last = (
            statistics.median(getattr(one, name) for one in some) for some in (samples[:third], samples[-third:])
        )
        figures += [(name, round(last, 1)), (f"{name}_growth", round(last - first, 2))]
        if last - first > max(most * hours, LEAST[name]):
            failures.append(f"{name} grew from {first:.1f} to {last:.1f} in {60 * hours:.1f} minutes")
    return tuple(failures), tuple(figures)


GATE = Gate("soak", "Twenty minutes of heads made and deleted leave memory, open files and disk as they were.", 20, run)

if __name__ == "__main__":
    main_of(GATE)
