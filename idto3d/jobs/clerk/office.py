"""Questions answered one at a time, by a process of its own, in turn between visitors."""

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass, field

from idto3d.errors import UserError
from idto3d.jobs.clerk.clerk import Clerk, Ended, Work
from idto3d.jobs.queue.line import Waiting, in_turn

IDLE = 120.0  # seconds after which the process ends


@dataclass(frozen=True)
class Terms:
    """How much may be asked, and how that is said.

    thing: what an answer is, "drawing". seconds: the longest that one may take. visitor, total: how many wait or are
    being worked on, of one and of all. smaller: what to do where one took too long. gone: said of what was forgotten.
    """

    thing: str
    seconds: float
    visitor: int
    total: int
    smaller: str
    gone: tuple[str, str]


class Superseded(UserError):
    """A newer question of the same visitor took the place of this one."""

    def __init__(self, thing: str):
        super().__init__(f"A newer {thing} took the place of this one.", "Ask again if you want it.")


class Full(UserError):
    """A visitor has as many questions waiting as may be; there is room when one of them is answered."""


@dataclass(eq=False)
class Place:
    """A place in the line.

    live: of somebody who looks on, and wants the newest answer alone. follows: asks for more of what is answered.
    """

    matter: Hashable
    visitor: str
    live: bool
    follows: bool = False
    since: float = field(default_factory=time.monotonic)
    refused: UserError | None = None


class Office:
    """Answers questions by the `work` of one process, as far as the `terms` go."""

    def __init__(self, work: Work, terms: Terms):
        self.work, self.terms = work, terms
        self._turn = threading.Condition()
        self._line: list[Place] = []
        self._now: Place | None = None
        self._served: dict[str, float] = {}
        self._clerk: Clerk | None = None

    def ask(
        self, matter: Hashable, question: dict, visitor: str = "", live: bool = False, follows: bool = False
    ) -> tuple[dict, bytes]:
        """The answer to a `question` about `matter`, as plain JSON and bytes.

        A `live` one supersedes those of the same visitor and matter that wait, and Superseded is raised there. One that
        `follows`, for more of what was answered, is superseded likewise; itself it takes the place of none, and is no
        part of the visitor's share. Raises UserError when that is full, when it takes too long, and where the question
        is refused; RuntimeError where it breaks.
        """
        place = self._enter(Place(matter, visitor, live, follows))
        try:
            self._wait(place)
            return self._ask(place, question)
        finally:
            self._leave(place)

    def open(self) -> None:
        """Begin the process ahead of the first question; nothing happens when it is there."""
        with self._turn:
            if self._now is None:
                self._opened().used = time.monotonic()

    def forget(self, matter: Hashable) -> None:
        """Drop all that is kept of `matter`, and refuse questions about it that wait."""
        with self._turn:
            self._refuse([place for place in self._line if place.matter == matter], UserError(*self.terms.gone))
            if self._clerk and matter in self._clerk.matters:
                self._end()

    def clear(self) -> None:
        """Drop all that is kept of anything; questions that wait, or are being answered, are answered anew."""
        with self._turn:
            self._end()

    def rest(self, idle: float = IDLE) -> None:
        """End the process when nothing was asked for that many seconds."""
        with self._turn:
            if self._clerk and self._now is None and time.monotonic() - self._clerk.used >= idle:
                self._end()

    def _enter(self, place: Place) -> Place:
        thing = self.terms.thing
        with self._turn:
            own = [other for other in self._line if other.visitor == place.visitor and not other.refused]
            if place.live:
                waiting = [other for other in own if other is not self._now]
                self._refuse(older := _older(waiting, place, self.terms.visitor), Superseded(thing))
                own = [other for other in waiting if other not in older]
            count = sum(not other.follows for other in own)
            if count >= self.terms.visitor and not place.follows:
                some = f"{count} {thing}s wait" if count > 1 else f"A {thing} waits"
                raise Full(f"{some} for you already.", "Ask again when it is there.")
            if len(self._line) >= self.terms.total:
                raise UserError(f"Too many {thing}s wait already.", "Try again in a moment.")
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

    def _ask(self, place: Place, question: dict) -> tuple[dict, bytes]:
        """Ask, again from the beginning where the process was ended for another's sake."""
        while True:
            with self._turn:
                clerk = self._opened()
            try:
                return clerk.ask(place.matter, question, self.terms.seconds)
            except Ended as end:
                with self._turn:
                    if died := clerk is self._clerk:  # nobody ended it for another's sake
                        self._end()
                if end.late:
                    what = f"The {self.terms.thing} took longer than {self.terms.seconds:g} seconds."
                    raise UserError(what, self.terms.smaller) from None
                if place.refused:
                    raise place.refused from None
                if died:
                    raise RuntimeError(f"the process of a {self.terms.thing} died") from end

    def _opened(self) -> Clerk:
        if self._clerk is None or not self._clerk.alive():
            self._end()
            self._clerk = Clerk(self.work)
        return self._clerk

    def _end(self) -> None:
        """End the process; who waits for an answer of it is told by its end."""
        if self._clerk:
            self._clerk.kill()
        self._clerk = None


def _older(waiting: list[Place], newest: Place, most: int) -> list[Place]:
    """Those of a visitor's `waiting` questions that a live one takes the place of."""
    same = [place for place in waiting if (place.live or place.follows) and place.matter == newest.matter]
    others = [place for place in waiting if place not in same and not place.follows]
    return same + [place for place in others if place.live][: max(len(others) + 1 - most, 0)]
