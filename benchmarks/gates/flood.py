"""A visitor who floods uploads, drawings and jobs, and another who makes a head and looks at it.

The other comes when the flooder's first job has just begun, with the flood behind it and without.
"""

import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from benchmarks.gates.gate import Gate, Outcome, main_of
from benchmarks.gates.visitors import Refused, Served, Visitor, served
from idto3d.jobs.limits import PUBLIC

MOST = 1.5  # of the wait without a flood
WORK = "steps=40 pause=0.05"
FLOOD_PAUSE = 0.1  # seconds between two tries of each hand, as the flood comes from this machine too
LIMITS = replace(PUBLIC, visitor_jobs_an_hour=100_000)
FLOODER, OTHER, HOST = 1, 2, 3


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` heads amid a flood, and as many without, in turn."""
    with served(folder, LIMITS) as page:
        host = Visitor(page, HOST)
        shown = host.generate(f"mark=h{seed}")
        host.until_over(shown)
        pairs = [(waited(page, shown, False), waited(page, shown, True)) for _ in range(count)]
    quiet, flooded = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = flooded / quiet
    failures = (
        (f"{flooded:.1f} s amid the flood are {ratio:.2f} times the {quiet:.1f} s without",) if ratio > MOST else ()
    )
    figures = (("quiet_seconds", quiet), ("flooded_seconds", flooded), ("ratio", ratio))
    return Outcome(count, failures, tuple((name, round(value, 2)) for name, value in figures))


def waited(page: Served, shown: str, flooded: bool) -> float:
    """Seconds from handing in a job to the first drawing of its head."""
    flooder, other, over = Visitor(page, FLOODER), Visitor(page, OTHER), threading.Event()
    first = flooder.generate(WORK)
    while flooder.call("watch", first)["status"] == "queued":
        time.sleep(0.1)
    with ThreadPoolExecutor(6) as hands:
        for work in (upload, draw, make) * 2 if flooded else ():
            hands.submit(again_and_again, work, Visitor(page, FLOODER), shown, over)
        begun = time.monotonic()
        job_id = other.generate(WORK)
        other.until_over(job_id)
        other.render(job_id, 256)
        seconds = time.monotonic() - begun
        over.set()
    other.call("delete", job_id)
    flooder.until_over(first)
    return seconds


def again_and_again(work: Callable, flooder: Visitor, shown: str, over: threading.Event) -> None:
    """Do `work` until all is `over`, then delete what jobs there are."""
    made = []
    while not over.is_set():
        try:
            made.append(work(flooder, shown))
        except Refused:
            time.sleep(FLOOD_PAUSE)
    for job_id in filter(None, made):
        flooder.call("delete", job_id)


def upload(flooder: Visitor, _shown: str) -> None:
    """Send a file."""
    flooder.upload(bytes(1_000_000))


def draw(flooder: Visitor, shown: str) -> None:
    """Ask for the largest drawing."""
    flooder.render(shown, LIMITS.view_pixels)


def make(flooder: Visitor, _shown: str) -> str:
    """Hand in a job."""
    return flooder.generate(WORK)


GATE = Gate("flood", "Beside a visitor who floods the page another waits at most 1.5 times as long.", 5, run)

if __name__ == "__main__":
    main_of(GATE)
