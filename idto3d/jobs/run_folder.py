"""The run folder: one job in one private folder, worked on by one process at a time.

    job.json         what was asked, where it stands, how it ended (record.py)
    events.jsonl     what it reported (event_log.py)
    subject/         crops of the faces that were found
    photos/          copies of the photos, only in jobs started from the page, removed when the run is done
    clip/            a copy of the clip that the head is being animated from, removed as soon as that ends
    checkpoints/     checkpoint.py, removed when the run is done
    head.safetensors the finished head, written by the pipeline: what further work starts from, without photos
    saved/           its tensors, in files that versions share as far as they have the same
    head.glb textures/ renders/ expressions/     the asset; head_lod1.glb, head_lod2.glb, head.obj, head.mtl and
                                                 head.usdz where an export was asked for them
    versions/        history/, from the first edit on: each version whole in a folder of its own, state.json for which
                     one is current. The saved head and the asset above are those of that one, links where possible
    animations/      animations/, each in a folder of its own

Photos, clips, crops, checkpoints, and the face embedding in each head.safetensors are biometric data: the folder is
0700, privacy/traces.py removes all of it, and a run that is refused before its first checkpoint keeps none of it.
"""

import logging
import shutil
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from idto3d.config import EditOptions, HeadOptions, as_json
from idto3d.errors import UserError
from idto3d.events import Event, Notice
from idto3d.files import PART, private_folder, remove
from idto3d.jobs import record
from idto3d.jobs.checkpoint import Checkpointer, Losses
from idto3d.jobs.event_log import EventLog, note_failure, read_progress
from idto3d.jobs.faults import gone, identity, refusal_of, told
from idto3d.jobs.lock import FileLock, is_locked, try_lock
from idto3d.jobs.pace.paces import planned
from idto3d.jobs.record import Job, JobError, read_job, write_job
from idto3d.stages.edit.carried_mask import brief

Work = Callable[[Path, Job, Checkpointer], Iterator[Event]]  # of a claimed folder; see produce.produce
LOCK = ".lock"
PHOTOS = "photos"
CHECKPOINTS = "checkpoints"
HEAD, SAVED = "head.safetensors", "saved"
GLB = "head.glb"
FREE_BYTES = 1 << 30
RESERVE = ".reserve"  # given back when the disk is full, so that job.json can still say so
RESERVE_BYTES = 1 << 16

log = logging.getLogger(__name__)


def claim(folder: Path) -> FileLock:
    """Take the run folder for this process, making it 0700. Raises UserError when another process works there."""
    try:
        private_folder(folder)
        lock = try_lock(folder / LOCK)
    except OSError as error:
        what = f"The folder '{folder}' cannot be written ({error.strerror})."
        raise UserError(what, "Choose another folder, or change its rights.") from None
    if lock is None:
        raise _busy(folder)
    for part in [entry for entry in folder.rglob(".*.part") if PART.fullmatch(entry.name)]:
        remove(part)  # of a process that was killed as it wrote
    return lock


def _busy(folder: Path) -> UserError:
    return UserError(f"Another process works in '{folder}'.", "Wait for it, cancel it, or choose another folder.")


