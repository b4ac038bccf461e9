"""Who does the work of queued jobs: processes of this machine here, those of a cluster in jobs/batch.

An engine knows run folders alone. What it begins is `python -m idto3d.jobs.worker FOLDER`, which claims the folder,
says in job.json how it ended, and may be begun again after its end, however that came.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from idto3d.config import ROOT
from idto3d.jobs.produce import PIPELINE
from idto3d.jobs.worker import LOG, SPARE

IDLE = 300.0  # seconds


class Engine(Protocol):
    """Begins and stops workers. Nothing here waits for one.

    One thread asks for room and begins; any number may look and stop at the same time.
    """

    def room(self) -> int:
        """How many more jobs may be begun now."""

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`."""

    def working(self, folder: Path) -> bool:
        """Whether what was begun in `folder` has not ended."""

    def stop(self, folder: Path) -> None:
        """End at once what was begun in `folder`; nothing happens when it has ended."""

    def warm(self) -> None:
        """Let the next job begin sooner, where that can be; it is likely to come within minutes."""


class LocalEngine:
    """At most `most` workers at a time, each a process of this machine in a session of its own.

    `warm` begins one more, which has loaded the pipeline and waits for the next job. It counts as none, and ends after
    `idle` seconds, or with this process.

    `turn` is a file whose lock a worker holds while it works, for engines that share the machine and one turn.
    `environment` is that of the workers, this process's own where it is not given.
    """

    def __init__(
        self,
        most: int = 1,
        pipeline: str = PIPELINE,
        turn: Path | None = None,
        environment: Mapping[str, str] | None = None,
        idle: float = IDLE,
    ):
        self.idle = idle
        self.most = most
        self.pipeline = pipeline
        self.turn = turn
        self.environment = environment
        self._workers: dict[Path, subprocess.Popen] = {}
        self._gate = threading.Lock()
        self._spare: subprocess.Popen | None = None
        self._until = 0.0  # it waits so long, on the clock that only grows

    def room(self) -> int:
        """How many more jobs may be begun now."""
        self._workers = {folder: worker for folder, worker in self._workers.items() if worker.poll() is None}
        return self.most - len(self._workers)

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`; what it says goes to `LOG` there."""
        if (spare := self._taken()) and _told(spare, folder):
            self._workers[folder] = spare
            return
        with open(folder / LOG, "ab") as log:
            self._workers[folder] = self._process(str(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def warm(self) -> None:
        """Let a worker wait for the next job, or wait longer; none is begun while those at work need the cores."""
        with self._gate:
            self._until = time.monotonic() + self.idle
            if self._spare is not None and self._spare.poll() is None:
                return
            if sum(worker.poll() is None for worker in tuple(self._workers.values())) < self.most:
                self._spare = self._process(SPARE, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
                threading.Thread(target=self._cool_later, args=(self._spare,), daemon=True).start()

    def cool(self) -> None:
        """End the worker that waits, if one does."""
        if spare := self._taken():
            spare.kill()
            spare.stdin.close()

    def _cool_later(self, spare: subprocess.Popen) -> None:
        while spare is self._spare:
            if (left := self._until - time.monotonic()) <= 0:
                self.cool()
                return
            time.sleep(min(left, 1.0))

    def _taken(self) -> subprocess.Popen | None:
        with self._gate:
            spare, self._spare = self._spare, None
        return spare

    def _process(self, what: str, **streams) -> subprocess.Popen:
        """A worker of a folder, or a spare one. It is waited for beside, so that nothing of it stays at its end."""
        command = [sys.executable, "-m", "idto3d.jobs.worker", what, "--pipeline", self.pipeline]
        command += ["--turn", str(self.turn)] if self.turn else []
        environment = os.environ if self.environment is None else self.environment
        path = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH"))))
        worker = subprocess.Popen(command, start_new_session=True, env={**environment, "PYTHONPATH": path}, **streams)
        threading.Thread(target=worker.wait, name="waits for a worker", daemon=True).start()
        return worker

    def working(self, folder: Path) -> bool:
        """Whether what was begun in `folder` has not ended."""
        worker = self._workers.get(folder)
        return worker is not None and worker.poll() is None

    def stop(self, folder: Path) -> None:
        """End at once what was begun in `folder`; nothing happens when it has ended."""
        worker = self._workers.get(folder)
        if worker is not None and worker.poll() is None:
            worker.kill()
            worker.wait()


def _told(spare: subprocess.Popen, folder: Path) -> bool:
    """Whether a spare worker was still there to be told its folder."""
    with suppress(OSError), spare.stdin as line:
        line.write(os.fsencode(folder) + b"\n")
        return spare.poll() is None
    return False
