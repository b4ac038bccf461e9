"""Where finished heads are drawn: one at a time, in a process of its own, in turn between visitors."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from idto3d.config import RenderOptions
from idto3d.jobs.clerk.office import IDLE, Office, Terms
from idto3d.jobs.clerk.office import Superseded as Superseded  # who draws here need not know the office
from idto3d.jobs.drawing.drawer import drawing_of
from idto3d.jobs.drawing.process import RenderView
from idto3d.jobs.limits import LOCAL, Limits


class Studio:
    """Draws with `render_view`, a function of a module; `limits` say how long and how much at a time."""

    def __init__(self, render_view: RenderView, limits: Limits = LOCAL):
        self.terms = terms_of(limits)
        self._office = Office(drawing_of(render_view).work(), self.terms)

    def draw(self, folder: Path, options: RenderOptions, visitor: str = "", live: bool = False) -> np.ndarray:
        """The head in `folder`, [S, S, 3] uint8 sRGB.

        A `live` drawing supersedes those of the same visitor and head that wait, and Superseded is raised there. Raises
        UserError when the visitor's share is full, when it takes too long, and as `render_view` does.
        """
        question = {"folder": str(folder), "options": asdict(options)}
        said, picture = self._office.ask(folder, question, visitor, live)
        return np.frombuffer(picture, np.uint8).reshape(said["shape"])

    def head_file(self, folder: Path, version: Path) -> bytes:
        """What the page's viewer reads of a `version`'s folder of the head in `folder`. Raises UserError as `draw`."""
        return self._office.ask(folder, {"head": str(version)}, f"viewer {folder}")[1]

    def light_files(self, lights: Sequence[Path], visitor: str = "") -> list[bytes]:
        """What it reads of lights, .hdr or .exr files. Raises UserError as `draw`, and for one that cannot be read."""
        said, data = self._office.ask(tuple(lights), {"lights": [str(light) for light in lights]}, visitor)
        ends = list(accumulate(said["sizes"], initial=0))
        return [data[start:end] for start, end in pairwise(ends)]

    def open(self) -> None:
        """Begin the process ahead of the first drawing; nothing happens when it is there."""
        self._office.open()

    def forget(self, folder: Path) -> None:
        """Drop all that is kept of a head, and refuse drawings of it that wait."""
        self._office.forget(folder)

    def rest(self, idle: float = IDLE) -> None:
        """End the process when nothing was drawn for that many seconds."""
        self._office.rest(idle)


def terms_of(limits: Limits) -> Terms:
    """How much may be drawn."""
    return Terms(
        thing="drawing",
        seconds=limits.view_seconds,
        visitor=limits.visitor_views,
        total=limits.total_views,
        smaller="Ask for a smaller picture, or try again later.",
        gone=("This head was deleted.", "Make a new one."),
    )
