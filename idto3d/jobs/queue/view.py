"""What can be said about a job from outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from idto3d.config import HeadOptions
from idto3d.jobs import record
from idto3d.jobs.event_log import Progress
from idto3d.jobs.queue.dispatcher import DIED
from idto3d.jobs.record import Job, JobError, PhotoRecord
from idto3d.jobs.run_folder import has_checkpoints

STOPPED = JobError("The work on this head stopped before it was done.", "Ask for it again.")


@dataclass(frozen=True)
class JobView:
    """What can be said about a job from outside. `position` is how many jobs come before it; paths exist.

    `kind` is what is done, "edit" only while one is queued or running. `error` is why the last work did not end well: a
    head that could not be edited is done and has one.
    """

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
    kind: str = record.GENERATE

    @property
    def active(self) -> bool:
        """Whether the job is queued or running."""
        return self.status in (record.QUEUED, record.RUNNING)


def view_of(job_id: str, folder: Path, job: Job, progress: Progress, said: Job, position: int) -> JobView:
    """The view of a `job`: what is true of the one that its record `said`. `position` counts while it waits."""
    previews = {kind: folder / name for kind, name in progress.pictures.items() if (folder / name).is_file()}
    glb = folder / progress.glb if job.status == record.DONE and progress.glb else None
    return JobView(
        id=job_id,
        status=job.status,
        folder=folder,
        options=job.options,
        position=position,
        progress=progress,
        previews=previews,
        glb=glb if glb and glb.is_file() else None,
        error=job.error or _failure(job, said, progress),
        resumable=_continues(folder, job),
        photos=job.photos,
        kind=job.kind,
    )


def _failure(job: Job, said: Job, progress: Progress) -> JobError | None:
    """Why the last work on a finished head did not end well."""
    if job is said.before:
        return STOPPED
    return JobError(*progress.failure) if job.status == record.DONE and progress.failure else None


def _continues(folder: Path, job: Job) -> bool:
    """Whether an ended job can be resumed: a refused one only where it left checkpoints."""
    if job.status not in (record.FAILED, record.CANCELLED):
        return False
    stopped = job.error in (DIED, record.time_up(job)) or job.error and job.error.remedy == record.LATER
    return bool(stopped) or not job.refused or has_checkpoints(folder)
