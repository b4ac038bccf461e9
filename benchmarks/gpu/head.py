"""A short head from words through the whole pipeline to its GLB, with networks of the published size."""

import time
from collections import defaultdict

import numpy as np

from benchmarks.gpu.part import Found, Host, forget_peak
from benchmarks.gpu.steps import EXPRESSIONS
from benchmarks.sd15_step import peak_bytes
from idto3d.config import ExportOptions, HeadOptions, MaterialOptions, ShapeOptions
from idto3d.events import Finished, Notice, StageStarted, StepDone
from idto3d.export.gltf.load import load_asset
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.pipeline import create_head


def head(here: Host) -> Found:
    """Make a head of words; checked are its GLB and that its steps were finite."""
    options, folder = _options(here), here.scratch / "head"
    forget_peak(here.device)
    begun, stages, finite, notices, glb = time.monotonic(), defaultdict(list), [], [], None
    for event in create_head([], options, folder, Checkpointer(folder / "checkpoints", options.checkpoint_seconds)):
        if isinstance(event, StageStarted | StepDone):
            stages[event.stage].append(time.monotonic() - begun)
        if isinstance(event, StepDone):
            finite.append(event.losses.get("finite", 1.0) == 1.0)
        elif isinstance(event, Notice):
            notices.append(event.text)
        elif isinstance(event, Finished):
            glb = event.glb
    figures = {
        "seconds": round(time.monotonic() - begun, 1),
        "stages": {name: _pace(times) for name, times in stages.items()},
        "peak_bytes": peak_bytes(here.device),
        "notices": notices,
    }
    asset = None if glb is None else load_asset(folder)
    return Found(figures | _about(glb), _checks(asset, finite))


def _options(here: Host) -> HeadOptions:
    """A head in few steps at the size of the guidance, or with the sizes of the tests."""
    steps, size = (2, 32) if here.tiny else (20, 512)
    small = ExportOptions(texture_size=64, render_size=32) if here.tiny else ExportOptions()
    return HeadOptions(
        weights=str(here.weights()),
        device=here.device.type,
        prompt="a person with short hair",
        expressions=EXPRESSIONS,
        preview_every=1000,
        preview_size=32 if here.tiny else 256,
        shape=ShapeOptions(steps=steps, image_size=size),
        material=MaterialOptions(steps=steps, image_size=size, refine_steps=1),
        export=small,
    )


def _pace(times: list[float]) -> dict:
    """Steps a second from the second step on, since the first one warms up."""
    steps, spent = len(times) - 2, times[-1] - times[1] if len(times) > 1 else 0.0
    return {"seconds": round(times[-1] - times[0], 2), "steps_per_second": round(steps / spent, 2) if spent else None}


def _about(glb) -> dict:
    return {"glb_bytes": 0 if glb is None else glb.stat().st_size}


def _checks(asset, finite: list[bool]) -> dict[str, bool]:
    parts = () if asset is None else asset.mesh.parts
    return {
        "glb_is_whole": bool(parts) and all(np.isfinite(part.positions).all() for part in parts),
        "most_steps_finite": sum(finite) > 0.8 * len(finite),
    }
