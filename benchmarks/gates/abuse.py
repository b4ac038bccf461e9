"""Hostile requests against a page that is served for real, while a visitor makes heads on it.

python -m benchmarks.gates.abuse [--count N] [--seed N]
"""

import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.gates.gate import Gate, Outcome, main_of
from benchmarks.gates.hostile import Wire, hostile
from benchmarks.gates.soak import open_files, resident
from benchmarks.gates.visitors import Refused, Served, Visitor, served
from idto3d.jobs.limits import PUBLIC
from idto3d.ui.door.body import Patience

# Lowered, so that a flood is one with little traffic.
LIMITS = replace(
    PUBLIC,
    photo_megabytes=0.2,
    visitor_megabytes=8.0,
    total_megabytes=16.0,
    free_megabytes=1.0,
    visitor_jobs=10,
    visitor_jobs_an_hour=10_000,
    visitor_calls_a_second=1000.0,
    visitor_requests=1000,
)
PATIENCE = Patience(pause=2.0, whole=6.0)
PHOTO = b"no picture"
AT_ONCE = 4
SECRET = b"nobody outside may read this"
LEAKS = (b"Traceback", b"site-packages", b"root:x:0", SECRET)
FOREIGN = (b"Host: evil.example", b"Origin: https://evil.example", b"Origin: null")
LARGEST_ANSWER = 4 << 20  # bytes; the page itself is the largest
ANSWER_SECONDS = 20.0
STREAM_SECONDS = 0.3
MOST_MEMORY_GROWTH = 100.0  # MB
MOST_LOG = 1 << 20  # bytes
MOST_FILES = 40  # open ones more than at first
MOST_UPLOADS = 20 << 20  # bytes


def run(count: int, seed: int, folder: Path) -> Outcome:
    """`count` hostile requests, in an order and of contents drawn from `seed`."""
    with served(folder, LIMITS, PATIENCE) as page:
        (folder / "runs" / "secret.txt").write_bytes(SECRET)
        visitor = Visitor(page, 0)
        visits = [made(visitor)]
        before = used(page)
        functions, over = visitor.functions(), threading.Event()

        def attempt(number: int) -> list[str]:
            return list(faults(page, hostile(random.Random(f"{seed} {number}"), functions)))

        with ThreadPoolExecutor(AT_ONCE + 1) as pool:
            visiting = pool.submit(keep_visiting, visitor, over)
            try:
                failures = [why for found in pool.map(attempt, range(count)) for why in found]
            finally:
                over.set()
            visits += visiting.result()
        visits.append(made(visitor))
        failures += [f"the visitor's head ended as {visit}" for visit in visits if visit != "done"]
        found, figures = aftermath(page, folder, before)
    return Outcome(count, tuple(failures + found), (*figures, ("visits", float(len(visits)))))


def made(visitor: Visitor) -> str:
    """Make a head from an upload, watch it, look at it and delete it; returns its last status."""
    job_id = visitor.generate("mark=visitor", [visitor.upload(PHOTO)])
    view, _ = visitor.until_over(job_id)
    if view["status"] == "done":
        visitor.render(job_id, 64)
    visitor.call("delete", job_id)
    return view["status"]


def used(page: Served) -> tuple[float, int]:
    """Resident memory of the page in MB, and how many files it has open."""
    return resident(page.process.pid) / 1e6, open_files(page.process.pid)


def keep_visiting(visitor: Visitor, over: threading.Event) -> list[str]:
    """Make one head after the other until `over`; returns how each ended."""
    ends = []
    while not over.is_set():
        try:
            ends.append(made(visitor))
        except (httpx.HTTPError, Refused) as fault:
            ends.append(f"{type(fault).__name__}: {fault}")
        over.wait(0.5)
    return ends


def faults(page: Served, wire: Wire) -> Iterator[str]:
    """What is wrong with the answer to one request."""
    try:
        said = exchange(page, wire)
    except TimeoutError:
        yield f"{wire.kind}: no answer to {wire.sent[:120]!r}"
        return
    status = int(found[1]) if (found := re.match(rb"HTTP/1\.[01] (\d{3})", said)) else 0
    if status >= 500 and status != 507:
        yield f"{wire.kind}: {status} to {wire.sent[:300]!r}"
    if status == 200 and any(b"\r\n" + line + b"\r\n" in wire.sent for line in FOREIGN):
        yield f"{wire.kind}: a stranger's name or page was served: {wire.sent[:300]!r}"
    if len(said) >= LARGEST_ANSWER:
        yield f"{wire.kind}: {len(said)} bytes to {wire.sent[:120]!r}"
    for leak in LEAKS:
        if leak in said:
            yield f"{wire.kind}: {leak!r} in the answer to {wire.sent[:200]!r}"


def exchange(page: Served, wire: Wire) -> bytes:
    """Send one request and read what comes back. Raises TimeoutError where a patient client waits in vain."""
    with socket.create_connection(("127.0.0.1", page.port), ANSWER_SECONDS) as line:
        try:
            line.sendall(wire.sent)
            line.settimeout(STREAM_SECONDS if wire.leaves and not wire.stalls else ANSWER_SECONDS)
            return read(line)
        except TimeoutError:
            if wire.leaves and not wire.stalls:
                return b""
            raise
        except OSError:  # cut off, which is an answer too
            return b""


def read(line: socket.socket) -> bytes:
    """All that comes until the server ends the connection."""
    said = b""
    while len(said) < LARGEST_ANSWER and (piece := line.recv(1 << 16)):
        said += piece
    return said


def aftermath(page: Served, folder: Path, before: tuple[float, int]) -> tuple[list[str], tuple[tuple[str, float], ...]]:
    """What the requests left behind: faults, and memory, log, open files and uploads as figures."""
    time.sleep(1.0)
    memory, files = (now - then for now, then in zip(used(page), before, strict=True))
    said, log = page.log.read_text(errors="replace"), page.log.stat().st_size
    uploads = sum(path.lstat().st_size for path in (folder / "runs-page").rglob("*") if path.is_file())
    found = {
        f"memory grew by {memory:.0f} MB": memory > MOST_MEMORY_GROWTH,
        f"{files} files more are open": files > MOST_FILES,
        f"the log has {log} bytes": log > MOST_LOG,
        f"tracebacks are in the log: {endings(said)}": "Traceback" in said,
        f"uploads have {uploads} bytes": uploads > MOST_UPLOADS,
        "the server ended": page.process.poll() is not None,
    }
    figures = {"memory_growth_mb": memory, "open_files_more": files, "log_bytes": log, "uploads_bytes": uploads}
    return [text for text, wrong in found.items() if wrong], tuple((n, round(v, 1)) for n, v in figures.items())


def endings(log: str) -> list[str]:
    """The last lines of the tracebacks in a log: where and what."""
    return [found[-400:] for found in re.findall(r"^Traceback.*\n((?:  .*\n)+\S.*)", log, re.MULTILINE)]


GATE = Gate(
    "abuse",
    "Whatever is sent to the page, it answers in a sentence, shows no file, and serves its visitors.",
    5000,
    run,
)

if __name__ == "__main__":
    main_of(GATE)
