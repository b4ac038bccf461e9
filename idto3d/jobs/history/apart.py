"""An edit whose result is a run folder of its own: a head without a past, beside the one that it was made of."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from idto3d.config import EditOptions
from idto3d.events import Event, Finished
from idto3d.files import remove, write_atomic
from idto3d.jobs import record
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.jobs.history.store import heals
from idto3d.jobs.lock import FileLock
from idto3d.jobs.record import Job, write_job
from idto3d.jobs.run_folder import Work, begin, finished


def begin_apart(source: Path, folder: Path, edit: EditOptions) -> tuple[FileLock, Job]:
    """Claim `folder` for an edit of the finished head in `source`, which stays as it is. Raises UserError."""
    before = finished(source)
    heals(source)
    lock, job = begin(folder, [], before.options)
    job = replace(job, kind=record.EDIT, photos=before.photos, edits=(edit,))
    write_job(folder, job)
    return lock, job


def work_apart(source: Path, pipeline: str) -> Work:
    """The work of such a job; where it does not end well its folder goes, as nothing can go on from there."""

    def work(folder: Path, job: Job, _checkpoints: Checkpointer) -> Iterator[Event]:
        (edit,) = job.edits
        made = import_module(pipeline)
        try:
            for event in made.edit_head(source, edit, folder):
                if isinstance(event, Finished):
                    for name, picture in filter(None, made.remaining_pictures(folder)):
                        write_atomic(folder / name, picture)
                yield event
        except BaseException:
            remove(folder)
            raise

    return work
