"""Whole heads in seconds, and what they leave."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from idto3d import pipeline
from idto3d.config import ExportOptions, HeadOptions, MaterialOptions, ShapeOptions
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.stages import fit


def small(tiny_bundle, carrier="template"):
    """A whole head in seconds: five steps of each stage."""
    return HeadOptions(
        weights=str(tiny_bundle),
        device="cpu",
        expressions=("neutral", "mouth stretch"),
        preview_every=1,
        preview_size=32,
        checkpoint_seconds=0.0,
        shape=ShapeOptions(carrier=carrier, resolution=20, steps=5, image_size=32, refresh=2),
        material=MaterialOptions(steps=5, image_size=32, refine_steps=1),
        export=ExportOptions(faces=400, texture_size=64, render_size=32),
    )


def brief(options):
    """The same with a step of each stage, for what does not depend on how many there are."""
    return replace(options, shape=replace(options.shape, steps=1), material=replace(options.material, steps=1))


@contextmanager
def few_expressions():
    """Fits make the expressions that are asked for, in place of all 64: a fifth of the work on a small head."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fit, "all_expressions", lambda asked: asked)
        yield


def run(options, folder, photos=()):
    """The events of a head that is made in `folder` with the expressions that are asked for."""
    with few_expressions():
        yield from run_whole(options, folder, photos)


def run_whole(options, folder, photos=()):
    """The same with all expressions, as users get it."""
    checkpoints = Checkpointer(folder / "checkpoints", options.checkpoint_seconds)
    return pipeline.create_head(list(photos), options, folder, checkpoints)


def files(folder):
    """The bytes of everything a run leaves, by name."""
    kept = (p for p in sorted(folder.rglob("*")) if p.is_file() and "checkpoints" not in p.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def everything(stage):
    """All events of a stage, and what it returns."""
    events = []
    while True:
        try:
            events.append(next(stage))
        except StopIteration as end:
            return events, end.value
