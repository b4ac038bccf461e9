"""What an engine and a worker that stays say to each other.

The engine names run folders on the worker's standard input, one a line. The worker answers an empty line on its
standard output when a job is over and it waits for the next. Of a folder whose name comes after REST only the rest is
to be done, which is not answered. The worker ends when nobody can name one any more.
"""

import os
import select
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

REST = b"\0"  # which no name of a folder has
CHUNK = 65536  # bytes


@dataclass(frozen=True)
class Errand:
    """What a worker is told: to do the job of a run folder, or only the rest of what was done there."""

    folder: Path
    only_rest: bool = False


class Line:
    """The worker's end of it. To be made before the standard output becomes a job's log.

    What else is said there from then on, as by libraries that are loaded, goes where errors go.
    """

    def __init__(self) -> None:
        self._out = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._heard = b""  # and not yet taken: a buffer of Python's would hide it from who looks whether there is more

    def next(self, meanwhile: Generator[None, None, None]) -> Errand | None:
        """The next errand, None when none can come; until somebody speaks `meanwhile` is gone on with."""
        with closing(meanwhile):
            for _ in meanwhile:
                if self._spoken():
                    break
        while b"\n" not in self._heard and (more := os.read(sys.stdin.fileno(), CHUNK)):
            self._heard += more
        line, end, self._heard = self._heard.partition(b"\n")
        return Errand(Path(os.fsdecode(line.removeprefix(REST))), line.startswith(REST)) if end else None

    def _spoken(self) -> bool:
        """Whether something was said; of what is not heard yet Windows does not tell, it waits for sockets alone."""
        if b"\n" in self._heard:
            return True
        return os.name == "posix" and bool(select.select([sys.stdin], [], [], 0)[0])

    def free(self) -> bool:
        """Say that the job is over; returns whether anybody listens."""
        try:
            return os.write(self._out, b"\n") == 1
        except OSError:
            return False


def nothing() -> Generator[None, None, None]:
    """Nothing to do meanwhile."""
    yield from ()


def log_into(file: Path) -> None:
    """Let what this process says go to the end of `file`. Raises OSError where its folder is gone."""
    log = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
        os.dup2(log, stream.fileno())
    os.close(log)
