"""Where faces and hair are proposed for words: by a process of its own, in turn between visitors."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from idto3d.config import HeadOptions, as_json
from idto3d.errors import UserError
from idto3d.events import Candidate
from idto3d.jobs.choosing.process import FACES, HAIR
from idto3d.jobs.clerk.clerk import Work
from idto3d.jobs.clerk.office import IDLE, Office, Superseded, Terms
from idto3d.jobs.limits import LOCAL, Limits


def proposing(module: str) -> Work:
    """What a process does that proposes by a `module` like ours."""
    return Work("idto3d.jobs.choosing.process", "proposer", (module,))


PROPOSING = proposing("idto3d.candidates")
BROKEN = UserError("These words could not be looked at.", "Try again; the server's log says more.")


@dataclass(frozen=True)
class Proposals:
    """Faces, the best first, and what there is to be said of them in sentences. `whole`: whether all are there."""

    faces: tuple[Candidate, ...] = ()
    notices: tuple[str, ...] = ()
    whole: bool = True


@dataclass(frozen=True)
class HairProposals:
    """Hair styles and colours by name, the best first, each with a picture [S, S, 3] uint8 sRGB."""

    styles: tuple[tuple[str, np.ndarray], ...] = ()
    colours: tuple[tuple[str, np.ndarray], ...] = ()


class Chooser:
    """Proposes by a process that keeps its networks until it rests."""

    def __init__(self, limits: Limits = LOCAL, work: Work = PROPOSING):
        terms = terms_of(limits)
        self._office, self._thing = Office(work, terms), terms.thing
        self._lock = threading.Lock()
        self._newest: dict[str, int] = {}  # by visitor the last question about faces
        self._number = 0

    def open(self) -> None:
        """Begin the process ahead of the first question; nothing happens when it is there."""
        self._office.open()

    def propose(
        self, options: HeadOptions, like: Sequence[Sequence[float]] = (), count: int = 9, visitor: str = ""
    ) -> Proposals:
        """`count` faces that `options` let expect, and that are `like` those of such coefficients.

        A newer question of the same visitor supersedes one that waits. Raises UserError as `Office.ask`.
        """
        with self._ticket(visitor):
            said, pictures = self._asked(FACES, _question(options, like, count), visitor)
            return Proposals(_candidates(said, pictures), tuple(said["notices"]))

    def proposed(
        self, options: HeadOptions, like: Sequence[Sequence[float]] = (), count: int = 9, visitor: str = ""
    ) -> Iterator[Proposals]:
        """The same as soon as there is one, and again as others come; the last has all of them.

        A newer question of the same visitor supersedes it at any time.
        """
        question, faces, over = _question(options, like, count), (), False
        with self._ticket(visitor) as ticket:
            while not over:
                said, pictures = self._next(ticket, question | {"beyond": len(faces)}, visitor, bool(faces))
                faces = (*faces, *_candidates(said, pictures))
                over = said["over"] or len(faces) >= count
                yield Proposals(faces, tuple(said["notices"]), whole=over)

    def _next(self, ticket: int, question: dict, visitor: str, begun: bool) -> tuple[dict, np.ndarray]:
        """The answer to a question; where it is `begun`, only a newer one about faces takes its place."""
        if self._newest.get(visitor) != ticket:
            raise Superseded(self._thing)
        return self._asked(FACES, question, visitor, follows=begun)

    @contextmanager
    def _ticket(self, visitor: str) -> Iterator[int]:
        """The number of a visitor's newest question about faces, until that is answered."""
        with self._lock:
            self._number += 1
            ticket = self._newest[visitor] = self._number
        try:
            yield ticket
        finally:
            with self._lock:
                if self._newest.get(visitor) == ticket:
                    del self._newest[visitor]

    def hair(self, options: HeadOptions, visitor: str = "") -> HairProposals:
        """Hair for the words of `options`, on the head they chose or let expect. Likewise."""
        said, pictures = self._asked(HAIR, {"options": as_json(options), "wanted": HAIR}, visitor)
        count = len(said["styles"])
        styles = zip(said["styles"], pictures[:count], strict=True)
        return HairProposals(tuple(styles), tuple(zip(said["colours"], pictures[count:], strict=True)))

    def _asked(self, matter: str, question: dict, visitor: str, follows: bool = False) -> tuple[dict, np.ndarray]:
        try:
            said, data = self._office.ask(matter, question, visitor, live=not follows, follows=follows)
        except RuntimeError:
            raise UserError(BROKEN.what, BROKEN.remedy) from None
        return said, np.frombuffer(data, np.uint8).reshape(said["shape"])

    def rest(self, idle: float = IDLE) -> None:
        """End the process when nothing was asked for that many seconds."""
        self._office.rest(idle)


def _question(options: HeadOptions, like: Sequence[Sequence[float]], count: int) -> dict:
    return {"options": as_json(options), "wanted": FACES, "like": [list(row) for row in like], "count": count}


def _candidates(said: dict, pictures: np.ndarray) -> tuple[Candidate, ...]:
    rows = zip(said["coefficients"], said["scores"], pictures, strict=True)
    return tuple(Candidate(tuple(row), *rest) for row, *rest in rows)


def terms_of(limits: Limits) -> Terms:
    """How much may be proposed."""
    return Terms(
        thing="choice of faces",
        seconds=limits.choice_seconds,
        visitor=limits.visitor_choices,
        total=limits.total_looks,
        smaller="Try again when this server has less to do, or press Generate.",
        gone=("This choice was given up.", "Ask again."),
    )
