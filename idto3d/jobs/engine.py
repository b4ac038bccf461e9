"""Who does the work of queued jobs: processes of this machine here, those of a cluster in jobs/batch.

An engine knows run folders alone. What it begins is `python -m idto3d.jobs.worker FOLDER`, which claims the folder,
says in job.json how it ended, and may be begun again after its end, however that came.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

from idto3d.config import ROOT
from idto3d.jobs.produce import PIPELINE

LOG = "worker.log"


class Engine(Protocol):
    """Begins and stops workers. Nothing here waits for one."""

    def room(self) -> int:
        """How many more jobs may be begun now."""

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`."""

    def working(self, folder: Path) -> bool:
        """Whether what was begun in `folder` has not ended."""

    def stop(self, folder: Path) -> None:
        """End at once what was begun in `folder`; nothing happens when it has ended."""


class LocalEngine:
    """At most `most` workers at a time, each a process of this machine in a session of its own."""

    def __init__(self, most: int = 1, pipeline: str = PIPELINE):
        self.most = most
        self.pipeline = pipeline
        self._workers: dict[Path, subprocess.Popen] = {}

    def room(self) -> int:
        """How many more jobs may be begun now."""
        self._workers = {folder: worker for folder, worker in self._workers.items() if worker.poll() is None}
        return self.most - len(self._workers)

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`; what it says goes to `LOG` there."""
        command = [sys.executable, "-m", "idto3d.jobs.worker", str(folder), "--pipeline", self.pipeline]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": path}
        with open(folder / LOG, "ab") as log:
            self._workers[folder] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
            )

    def working(self, folder: Path) -> bool:
        """Whether what was begun in `folder` has not ended."""
        worker = self._workers.get(folder)
        return worker is not None and worker.poll() is None

    def stop(self, folder: Path) -> None:
        """End at once what was begun in `folder`; nothing happens when it has ended."""
        if self.working(folder):
            self._workers[folder].kill()
            self._workers[folder].wait()
