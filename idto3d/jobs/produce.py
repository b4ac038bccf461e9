"""The kinds of work a job may be. The pipeline is loaded only when one begins, so that refusals are quick."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from idto3d.events import Event, Finished
from idto3d.files import remove
from idto3d.jobs import record
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.jobs.history.state import VERSIONS
from idto3d.jobs.history.work import as_version, in_place
from idto3d.jobs.record import Job
from idto3d.jobs.run_folder import GLB

PIPELINE = "idto3d.pipeline"


def produce(folder: Path, job: Job, checkpoints: Checkpointer, pipeline: str = PIPELINE) -> Iterator[Event]:
    """What the work of `job` reports as it goes on; `pipeline` names the module that does it, and loading it is slow.

    Raises UserError for what the user can fix.
    """
    return WORK[job.kind](import_module(pipeline), folder, job, checkpoints)


def prepare(pipeline: str) -> None:
    """Load `pipeline` and what it needs for an edit ahead of the first job, which begins the sooner."""
    import_module(pipeline).prepare()


def _generate(pipeline: ModuleType, folder: Path, job: Job, checkpoints: Checkpointer) -> Iterator[Event]:
    photos = [Path(photo.path) for photo in job.photos]
    remove(folder / VERSIONS)  # of a run that was stopped among its edits
    made = pipeline.create_head(photos, job.options, folder, checkpoints)
    if not job.edits:
        return made
    return _then_edited(pipeline, folder, job, made)


def _then_edited(pipeline: ModuleType, folder: Path, job: Job, made: Iterator[Event]) -> Iterator[Event]:
    """A head is made, and then edited in all the ways that were asked for; it is finished once."""
    works = [made, *(as_version(folder, edit, partial(pipeline.edit_head, folder, edit)) for edit in job.edits)]
    for work in works:
        with closing(work) as events:
            for event in events:
                if not isinstance(event, Finished):
                    yield event
    yield Finished(folder, folder / GLB)


def _edit(pipeline: ModuleType, folder: Path, job: Job, _checkpoints: Checkpointer) -> Iterator[Event]:
    (edit,) = job.edits
    return as_version(folder, edit, partial(pipeline.edit_head, folder, edit))


def _export(pipeline: ModuleType, folder: Path, job: Job, _checkpoints: Checkpointer) -> Iterator[Event]:
    make = partial(pipeline.export_head, folder, job.options.export)
    return in_place(folder, make, make)


WORK = {record.GENERATE: _generate, record.EXPORT: _export, record.EDIT: _edit}
