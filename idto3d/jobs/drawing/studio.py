"""Where finished heads are drawn: one at a time, in a process of its own, in turn between visitors."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from idto3d.config import RenderOptions
from idto3d.errors import UserError
from idto3d.jobs.drawing.drawer import Drawer, Drawing, Ended
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.jobs.queue.line import Waiting, in_turn

IDLE = 120.0  # seconds after which the process ends
SUPERSEDED = UserError("A newer drawing took the place of this one.", "Ask again if you want it.")
GONE = UserError("This head was deleted.", "Make a new one.")
MANY = UserError("Too many drawings wait already.", "Try again in a moment.")


class Superseded(UserError):
    """A newer drawing of the same visitor took the place of this one."""

    def __init__(self):
        super().__init__(SUPERSEDED.what, SUPERSEDED.remedy)


@dataclass(eq=False)
class Place:
    """A place in the line of drawings. `live`: of somebody who looks on, and wants the newest view alone."""

    folder: Path
    visitor: str
    live: bool
    since: float = field(default_factory=time.monotonic)
    refused: UserError | None = None


class Studio:
    """Draws with `render_view`, a function of a module; `limits` say how long and how much at a time."""

    def __init__(self, render_view: Callable[[Path, RenderOptions], np.ndarray], limits: Limits = LOCAL):
        self.limits = limits
        self._drawing = drawing_of(render_view)
        self._turn = threading.Condition()
        self._line: list[Place] = []
        self._now: Place | None = None
        self._served: dict[str, float] = {}
        self._drawer: Drawer | None = None

    def draw(self, folder: Path, options: RenderOptions, visitor: str = "", live: bool = False) -> np.ndarray:
        """The head in `folder`, [S, S, 3] uint8 sRGB.

        A `live` drawing supersedes those of the same visitor and head that wait, and Superseded is raised there. Raises
        UserError when the visitor's share is full, when it takes too long, and as `render_view` does.
        """
        place = self._enter(Place(folder, visitor, live))
        try:
            self._wait(place)
            return self._draw(place, options)
        finally:
            self._leave(place)

    def open(self) -> None:
        """Begin the process ahead of the first drawing; nothing happens when it is there."""
        with self._turn:
            if self._now is None:
                self._opened().used = time.monotonic()

    def forget(self, folder: Path) -> None:
        """Drop all that is kept of a head, and refuse drawings of it that wait."""
        with self._turn:
            self._refuse([place for place in self._line if place.folder == folder], GONE)
            if self._drawer and folder in self._drawer.folders:
                self._end()

    def rest(self, idle: float = IDLE) -> None:
        """End the process when nothing was drawn for that many seconds."""
        with self._turn:
            if self._drawer and self._now is None and time.monotonic() - self._drawer.used >= idle:
                self._end()

    def _enter(self, place: Place) -> Place:
        with self._turn:
            own = [other for other in self._line if other.visitor == place.visitor and not other.refused]
            if place.live:
                waiting = [other for other in own if other is not self._now]
                self._refuse(older := _older(waiting, place, self.limits.visitor_views), Superseded())
                own = [other for other in waiting if other not in older]
            if len(own) >= self.limits.visitor_views:
                some = f"{len(own)} drawings wait" if len(own) > 1 else "A drawing waits"
                raise UserError(f"{some} for you already.", "Ask again when it is there.")
            if len(self._line) >= self.limits.total_views:
                raise UserError(MANY.what, MANY.remedy)
            self._line.append(place)
            return place

    def _refuse(self, places: list[Place], why: UserError) -> None:
        for place in places:
            place.refused = why
        self._turn.notify_all()

    def _wait(self, place: Place) -> None:
        with self._turn:
            while not place.refused and (self._now or self._next() is not place):
                self._turn.wait()
            if place.refused:
                raise place.refused
            self._now = place
            self._served[place.visitor] = time.monotonic()

    def _next(self) -> Place:
        waiting = [place for place in self._line if not place.refused]
        return in_turn([Waiting(place, place.visitor, place.since) for place in waiting], self._served)[0]

    def _leave(self, place: Place) -> None:
        with self._turn:
            self._line.remove(place)
            if self._now is place:
                self._now = None
            present = {other.visitor for other in self._line} | {place.visitor}
            self._served = {who: when for who, when in self._served.items() if who in present}
            self._turn.notify_all()

    def _draw(self, place: Place, options: RenderOptions) -> np.ndarray:
        """Draw, again from the beginning where the process was ended for another's sake."""
        while True:
            with self._turn:
                drawer = self._opened()
            try:
                return drawer.draw(place.folder, options, self.limits.view_seconds)
            except Ended as end:
                with self._turn:
                    if died := drawer is self._drawer:  # nobody ended it for another's sake
                        self._end()
                if end.late:
                    what = f"The drawing took longer than {self.limits.view_seconds:g} seconds."
                    raise UserError(what, "Ask for a smaller picture, or try again later.") from None
                if place.refused:
                    raise place.refused from None
                if died:
                    raise RuntimeError("the drawing process died") from end

    def _opened(self) -> Drawer:
        if self._drawer is None or not self._drawer.alive():
            self._end()
            self._drawer = Drawer(self._drawing)
        return self._drawer

    def _end(self) -> None:
        """End the process; who waits for an answer of it is told by its end."""
        if self._drawer:
            self._drawer.kill()
        self._drawer = None


def _older(waiting: list[Place], newest: Place, most: int) -> list[Place]:
    """Those of a visitor's `waiting` drawings that a live one takes the place of."""
    live = [place for place in waiting if place.live]
    same = [place for place in live if place.folder == newest.folder]
    return same or live[: max(len(waiting) + 1 - most, 0)]


def drawing_of(render_view: Callable[[Path, RenderOptions], np.ndarray]) -> Drawing:
    """The name of a function of a module, by which another process finds it."""
    if isinstance(render_view, Drawing):
        return render_view
    return Drawing(render_view.__module__, render_view.__qualname__)
