"""The pipeline, loaded only when a job begins, so that refusals are quick."""

from collections.abc import Iterator
from pathlib import Path

from idto3d.config import HeadOptions
from idto3d.events import Event
from idto3d.jobs.checkpoint import Checkpointer


def create_head(
    photos: list[Path], options: HeadOptions, folder: Path, checkpoints: Checkpointer, resume: bool
) -> Iterator[Event]:
    """`pipeline.create_head`; importing it loads torch."""
    from idto3d import pipeline

    return pipeline.create_head(photos, options, folder, checkpoints, resume)
