"""The pipeline as a job runs it: with the run folder's checkpoints."""

from collections.abc import Iterator
from pathlib import Path

from idto3d.config import HeadOptions
from idto3d.events import Event


def create_head(photos: list[Path], options: HeadOptions, folder: Path, resume: bool) -> Iterator[Event]:
    """`pipeline.create_head` with checkpoints in `folder`/checkpoints."""
    from idto3d import pipeline  # loads torch: only when the work begins, so that refusals are quick
    from idto3d.jobs.checkpoint import Checkpointer

    checkpoints = Checkpointer(folder / "checkpoints", options.checkpoint_seconds)
    return pipeline.create_head(photos, options, folder, checkpoints, resume)
