"""Workers on a Ray cluster. ray is optional (requirements-ray.txt) and imported only where a cluster is asked for.

Run folders, photos, this program and its weights must lie under the same paths on all machines of the cluster, on a
file system whose locks hold between machines (NFS 4, Lustre with flock).
"""

import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from idto3d.config import ROOT
from idto3d.determinism import MKL_SETTING, STRICT
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.produce import PIPELINE, rest
from idto3d.jobs.record import read_job, write_job
from idto3d.jobs.run_folder import claim
from idto3d.jobs.worker import LOG, Cancellation, logged, work

SILENT = {"RAY_USAGE_STATS_ENABLED": "0"}
TRIES_AGAIN = 3  # of a job whose machine or worker is lost; it goes on from its checkpoint
STOPPING = 2.0  # seconds a stopped worker has to be gone
GPU, CPU = "GPU", "CPU"

log = logging.getLogger(__name__)


def silent_ray():
    """The package ray with its usage reports off, whatever the environment says. Raises UserError without it."""
    os.environ |= SILENT  # read when it is imported
    try:
        import ray
    except ImportError:
        what = "The package ray, which speaks to a cluster, is not installed."
        raise UserError(what, "Install it with python -m pip install -r requirements-ray.txt.") from None
    return ray


class RayEngine:
    """Workers on the cluster at `address`: one for each GPU, or for each core where there is no GPU.

    Raises UserError when the cluster cannot be reached.
    """

    def __init__(self, address: str, pipeline: str = PIPELINE):
        self.pipeline = pipeline
        self._ray = ray = silent_ray()
        self._tasks = {}
        try:
            ray.init(
                address, log_to_driver=False, logging_level=logging.ERROR, runtime_env={"env_vars": _environment()}
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            what = f"The Ray cluster at '{address}' cannot be reached ({reason})."
            raise UserError(what, "Start it with ray start --head, or check the address.") from None
        self._kind = GPU if ray.cluster_resources().get(GPU) else CPU
        needs = {"num_cpus": 1, "num_gpus": 1 if self._kind == GPU else 0}
        self._task = ray.remote(max_retries=TRIES_AGAIN, **needs)(work_in)

    def room(self) -> int:
        """How many more jobs may be begun now; machines that join or leave count at once."""
        self._tasks = {folder: task for folder, task in self._tasks.items() if not self._over(task)}
        return int(self._ray.cluster_resources().get(self._kind, 0)) - len(self._tasks)

    def begin(self, folder: Path) -> None:
        """Begin the worker of the queued job in `folder`, on whichever machine is free."""
        self._tasks[folder] = self._task.remote(str(folder.resolve()), self.pipeline)

    def working(self, folder: Path) -> bool:
        """Whether what was begun in `folder` has not ended."""
        task = self._tasks.get(folder)
        return task is not None and not self._over(task)

    def stop(self, folder: Path) -> None:
        """End at once what was begun in `folder`; nothing happens when it has ended."""
        task = self._tasks.get(folder)
        if task is not None and not self._over(task):
            self._ray.cancel(task, force=True)
            self._ray.wait([task], timeout=STOPPING)

    def warm(self, unfinished: Path | None = None) -> None:
        """Nothing: who waits on a cluster takes a place there."""

    def asked(self, folder: Path) -> None:
        """Nothing: a cluster does not ask for whom it works."""

    def forget(self, folder: Path) -> None:
        """Nothing: what ended is not kept in mind."""

    def close(self) -> None:
        """Leave the cluster, which ends what this engine began there."""
        self._ray.shutdown()

    def _over(self, task) -> bool:
        return bool(self._ray.wait([task], timeout=0)[0])


def _environment() -> Mapping[str, str]:
    """What workers need beside their machine's own environment."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**SILENT, "PYTHONPATH": path, MKL_SETTING: os.environ.get(MKL_SETTING, STRICT)}


def work_in(folder: str, pipeline: str) -> str:
    """Do the job of a run folder in this process of a cluster; returns how it stands then.

    Called again after a worker was lost it goes on; called on a job that is over, or that another process works on, it
    does nothing.
    """
    place = Path(folder)
    with logged(place / LOG), _signals_kept():
        cancellation = Cancellation(place)
        cancellation.listen()
        try:
            _queue_again(place)
            status = work(place, pipeline, cancellation)
            for _ in rest(place, pipeline):
                pass
            return status
        except UserError as error:  # another process works there, or the folder is gone
            log.warning("not begun: %s", error)
            return ""


def _queue_again(folder: Path) -> None:
    """Let a job that a lost worker left running be begun again. Raises UserError where it is at work."""
    with claim(folder):
        job = read_job(folder)
        if job and job.status == record.RUNNING:
            write_job(folder, replace(job, status=record.QUEUED))


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Ray's own handlers are back afterwards: its processes take one job after the other."""
    numbers = (signal.SIGTERM, signal.SIGALRM)
    before = [signal.getsignal(number) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
