"""The desk where jobs are handed in, watched, cancelled, resumed and deleted. It never runs one itself."""

import logging
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from idto3d.checks import checked
from idto3d.config import ROOT, ExportOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.files import private_folder
from idto3d.jobs import event_log, record
from idto3d.jobs.event_log import Progress, read_progress
from idto3d.jobs.lock import owner_of, try_lock
from idto3d.jobs.produce import PIPELINE
from idto3d.jobs.record import Job, JobError, PhotoRecord, read_job, readable_job, write_job
from idto3d.jobs.run_folder import LOCK, PHOTOS, check_disk, delete_run, finished, has_checkpoints, resumable
from idto3d.jobs.worker import alive, waiting_before

JOB_ID = re.compile(r"[A-Za-z0-9_-]{22}")
CANCEL_SECONDS = 1.8
DAY = 24 * 3600.0
LOG = "worker.log"
GONE = UserError("This job no longer exists.", "Start a new one.")
BUSY = UserError("This job is at work already.", "Watch it, or cancel it.")
DIED = JobError("The worker stopped before the job was done.", "Press Resume to go on from the last checkpoint.")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class JobView:
    """What can be said about a job from outside. `position` is how many jobs come before it; paths exist."""

    id: str
    status: str
    folder: Path
    options: HeadOptions
    position: int = 0
    progress: Progress = Progress()
    previews: Mapping[str, Path] | None = None
    glb: Path | None = None
    error: JobError | None = None
    resumable: bool = False
    photos: tuple[PhotoRecord, ...] = ()

    @property
    def active(self) -> bool:
        """Whether the job is queued or running."""
        return self.status in (record.QUEUED, record.RUNNING)


def default_root() -> Path:
    """Where runs lie: $IDTO3D_RUNS, or ~/.cache/idto3d/runs."""
    return Path(os.environ.get("IDTO3D_RUNS") or Path.home() / ".cache" / "idto3d" / "runs")


class Desk:
    """Jobs under one runs root. An id is unguessable, and knowing it is the right to the job."""

    def __init__(self, root: Path, pipeline: str = PIPELINE, most: int = 20):
        self.root = private_folder(root)
        self.pipeline = pipeline
        self.most = most
        self._progress: dict[str, Progress] = {}
        self._workers: dict[str, subprocess.Popen] = {}

    def start(self, photos: list[Path], options: HeadOptions) -> str:
        """Copy the photos into a new job and start its worker; returns its id. Raises UserError when it cannot."""
        self._check_room(photos, options)
        job_id = secrets.token_urlsafe(16)
        folder = private_folder(self.root / job_id)
        try:
            write_job(folder, record.new_job([], options))  # so that copies left by a crash are found and reaped
            write_job(folder, record.new_job(_copies(photos, folder / PHOTOS), options))
        except BaseException:
            shutil.rmtree(folder)
            raise
        self._employ(job_id)
        return job_id

    def watch(self, job_id: str) -> JobView:
        """How a job stands. Raises UserError when there is no such job."""
        folder = self.folder(job_id)
        job = _honest(folder, self._job(folder))
        progress = self._progress[job_id] = read_progress(folder, self._progress.get(job_id))
        return JobView(
            id=job_id,
            status=job.status,
            folder=folder,
            options=job.options,
            position=len(waiting_before(folder)) if job.status == record.QUEUED else 0,
            progress=progress,
            previews={kind: folder / name for kind, name in progress.pictures.items() if (folder / name).is_file()},
            glb=_existing(folder / progress.glb) if job.status == record.DONE and progress.glb else None,
            error=job.error,
            resumable=_continues(folder, job),
            photos=job.photos,
        )

    def cancel(self, job_id: str) -> None:
        """Stop a job: ask, then after `CANCEL_SECONDS` kill. Nothing happens when it is over already."""
        folder = self.folder(job_id)
        deadline = time.monotonic() + CANCEL_SECONDS
        asked = False
        while alive(folder, self._job(folder)) and time.monotonic() < deadline:
            pid = owner_of(folder / LOCK)
            if pid and not asked:
                asked = _signal(pid, signal.SIGTERM)
            elif not pid and (worker := self._workers.get(job_id)) and worker.poll() is None:
                worker.kill()  # it has not begun: nothing to clean up
                worker.wait()
                break
            time.sleep(0.02)
        pid = owner_of(folder / LOCK)
        if pid:
            _signal(pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
        self._mark_cancelled(folder)

    def resume(self, job_id: str) -> None:
        """Queue a cancelled, broken or killed job again. Raises UserError when it cannot be continued."""
        folder = self.folder(job_id)
        view = self.watch(job_id)
        if view.active:
            raise UserError(BUSY.what, BUSY.remedy)
        if not view.resumable:
            raise UserError("This job cannot be continued.", "Start a new one.")
        _wait_until_free(folder)
        job = resumable(folder)
        write_job(folder, replace(job, status=record.QUEUED, queued=record.now(), ended="", error=None))
        self._employ(job_id)

    def export(self, job_id: str, options: ExportOptions) -> None:
        """Queue the asset of a finished head to be made again with `options`. Raises UserError when it cannot be.

        When that fails or is cancelled, the job is done as it was before.
        """
        folder = self.folder(job_id)
        if self.watch(job_id).active:
            raise UserError(BUSY.what, BUSY.remedy)
        _wait_until_free(folder)
        job = finished(folder)
        write_job(folder, record.further_job(job, record.EXPORT, checked(replace(job.options, export=options))))
        self._employ(job_id)

    def delete(self, job_id: str) -> None:
        """Stop a job and remove everything about it; one of another version is removed when nothing works on it.

        Nothing happens when there is no such job. Raises UserError when a process still works on it.
        """
        if not JOB_ID.fullmatch(job_id) or not (self.root / job_id).exists():
            return
        folder = self.root / job_id
        if readable_job(folder):
            self.cancel(job_id)
        _wait_until_free(folder)
        delete_run(folder)
        self._progress.pop(job_id, None)

    def folder(self, job_id: str) -> Path:
        """The run folder of a job. Raises UserError when there is no such job."""
        folder = self.root / job_id
        if not JOB_ID.fullmatch(job_id) or not (folder / record.FILE).is_file():
            raise UserError(GONE.what, GONE.remedy)
        return folder

    def ids(self) -> list[str]:
        """The ids of all jobs."""
        return [path.parent.name for path in self.root.glob(f"*/{record.FILE}") if JOB_ID.fullmatch(path.parent.name)]

    def reap(self, older_than_seconds: float = DAY) -> list[str]:
        """Delete the jobs that ended longer ago than that; returns the ids of those that are gone."""
        gone = []
        for job_id in self.ids():
            try:
                if _over_since(self.root / job_id) > older_than_seconds:
                    self.delete(job_id)
                    gone.append(job_id)
            except (UserError, OSError) as error:
                log.warning("the job in %s stays for now: %s", self.root / job_id, error)
        return gone

    def _job(self, folder: Path) -> Job:
        job = read_job(folder)
        if job is None:
            raise UserError(GONE.what, GONE.remedy)
        return job

    def _check_room(self, photos: list[Path], options: HeadOptions) -> None:
        if len(photos) > options.subject.max_photos:
            what = f"{len(photos)} photos are more than the {options.subject.max_photos} that help."
            raise UserError(what, "Choose the sharpest ones.")
        jobs = ((self.root / job_id, readable_job(self.root / job_id)) for job_id in self.ids())
        active = sum(job is not None and alive(folder, job) for folder, job in jobs)
        if active >= self.most:
            raise UserError(f"{active} jobs are waiting already.", "Try again when some of them are done.")
        check_disk(self.root)

    def _employ(self, job_id: str) -> None:
        folder = self.root / job_id
        self._workers = {other: worker for other, worker in self._workers.items() if worker.poll() is None}
        command = [sys.executable, "-m", "idto3d.jobs.worker", str(folder), "--pipeline", self.pipeline]
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        with open(folder / LOG, "ab") as log:
            self._workers[job_id] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": path},
            )

    def _mark_cancelled(self, folder: Path) -> None:
        """For a worker that could not say so itself."""
        _wait_until_free(folder)
        job = read_job(folder)
        if job and job.status in (record.QUEUED, record.RUNNING):
            write_job(folder, record.ended(job, record.CANCELLED))


