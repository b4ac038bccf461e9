"""Where each person of a batch stands, by the run folders alone: they are the batch's only memory."""

from dataclasses import dataclass, replace
from pathlib import Path

from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.batch.table import Person
from idto3d.jobs.lock import is_locked, try_lock
from idto3d.jobs.record import Job, JobError, is_active, read_job, readable_job, write_job
from idto3d.jobs.run_folder import LOCK, check_new, claim, has_checkpoints, keep_only_record
from idto3d.jobs.worker import CANCEL


@dataclass(frozen=True)
class Place:
    """A person and the run folder that is theirs."""

    person: Person
    folder: Path

    def job(self) -> Job | None:
        """What job.json says of the making; None where there is none, or none that can be read.

        A head that somebody edits, or did when the machine stopped, is made.
        """
        job = readable_job(self.folder)
        return job and (job.before or job)

    def locked(self) -> bool:
        """Whether a process works in the folder, whoever began it."""
        return is_locked(self.folder / LOCK)


def places(people: tuple[Person, ...], out: Path) -> tuple[Place, ...]:
    """The folder of each person below `out`. Raises UserError that names those which hold something else."""
    found = tuple(Place(person, out / person.folder) for person in people)
    faults = [f"row {place.person.row}: {fault}" for place in found if (fault := _foreign(place))]
    if faults:
        raise UserError("\n  ".join(("The table does not fit what is there:", *faults)), "Choose another --out.")
    return found


def _foreign(place: Place) -> str:
    """What is wrong with what lies in a person's folder; nothing where it is theirs, new, or was refused."""
    try:
        job = read_job(place.folder)
        if job is None or job.refused:
            check_new(place.folder)
    except UserError as fault:
        return fault.what
    if job is None or job.refused or _asks_for(job, place.person):
        return ""
    return f"'{place.folder}' holds a run of other photos or options."


def _asks_for(job: Job, person: Person) -> bool:
    """Whether a job is of the photos and options of a person's row."""
    given = sorted(record.photo_record(photo).sha256 for photo in person.photos)
    return job.options == person.options and given == sorted(photo.sha256 for photo in job.photos)


def to_do(place: Place, retry: bool) -> bool:
    """Whether there is work on a person: what failed is tried again on `retry`, or when its row was changed."""
    job = place.job()
    if job is None or is_active(job) or job.status == record.CANCELLED:
        return True
    return job.status == record.FAILED and (retry or not _asks_for(job, place.person))


def queue(place: Place) -> None:
    """Write down that a person's job is to be begun, from its checkpoint where it has one; nobody works on it.

    Nothing happens to one that is done. Raises UserError when the folder cannot be written, or a photo cannot be read.
    """
    person = place.person
    with claim(place.folder):
        old = read_job(place.folder)
        (place.folder / CANCEL).unlink(missing_ok=True)
        if old is None or old.refused and not (has_checkpoints(place.folder) and _asks_for(old, person)):
            keep_only_record(place.folder)
            write_job(place.folder, record.new_job(list(person.photos), person.options))
        elif old.status != record.DONE:
            again = replace(old, status=record.QUEUED, queued=record.now(), ended="", error=None, machine="")
            write_job(place.folder, again)


def give_up(place: Place, status: str, error: JobError | None = None) -> None:
    """Write down the end of a job whose worker could not; nothing happens where one works on it, or it is over."""
    if not place.folder.is_dir() or (lock := try_lock(place.folder / LOCK, patience=0.5)) is None:
        return
    with lock:
        if (job := place.job()) and is_active(job):
            write_job(place.folder, record.ended(job, status, error))
