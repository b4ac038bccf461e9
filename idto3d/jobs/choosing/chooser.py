"""Where faces and hair are proposed for words: by a process of its own, in turn between visitors."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idto3d.config import HeadOptions, as_json
from idto3d.errors import UserError
from idto3d.events import Candidate
from idto3d.jobs.choosing.process import FACES, HAIR
from idto3d.jobs.clerk.clerk import Work
from idto3d.jobs.clerk.office import IDLE, Office, Terms
from idto3d.jobs.limits import LOCAL, Limits


def proposing(module: str) -> Work:
    """What a process does that proposes by a `module` like ours."""
    return Work("idto3d.jobs.choosing.process", "proposer", (module,))


PROPOSING = proposing("idto3d.candidates")
BROKEN = UserError("These words could not be looked at.", "Try again; the server's log says more.")


@dataclass(frozen=True)
class Proposals:
    """Faces, the best first, and what there is to be said of them in sentences."""

    faces: tuple[Candidate, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class HairProposals:
    """Hair styles and colours by name, the best first, each with a picture [S, S, 3] uint8 sRGB."""

    styles: tuple[tuple[str, np.ndarray], ...] = ()
    colours: tuple[tuple[str, np.ndarray], ...] = ()


class Chooser:
    """Proposes by a process that keeps its networks until it rests."""

    def __init__(self, limits: Limits = LOCAL, work: Work = PROPOSING):
        self._office = Office(work, terms_of(limits))

    def open(self) -> None:
        """Begin the process ahead of the first question; nothing happens when it is there."""
        self._office.open()

    def propose(
        self, options: HeadOptions, like: Sequence[Sequence[float]] = (), count: int = 9, visitor: str = ""
    ) -> Proposals:
        """`count` faces that `options` let expect, and that are `like` those of such coefficients.

        A newer question of the same visitor supersedes one that waits. Raises UserError as `Office.ask`.
        """
        question = {"options": as_json(options), "wanted": FACES, "like": [list(row) for row in like], "count": count}
        said, pictures = self._asked(FACES, question, visitor)
        rows = zip(said["coefficients"], said["scores"], pictures, strict=True)
        return Proposals(tuple(Candidate(tuple(row), *rest) for row, *rest in rows), tuple(said["notices"]))

    def hair(self, options: HeadOptions, visitor: str = "") -> HairProposals:
        """Hair for the words of `options`, on the head they chose or let expect. Likewise."""
        said, pictures = self._asked(HAIR, {"options": as_json(options), "wanted": HAIR}, visitor)
        count = len(said["styles"])
        styles = zip(said["styles"], pictures[:count], strict=True)
        return HairProposals(tuple(styles), tuple(zip(said["colours"], pictures[count:], strict=True)))

    def _asked(self, matter: str, question: dict, visitor: str) -> tuple[dict, np.ndarray]:
        try:
            said, data = self._office.ask(matter, question, visitor, live=True)
        except RuntimeError:
            raise UserError(BROKEN.what, BROKEN.remedy) from None
        return said, np.frombuffer(data, np.uint8).reshape(said["shape"])

    def rest(self, idle: float = IDLE) -> None:
        """End the process when nothing was asked for that many seconds."""
        self._office.rest(idle)


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
