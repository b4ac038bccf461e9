"""A function that draws, by the name under which another process finds it."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import numpy as np

from idto3d.config import RenderOptions
from idto3d.jobs.clerk.clerk import Work
from idto3d.jobs.drawing.process import RenderView
from idto3d.jobs.produce import PIPELINE


@dataclass(frozen=True)
class Drawing:
    """A function that draws a view of a run folder, [S, S, 3] uint8 sRGB, by name; its module is loaded when called."""

    module: str = PIPELINE
    function: str = "render_view"

    def __call__(self, folder: Path, options: RenderOptions) -> np.ndarray:
        """Draw here."""
        return getattr(import_module(self.module), self.function)(folder, options)

    def work(self) -> Work:
        """What a process does that draws by it."""
        return Work("idto3d.jobs.drawing.process", "drawer", (self.module, self.function))


def drawing_of(render_view: RenderView) -> Drawing:
    """The name of a function of a module, by which another process finds it."""
    if isinstance(render_view, Drawing):
        return render_view
    return Drawing(render_view.__module__, render_view.__qualname__)
