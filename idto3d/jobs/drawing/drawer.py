"""A process that draws, seen from outside: begun, asked, and ended at will."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from idto3d.config import ROOT, RenderOptions
from idto3d.errors import UserError
from idto3d.jobs.produce import PIPELINE

STARTING = 120.0  # seconds in which the pipeline is loaded


@dataclass(frozen=True)
class Drawing:
    """A function that draws a view of a run folder, [S, S, 3] uint8 sRGB, by name; its module is loaded when called."""

    module: str = PIPELINE
    function: str = "render_view"

    def __call__(self, folder: Path, options: RenderOptions) -> np.ndarray:
        """Draw here."""
        return getattr(import_module(self.module), self.function)(folder, options)


class Ended(Exception):
    """The process ended before its answer was whole; `late` where that was because it took too long."""

    def __init__(self, late: bool):
        super().__init__("the drawing process ended")
        self.late = late


class Drawer:
    """One drawing process. It keeps what it loaded, and `folders` are those whose heads that may be."""

    def __init__(self, drawing: Drawing):
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "idto3d.jobs.drawing.process", drawing.module, drawing.function]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # an interrupt of the page is not its own: it ends when its input does
            env={**os.environ, "PYTHONPATH": path},
        )
        self.folders: set[Path] = set()
        self.used = time.monotonic()
        self._ready = False

    def draw(self, folder: Path, options: RenderOptions, seconds: float) -> np.ndarray:
        """The picture [S, S, 3] uint8 sRGB. Raises UserError as the pipeline does; Ended after so many `seconds`."""
        self.folders.add(folder)
        self.used = time.monotonic()
        if not self._ready:
            with self._within(STARTING):
                self._ready = self._line() == b""
        with self._within(seconds):
            self._write(json.dumps({"folder": str(folder), "options": asdict(options)}).encode() + b"\n")
            said = json.loads(self._line())
            picture = self._process.stdout.read(int(np.prod(said.get("shape", 0))))
            if "shape" in said and len(picture) < np.prod(said["shape"]):
                raise Ended(False)
        self.used = time.monotonic()
        if "what" in said:
            raise UserError(said["what"], said["remedy"])
        if "broken" in said:
            raise RuntimeError("a drawing broke; the log says why")
        return np.frombuffer(picture, np.uint8).reshape(said["shape"])

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
