"""Whole heads in seconds, and what they leave."""

from dataclasses import replace

from idto3d import pipeline
from idto3d.config import ExportOptions, HeadOptions, MaterialOptions, ShapeOptions
from idto3d.jobs.checkpoint import Checkpointer


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


def run(options, folder, photos=()):
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
