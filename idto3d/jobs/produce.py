"""The kinds of work a job may be. The pipeline is loaded only when one begins, so that refusals are quick."""

import logging
from collections.abc import Generator, Iterator
from contextlib import closing
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

from idto3d.errors import UserError
from idto3d.events import Event, Finished, Notice
from idto3d.files import remove
from idto3d.jobs import record
from idto3d.jobs.animations.work import as_animation
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.jobs.history.rest import completed
from idto3d.jobs.history.state import VERSIONS, read_state
from idto3d.jobs.history.store import opened, versions
from idto3d.jobs.history.work import as_version, in_place
from idto3d.jobs.record import Job
from idto3d.jobs.run_folder import GLB

PIPELINE = "idto3d.pipeline"
ANIMATION = "animation"  # the module beside the pipeline that animates heads
LEFT_OUT = "left_out"  # the stage under which it is saved how many of a new head's edits were refused

log = logging.getLogger(__name__)


def produce(folder: Path, job: Job, checkpoints: Checkpointer, pipeline: str = PIPELINE) -> Iterator[Event]:
    """What the work of `job` reports as it goes on; `pipeline` names the module that does it, and loading it is slow.

    Raises UserError for what the user can fix.
    """
    return WORK[job.kind](import_module(pipeline), folder, job, checkpoints)


def prepare(pipeline: str) -> None:
    """Load `pipeline` and what it needs for an edit ahead of the first job, which begins the sooner."""
    import_module(pipeline).prepare()


def rest(folder: Path, pipeline: str = PIPELINE) -> Generator[None, None, None]:
    """What there is to do for the head in `folder` when its work is done: pictures of its versions.

    It may be stopped after each; what it cannot do is logged.
    """
    try:
        yield from completed(folder, lambda place: import_module(pipeline).remaining_pictures(place))
    except (UserError, OSError) as fault:
        log.warning("not all pictures of the versions in %s are there: %s", folder, fault)


def _generate(pipeline: ModuleType, folder: Path, job: Job, checkpoints: Checkpointer) -> Iterator[Event]:
    photos = [Path(photo.path) for photo in job.photos]
    if not job.edits:
        return pipeline.create_head(photos, job.options, folder, checkpoints)
    return _then_edited(pipeline, folder, job, checkpoints, photos)


def _then_edited(
    pipeline: ModuleType, folder: Path, job: Job, checkpoints: Checkpointer, photos: list[Path]
) -> Iterator[Event]:
    """A head is made, and then edited in all the ways that were asked for; it is finished once.

    Where a run was stopped among its edits the head is there, and those follow that were not done. An edit that is
    refused is left out, which is said: others may follow it, and the head is worth more than one edit.
    """
    if read_state(folder) is None:
        remove(folder / VERSIONS)  # of a process that ended as it began the history
        yield from _unfinished(pipeline.create_head(photos, job.options, folder, checkpoints))
    opened(folder)
    made, refused = len(versions(folder)) - 1, checkpoints.latest(LEFT_OUT)
    left_out = refused.step if refused else 0
    for edit in job.edits[made + left_out :]:
        try:
            yield from _unfinished(as_version(folder, edit, partial(pipeline.edit_head, folder, edit)))
        except UserError as refusal:
            left_out += 1
            checkpoints.save(LEFT_OUT, left_out, {})
            yield Notice(f"The change '{edit.prompt}' is left out. {refusal.what}")
    yield Finished(folder, folder / GLB)


def _unfinished(work: Iterator[Event]) -> Iterator[Event]:
    """What `work` reports but its end."""
    with closing(work) as events:
        yield from (event for event in events if not isinstance(event, Finished))


def _edit(pipeline: ModuleType, folder: Path, job: Job, _checkpoints: Checkpointer) -> Iterator[Event]:
    (edit,) = job.edits
    return as_version(folder, edit, partial(pipeline.edit_head, folder, edit))


def _export(pipeline: ModuleType, folder: Path, job: Job, _checkpoints: Checkpointer) -> Iterator[Event]:
    make = partial(pipeline.export_head, folder, job.options.export)
    return in_place(folder, make, make)


def _animate(pipeline: ModuleType, folder: Path, job: Job, _checkpoints: Checkpointer) -> Iterator[Event]:
    return as_animation(folder, job.clip, import_module(beside(pipeline.__name__, ANIMATION)).animate)


def beside(module: str, name: str) -> str:
    """The module called `name` in the package of `module`."""
    return ".".join((*module.split(".")[:-1], name))


WORK = {record.GENERATE: _generate, record.EXPORT: _export, record.EDIT: _edit, record.ANIMATE: _animate}
