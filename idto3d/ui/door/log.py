"""A log that does not fill a disk: so many lines a minute, lines of a bounded length, the rest counted."""

import io
import threading
import time
from collections.abc import Callable
from typing import TextIO

LINES_A_MINUTE = 120
LONGEST_LINE = 500


class Throttled(io.TextIOBase):
    """A text stream over `stream` that passes `lines` lines a minute, cut, and tells how many it left out."""

    def __init__(self, stream: TextIO, lines: int = LINES_A_MINUTE, clock: Callable[[], float] = time.monotonic):
        self._stream, self._lines, self._clock = stream, lines, clock
        self._lock = threading.RLock()
        self._begun, self._passed, self._left_out, self._rest = clock(), 0, 0, ""

    def write(self, text: str) -> int:
        """Write whole lines; the beginning of one waits for its end."""
        with self._lock:
            *lines, rest = (self._rest + text).split("\n")
            self._rest = rest[:LONGEST_LINE]
            for line in lines:
                self._line(line)
        return len(text)

    def _line(self, line: str) -> None:
        now = self._clock()
        if now - self._begun >= 60.0:
            if self._left_out:
                self._stream.write(f"({self._left_out} lines more are left out)\n")
            self._begun, self._passed, self._left_out = now, 0, 0
        self._passed += 1
        if self._passed > self._lines:
            self._left_out += 1
        else:
            self._stream.write(line[:LONGEST_LINE] + "\n")

    def flush(self) -> None:
        """Hand on what was written."""
        with self._lock:
            self._stream.flush()

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """Whether somebody looks."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """The number of the file below."""
        return self._stream.fileno()