def check_new(folder: Path) -> None:
    """Raise UserError when a new run in `folder` would lose something: a run that was not refused, or other files."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UserError(f"'{folder}' is a file.", "Choose another folder.")
    job = read_job(folder)
    if job is None and any(entry.name != LOCK and not PART.fullmatch(entry.name) for entry in folder.iterdir()):
        raise UserError(f"The folder '{folder}' holds other files.", "Choose an empty or a new folder.")
    if job is not None and not job.refused:
        what = f"'{folder}' already holds a run ({standing(folder, job)})."
        raise UserError(what, "Choose another folder, or add --resume.")


def standing(folder: Path, job: Job) -> str:
    """The status of `job` in words that hold also where its process died without a word."""
    died = record.is_active(job) and job.started and not is_locked(folder / LOCK)
    return "stopped before it was done" if died else job.status


def check_disk(folder: Path) -> None:
    """Raise UserError when less than 1 GiB is free where `folder` lies."""
    if (free := shutil.disk_usage(folder).free) < FREE_BYTES:
        raise UserError(
            f"Only {free >> 20} MB are free on the disk of '{folder}'.", "Free 1 GB or choose another disk."
        )


def begin(folder: Path, photos: list[Path], options: HeadOptions) -> tuple[FileLock, Job]:
    """Claim `folder` for a new run, which inherits nothing of a refused one.

    Raises UserError, having changed nothing, when that cannot be.
    """
    check_new(folder)
    job = record.new_job(photos, options)
    lock = claim(folder)
    try:
        check_new(folder)
        with told(folder):
            keep_only_record(folder)
            write_job(folder, job)
    except BaseException:
        lock.release()
        raise
    return lock, job


def take_up(folder: Path) -> tuple[FileLock, Job]:
    """Claim the run in `folder` to continue it. Raises UserError when there is none, or a photo has changed."""
    resumable(folder)
    lock = claim(folder)
    try:
        return lock, resumable(folder)
    except BaseException:
        lock.release()
        raise


def resumable(folder: Path) -> Job:
    """The job that can be continued in `folder`. Raises UserError when there is none, or a photo has changed."""
    job = read_job(folder)
    if job is None:
        raise UserError(f"There is no run in '{folder}'.", "Leave --resume out to start one.")
    if job.status == record.DONE or job.before is not None:
        raise UserError(f"The run in '{folder}' is done.", "Choose another folder for a new one.")
    if job.kind != record.GENERATE:
        raise UserError(f"The edit in '{folder}' was stopped before it was done.", "Ask for it again, elsewhere.")
    for photo in job.photos:
        if not Path(photo.path).is_file() or record.photo_record(Path(photo.path)).sha256 != photo.sha256:
            raise UserError(f"The photo '{photo.name}' is gone or has changed.", "Put it back, or start a new run.")
    return job


def reopen(folder: Path, kind: str, options: HeadOptions, edits: tuple[EditOptions, ...] = ()) -> tuple[FileLock, Job]:
    """Claim the finished run in `folder` for further work. Raises UserError, having changed nothing, as `finished`."""
    finished(folder)
    lock = claim(folder)
    try:
        return lock, record.further_job(finished(folder), kind, options, edits)
    except BaseException:
        lock.release()
        raise


def finished(folder: Path) -> Job:
    """The job of the finished head in `folder`. Raises UserError when there is none, or none that can be opened."""
    job = read_job(folder)
    if job is None:
        raise UserError(f"There is no run in '{folder}'.", "Generate a head first.")
    job = job.before or job
    if job.status != record.DONE and is_locked(folder / LOCK):
        raise _busy(folder)
    if job.status != record.DONE:
        what = f"The run in '{folder}' is not done ({standing(folder, job)})."
        raise UserError(what, "Finish it with generate --resume.")
    if not (folder / HEAD).is_file():
        raise UserError(f"The run in '{folder}' has no {HEAD}.", "Generate the head again, in another folder.")
    return job


def perform(folder: Path, job: Job, work: Work, resume: bool = False) -> Generator[Event, None, None]:
    """Do the `work` of `job` in a claimed folder, recording and passing on its events.

    job.json always says how it ended: done; failed, with the error; cancelled, when this generator is closed or the
    process is interrupted, and failed where that was because its time was up. A refusal before the first checkpoint
    leaves nothing but job.json, and checkpoints and copies of photos go when the run is done. Further work that does
    not end well leaves the job before it, and the head. Errors are raised again.
    """
    job, place = record.begun(job), identity(folder)
    again = Losses(read_progress(folder)) if resume else Losses()
    try:
        check_disk(folder)
        (folder / RESERVE).write_bytes(bytes(RESERVE_BYTES))
        write_job(folder, job)
        story = EventLog(folder, resume or job.before is not None, _asked(job))
        if job.kind == record.GENERATE:
            story.plan(planned(folder.parent, job.options, len(job.photos)))
        checkpoints = Checkpointer(folder / CHECKPOINTS, job.options.checkpoint_seconds)
        events = work(folder, job, checkpoints)
        try:
            for event in events:
                if identity(folder) != place:
                    raise gone(folder)
                for said in (*map(Notice, (*checkpoints.skipped(), *again.before(event))), event):
                    story.append(said)
                    yield said
        finally:
            _close(events)
        remove(folder / RESERVE)
        write_job(folder, record.ended(job, record.DONE))
        checkpoints.clear()
        remove(folder / PHOTOS)
    except (GeneratorExit, KeyboardInterrupt) as stop:
        if job.before is not None and isinstance(stop, record.TimeUp):
            _tell_why(folder, place, record.as_further(job, record.time_up(job)))
        _leave(folder, place, record.stopped(job, stop))
        raise
    except Exception as error:
        refusal = refusal_of(error, folder, has_checkpoints(folder))
        reason = record.as_further(job, fault(error)) if refusal is None else JobError(refusal.what, refusal.remedy)
        ours = refusal is None or job.before is not None or has_checkpoints(folder)
        if job.before is not None:
            _tell_why(folder, place, reason)
        _leave(folder, place, record.ended(job, record.FAILED, reason), only_record=not ours)
        if refusal is None or refusal is error:
            raise
        raise refusal from error


def _asked(job: Job) -> dict:
    """What further work is asked for, for the log; nothing for a head that is generated."""
    edits = [as_json(brief(edit)) for edit in job.edits]
    return {"kind": job.kind, "edits": edits} if job.before is not None else {}


def give_up(folder: Path, why: JobError) -> None:
    """Say `why` the job of `folder` ended that waits, or whose process died. Nothing happens where it is over.

    Raises UserError where a process works there.
    """
    with claim(folder):
        job, place = read_job(folder), identity(folder)
        if job is None or not record.is_active(job):
            return
        if job.before is not None:
            _tell_why(folder, place, record.as_further(job, why))
        _leave(folder, place, record.ended(job, record.FAILED, why))


def _tell_why(folder: Path, place: tuple[int, int] | None, why: JobError) -> None:
    """Say in the log why further work did not end well, before the record is that of the head again, which is done."""
    if identity(folder) != place:
        return
    try:
        remove(folder / RESERVE)
        note_failure(folder, why.what, why.remedy)
    except OSError as error:
        log.warning("why the work in %s ended could not be written: %s", folder, error)


def _leave(folder: Path, place: tuple[int, int] | None, job: Job, only_record: bool = False) -> None:
    """Say in job.json how the work ended, unless the folder is gone, which is not made again, or refuses that too."""
    if identity(folder) != place:
        return
    try:
        remove(folder / RESERVE)
        write_job(folder, job)
        if not record.is_active(job):
            remove(folder / record.CLIP)
        if only_record:
            keep_only_record(folder)
    except OSError as error:
        log.warning("how the run in %s ended could not be written: %s", folder, error)


def fault(error: Exception) -> JobError:
    """The record of a fault of ours, traceback and all."""
    what = f"Something broke inside idto3d ({type(error).__name__}: {error})."
    return JobError(what, "Try to resume; if it happens again, please report it.", traceback.format_exc())


def keep_only_record(folder: Path) -> None:
    """Remove everything a refused run wrote but job.json."""
    for entry in folder.iterdir():
        if entry.name not in (record.FILE, LOCK):
            remove(entry)


def has_checkpoints(folder: Path) -> bool:
    """Whether a run can go on from somewhere."""
    return any((folder / CHECKPOINTS).glob("*.json"))


def _close(events: Iterator[Event]) -> None:
    close = getattr(events, "close", None)
    if close is not None:
        close()
