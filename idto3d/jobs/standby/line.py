"""What an engine and a worker that stays say to each other.

The engine names run folders on the worker's standard input, one a line. The worker answers an empty line on its
standard output when a job is over and it waits for the next. It ends when nobody can name one any more.
"""

import os
import select
import sys
from collections.abc import Generator
from contextlib import closing
from pathlib import Path


class Line:
    """The worker's end of it. To be made before the standard output becomes a job's log.

    What else is said there from then on, as by libraries that are loaded, goes where errors go.
    """

    def __init__(self) -> None:
        self._out = os.dup(sys.stdout.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def next(self, meanwhile: Generator[None, None, None]) -> Path | None:
        """The next folder, None when none can come; until somebody speaks `meanwhile` is gone on with."""
        with closing(meanwhile):
            for _ in meanwhile:
                if _spoken():
                    break
        line = sys.stdin.buffer.readline()
        return Path(os.fsdecode(line[:-1])) if line.endswith(b"\n") else None

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


def _spoken() -> bool:
    """Whether something was said; not known on Windows, which waits for sockets alone."""
    return os.name == "posix" and bool(select.select([sys.stdin], [], [], 0)[0])
