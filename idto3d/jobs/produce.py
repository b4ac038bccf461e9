"""The kinds of work a job may be. The pipeline is loaded only when one begins, so that refusals are quick."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from idto3d.events import Event
from idto3d.jobs import record
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.jobs.record import Job

PIPELINE = "idto3d.pipeline"


def produce(folder: Path, job: Job, checkpoints: Checkpointer, pipeline: str = PIPELINE) -> Iterator[Event]:
    """What the work of `job` reports as it goes on; `pipeline` names the module that does it, and loading it is slow.

    Raises UserError for what the user can fix.
    """
    return WORK[job.kind](import_module(pipeline), folder, job, checkpoints)


def _generate(pipeline: ModuleType, folder: Path, job: Job, checkpoints: Checkpointer) -> Iterator[Event]:
    photos = [Path(photo.path) for photo in job.photos]
    return pipeline.create_head(photos, job.options, folder, checkpoints)


def _export(pipeline: ModuleType, folder: Path, job: Job, _checkpoints: Checkpointer) -> Iterator[Event]:
    return pipeline.export_head(folder, job.options.export)


WORK = {record.GENERATE: _generate, record.EXPORT: _export}
