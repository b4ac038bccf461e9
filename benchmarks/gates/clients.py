"""Many visitors at once, each with a job, while others flood the page with drawings.

Everybody's head, notices and drawings bear a mark of theirs; seeing another's is cross-talk. A look at a job must take
less than a second for 95 of 100 looks.
"""

import io
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.gates import toys
from benchmarks.gates.gate import Gate, Outcome, main_of
from benchmarks.gates.visitors import Refused, Served, Visitor, served
from idto3d.jobs.limits import PUBLIC

FLOODERS, HANDS = 4, 4
FLOOD_PAUSE = 0.1  # seconds between a refusal and the next try, as the flood comes from this machine too
P95_SECONDS = 1.0
LOOK_SECONDS = 1.0  # between two looks, as the page has it
FIRST_FLOODER = 2000


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` visitors at once, each once."""
    limits = replace(PUBLIC, total_jobs=count + 1)
    with served(folder, limits) as page, ThreadPoolExecutor(count + FLOODERS) as crowd:
        host = Visitor(page, FIRST_FLOODER + FLOODERS)
        drawn = host.generate("mark=host")
        host.until_over(drawn)
        over = threading.Event()
        floods = [crowd.submit(flood, page, FIRST_FLOODER + number, drawn, over) for number in range(FLOODERS)]
        stories = [crowd.submit(told, visit, page, number, f"m{seed}x{number}") for number in range(count)]
        stories = [story.result() for story in stories]
        over.set()
        refused = sum(one.result() for one in floods)
    failures = [story for story in stories if isinstance(story, str)]
    looks = [look for story in stories if not isinstance(story, str) for look in story]
    p95 = float(np.quantile(looks, 0.95)) if looks else 0.0
    if p95 >= P95_SECONDS:
        failures.append(f"95 of 100 looks took up to {p95:.2f} s")
    figures = (
        ("looks", len(looks)),
        ("look_p95_seconds", round(p95, 3)),
        ("look_max_seconds", round(max(looks, default=0.0), 3)),
    )
    return Outcome(count, tuple(failures), (*figures, ("drawings_refused", refused)))


def told(visit: Callable, *about) -> list[float] | str:
    """What came of a visit; a sentence where something was wrong."""
    try:
        return visit(*about)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def visit(page: Served, number: int, mark: str) -> list[float]:
    """Make a head, look at it, draw it, fetch it, delete it; returns how long each look took."""
    visitor = Visitor(page, number)
    job_id = visitor.generate(f"mark={mark} steps=3 pause=0.05")
    view, looks = visitor.until_over(job_id, LOOK_SECONDS)
    if view["status"] != "done" or view["notices"] != [f"Made for {mark}."]:
        raise ValueError(f"the job of {mark} says {view}")
    shown = Image.open(io.BytesIO(visitor.render(job_id, 64))).convert("RGB").getpixel((32, 32))
    if shown != toys.colour(mark):
        raise ValueError(f"{mark} was shown another's drawing")
    if visitor.fetch(visitor.call("download", job_id)[0]) != toys.glb(mark):
        raise ValueError(f"{mark} was handed another's head")
    visitor.call("delete", job_id)
    try:
        visitor.call("watch", job_id)
    except Refused:
        return looks
    raise ValueError(f"the job of {mark} is still there")


def flood(page: Served, number: int, job_id: str, over: threading.Event) -> int:
    """Ask for the largest drawings over `HANDS` connections until all is `over`; returns how many were refused."""
    refused = []

    def ask() -> None:
        visitor = Visitor(page, number)
        while not over.is_set():
            try:
                visitor.call("render", job_id, "clay", "", 0, 0, 0, 1024, {})
            except Refused:
                refused.append(1)
                time.sleep(FLOOD_PAUSE)

    with ThreadPoolExecutor(HANDS) as hands:
        for _ in range(HANDS):
            hands.submit(ask)
    return len(refused)


GATE = Gate("clients", "Many visitors at once see nothing of each other, and looks stay quick.", 64, run)

if __name__ == "__main__":
    main_of(GATE)
