"""What the process that draws finished heads does; see `clerk.process`."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

from idto3d.config import RenderOptions, from_json
from idto3d.jobs.clerk.process import Answer

RenderView = Callable[[Path, RenderOptions], np.ndarray]


def drawer(module: str, function: str) -> Answer:
    """Answers `folder` and `options` with the `shape` of a picture and its bytes, by the function that is named.

    What the page's viewer reads is made by two others of the module: of `head`, a run folder, by `viewer_head`; of
    `lights`, paths, by `viewer_light`, one after the other, with their `sizes`.
    """
    loaded = import_module(module)
    return partial(answer_any, loaded, getattr(loaded, function))


def answer_any(module: ModuleType, render_view: RenderView, question: dict) -> tuple[dict, bytes]:
    """What is said of a drawing, or of files for the viewer. Raises UserError as the functions do."""
    if "head" in question:
        return {}, module.viewer_head(Path(question["head"]))
    if "lights" in question:
        files = [module.viewer_light(Path(path)) for path in question["lights"]]
        return {"sizes": [len(file) for file in files]}, b"".join(files)
    return answer(render_view, question)


def answer(render_view: RenderView, question: dict) -> tuple[dict, bytes]:
    """What is said of one drawing, and its bytes: [S, S, 3] uint8. Raises UserError as `render_view` does."""
    options = options_from(question["options"])
    picture = np.ascontiguousarray(render_view(Path(question["folder"]), options))
    return {"shape": picture.shape}, picture.tobytes()


def options_from(data: dict) -> RenderOptions:
    """The view that was written as JSON."""
    pairs = tuple((name, weight) for name, weight in data["expressions"])
    return from_json(RenderOptions, {**data, "expressions": pairs})