def _copies(photos: list[Path], folder: Path) -> list[Path]:
    """Copies of the photos under their own names, each in its own folder. Raises UserError when one cannot be read."""
    copies = []
    for number, photo in enumerate(map(Path, photos), start=1):
        copies.append(private_folder(folder / f"{number:02}") / photo.name)
        try:
            shutil.copyfile(photo, copies[-1])
        except OSError:
            raise UserError(f"The photo '{photo.name}' cannot be read.", "Add it again.") from None
    return copies


def _honest(folder: Path, job: Job) -> Job:
    """`job`; when it claims to be at work and no process is, it has failed, or is the job before it."""
    if job.status not in (record.QUEUED, record.RUNNING) or alive(folder, job):
        return job
    fresh = read_job(folder)  # it may have ended between the two looks
    if fresh and fresh.status == job.status:
        return job.before or replace(job, status=record.FAILED, error=DIED)
    return fresh or job


def _continues(folder: Path, job: Job) -> bool:
    """Whether an ended job can be resumed: a refused one only where it left checkpoints."""
    if job.status not in (record.FAILED, record.CANCELLED):
        return False
    return job.error == DIED or not job.refused or has_checkpoints(folder)


def _existing(path: Path) -> Path | None:
    return path if path.is_file() else None


def _signal(pid: int, number: int) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _wait_until_free(folder: Path, seconds: float = 2.0) -> None:
    lock = try_lock(folder / LOCK, patience=seconds)
    if lock:
        lock.release()


def _over_since(folder: Path) -> float:
    """Seconds since the job of `folder` was last at work; 0 while it is."""
    try:
        job = read_job(folder)
    except UserError:
        return time.time() - (folder / record.FILE).stat().st_mtime
    if job is None or alive(folder, job):
        return 0.0
    return record.age(job.ended) if job.ended else time.time() - _last_sign(folder)


def _last_sign(folder: Path) -> float:
    """When a job that could not say its end last wrote something, seconds since 1970."""
    return max(path.stat().st_mtime for path in (folder / record.FILE, folder / event_log.FILE) if path.exists())
