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
from typing import BinaryIO, Protocol

from idto3d.config import ROOT
from idto3d.jobs.produce import PIPELINE
from idto3d.jobs.standby.line import REST
from idto3d.jobs.worker import LOG, SPARE

IDLE = 300.0  # seconds
TURN = ".turn"


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

    def warm(self, unfinished: Path | None = None) -> None:
        """Let the next job begin sooner, where that can be; it is likely to come within minutes.

        unfinished: the folder of a finished head that is without some pictures, which may be drawn meanwhile.
        """

    def asked(self, folder: Path) -> None:
        """Know that somebody asks for the job of `folder`, or looks at it, in the context of this call."""

    def forget(self, folder: Path) -> None:
        """Know that the job of `folder` is deleted."""


class LocalEngine:
    """At most `most` workers at a time, each a process of this machine in a session of its own.

    After a job a worker waits for the next, and `warm` begins one that waits, having loaded the pipeline. One may wait
    at a time; it counts as none, and ends after `idle` seconds, when a job is deleted that it had to do with, or with
    this process.

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
        self._gate = threading.RLock()
        self._spare: subprocess.Popen | None = None
        self._touched: dict[subprocess.Popen, set[Path]] = {}  # of what each may keep something in memory
        self._resting: set[Path] = set()  # heads whose rest the spare one was told to do
        self._until = 0.0  # it waits so long, on the clock that only grows

    def room(self) -> int:
        """How many more jobs may be begun now."""
        with self._gate:
            self._workers = {folder: worker for folder, worker in self._workers.items() if worker.poll() is None}
            return self.most - len(self._workers)

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`; what it says goes to `LOG` there."""
        with self._gate:
            self._resting.discard(folder)  # there may be more to do
            if (spare := self._taken()) is None or not _told(spare, folder):
                with open(folder / LOG, "ab") as log:
                    spare = self._process(str(folder), log)
            self._workers[folder] = spare
            self._touched.setdefault(spare, set()).add(folder)

    def warm(self, unfinished: Path | None = None) -> None:
        """Let a worker wait for the next job, or wait longer; none is begun while those at work need the cores."""
        with self._gate:
            self._until = time.monotonic() + self.idle
            there = self._spare is not None and self._spare.poll() is None
            if not there and sum(worker.poll() is None for worker in tuple(self._workers.values())) < self.most:
                self._keep(self._process(SPARE, None))
            if unfinished is not None and self._spare is not None and unfinished not in self._resting:
                self._let_rest(self._spare, unfinished)

    def _let_rest(self, spare: subprocess.Popen, unfinished: Path) -> None:
        if _told(spare, unfinished, REST):
            self._resting.add(unfinished)
            self._touched.setdefault(spare, set()).add(unfinished)

    def asked(self, folder: Path) -> None:
        """Nothing: a process of this machine works for nobody in particular."""

    def forget(self, folder: Path) -> None:
        """Let workers end that had to do with `folder`, as soon as they are free: nothing of it stays in memory."""
        with self._gate:
            self._workers.pop(folder, None)
            for worker in (one for one, touched in self._touched.items() if folder in touched):
                _hang_up(worker)
                if worker is self._spare:
                    self._taken()

    def cool(self) -> None:
        """End the worker that waits, if one does."""
        if spare := self._taken():
            spare.kill()
            _hang_up(spare)

    def _keep(self, worker: subprocess.Popen) -> None:
        self._spare, self._resting = worker, set()
        self._until = time.monotonic() + self.idle
        threading.Thread(target=self._cool_later, args=(worker,), daemon=True).start()

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

    def _process(self, what: str, log: BinaryIO | None) -> subprocess.Popen:
        """A worker of a folder, whose faults go to `log`, or a spare one."""
        command = [sys.executable, "-m", "idto3d.jobs.worker", what, "--pipeline", self.pipeline, "--stay"]
        command += ["--turn", str(self.turn)] if self.turn else []
        environment = os.environ if self.environment is None else self.environment
        path = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH"))))
        environment = {**environment, "PYTHONPATH": path}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        worker = subprocess.Popen(command, start_new_session=True, env=environment, **pipes)
        threading.Thread(target=self._mind, args=(worker,), name="minds a worker", daemon=True).start()
        return worker

    def _mind(self, worker: subprocess.Popen) -> None:
        """Hear when a worker is free, until it ends; it is waited for, so that nothing of it stays at its end."""
        with worker.stdout:
            for _ in worker.stdout:
                self._freed(worker)
        worker.wait()
        _hang_up(worker)
        with self._gate:
            self._touched.pop(worker, None)

    def _freed(self, worker: subprocess.Popen) -> None:
        with self._gate:
            self._workers = {folder: other for folder, other in self._workers.items() if other is not worker}
            if worker.stdin.closed:  # something was deleted that it had to do with
                return
            if self._spare is None or self._spare.poll() is not None:
                self._keep(worker)
            else:
                _hang_up(worker)

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


def local_engine(root: Path, pipeline: str = PIPELINE) -> LocalEngine:
    """One job at a time by a process of this machine, among all that share the runs under `root`."""
    return LocalEngine(1, pipeline, root / TURN)


def _told(spare: subprocess.Popen, folder: Path, before: bytes = b"") -> bool:
    """Whether a spare worker was still there to be told a folder; `before`: see standby/line.py."""
    with suppress(OSError, ValueError):  # the latter where it ended, and was hung up on
        spare.stdin.write(before + os.fsencode(folder) + b"\n")
        spare.stdin.flush()
        return spare.poll() is None
    return False


def _hang_up(worker: subprocess.Popen) -> None:
    """Let a worker know that it is told nothing any more."""
    with suppress(OSError):
        worker.stdin.close()
