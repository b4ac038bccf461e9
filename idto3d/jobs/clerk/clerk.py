"""A process that answers questions, seen from outside: begun, asked, and ended at will."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from idto3d.config import ROOT
from idto3d.errors import UserError

STARTING = 120.0  # seconds in which what answers take is loaded


@dataclass(frozen=True)
class Work:
    """What a clerk does: the function of a module that prepares it, and its arguments; see `clerk.process`."""

    module: str
    function: str
    arguments: tuple[str, ...] = ()


class Ended(Exception):
    """The process ended before its answer was whole; `late` where that was because it took too long."""

    def __init__(self, late: bool):
        super().__init__("the process that answers ended")
        self.late = late


class Clerk:
    """One process. It keeps what it loaded, and `matters` are what it may keep something of."""

    def __init__(self, work: Work):
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "idto3d.jobs.clerk.process", work.module, work.function, *work.arguments]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt of the page is not its own: it ends when its input does
            env={**os.environ, "PYTHONPATH": path},
        )
        self.matters: set[Hashable] = set()
        self.used = time.monotonic()
        self._ready = False

    def ask(self, matter: Hashable, question: dict, seconds: float) -> tuple[dict, bytes]:
        """The answer to a `question` about `matter`.

        Raises UserError where it is refused, RuntimeError where it breaks, Ended after so many `seconds`.
        """
        self.matters.add(matter)
        self.used = time.monotonic()
        if not self._ready:
            with self._within(STARTING):
                self._ready = self._line() == b""
        with self._within(seconds):
            self._write(json.dumps(question).encode() + b"\n")
            said = json.loads(self._line())
            data = self._process.stdout.read(said["bytes"])
            if len(data) < said["bytes"]:
                raise Ended(False)
        self.used = time.monotonic()
        if "what" in said:
            raise UserError(said["what"], said["remedy"])
        if "broken" in said:
            raise RuntimeError("a question broke; the log says why")
        return said, data

    def kill(self) -> None:
        """End the process at once, and with it all that it keeps."""
        self._process.kill()
        self._process.wait()

    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    @contextmanager
    def _within(self, seconds: float) -> Iterator[None]:
        late = threading.Event()
        timer = threading.Timer(seconds, lambda: (late.set(), self.kill()))
        timer.start()
        try:
            yield
        except Ended:
            raise Ended(late.is_set()) from None
        finally:
            timer.cancel()

    def _write(self, data: bytes) -> None:
        try:
            self._process.stdin.write(data)
            self._process.stdin.flush()
        except OSError:
            raise Ended(False) from None

    def _line(self) -> bytes:
        """The next line without its end."""
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise Ended(False)
        return line[:-1]
