"""Who does the work of queued jobs: processes of this machine here, those of a cluster in jobs/batch.

An engine knows run folders alone. What it begins is `python -m idto3d.jobs.worker FOLDER`, which claims the folder,
says in job.json how it ended, and may be begun again after its end, however that came.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from idto3d.config import ROOT
from idto3d.jobs.produce import PIPELINE

LOG = "worker.log"


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


class LocalEngine:
    """At most `most` workers at a time, each a process of this machine in a session of its own.

    `turn` is a file whose lock a worker holds while it works, for engines that share the machine and one turn.
    `environment` is that of the workers, this process's own where it is not given.
    """

    def __init__(
        self,
        most: int = 1,
        pipeline: str = PIPELINE,
        turn: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ):
        self.most = most
        self.pipeline = pipeline
        self.turn = turn
        self.environment = environment
        self._workers: dict[Path, subprocess.Popen] = {}

    def room(self) -> int:
        """How many more jobs may be begun now."""
        self._workers = {folder: worker for folder, worker in self._workers.items() if worker.poll() is None}
        return self.most - len(self._workers)

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`; what it says goes to `LOG` there."""
        command = [sys.executable, "-m", "idto3d.jobs.worker", str(folder), "--pipeline", self.pipeline]
        command += ["--turn", str(self.turn)] if self.turn else []
        environment = os.environ if self.environment is None else self.environment
        path = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH"))))
        with open(folder / LOG, "ab") as log:
            self._workers[folder] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**environment, "PYTHONPATH": path},
            )

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
