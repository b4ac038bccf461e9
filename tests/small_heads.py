"""Whole heads in seconds, and what they leave."""

import copy
import json

from idto3d import pipeline
from idto3d.config import ExportOptions, HeadOptions, MaterialOptions, ShapeOptions, as_json
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.stages.fit import fit_head

FITS = {}


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


def run(options, folder, photos=()):
    checkpoints = Checkpointer(folder / "checkpoints", options.checkpoint_seconds)
    return pipeline.create_head(list(photos), options, folder, checkpoints)


def files(folder):
    """The bytes of everything a run leaves, by name."""
    kept = (p for p in sorted(folder.rglob("*")) if p.is_file() and "checkpoints" not in p.parts)
    return {str(path.relative_to(folder)): path.read_bytes() for path in kept}


def fit_once(subject, start, models, options):
    """In place of `pipeline.fit_head`: the same photos, words and options are fitted once, of which all get a copy.

    For tests of what comes after the fit, which takes half of such a run; that it is the same each time is proven in
    tests/stages/test_fit_stage.py.
    """
    face = b"" if subject is None else start.embedding.tobytes()
    key = (json.dumps(as_json(options), sort_keys=True), face)
    if key not in FITS:
        FITS[key] = everything(fit_head(subject, start, models, options))
    events, fitted = copy.deepcopy(FITS[key])
    yield from events
    return fitted


def everything(stage):
    """All events of a stage, and what it returns."""
    events = []
    while True:
        try:
            events.append(next(stage))
        except StopIteration as end:
            return events, end.value
