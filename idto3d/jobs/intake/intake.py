"""Where photos are looked at as soon as they are given, in turn between visitors, and forgotten with them."""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from idto3d.config import SubjectOptions, as_json
from idto3d.errors import UserError
from idto3d.jobs.clerk.clerk import Work
from idto3d.jobs.clerk.office import IDLE, Full, Office, Terms
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.subject.images import shown_name
from idto3d.subject.verdict.facts import Seen, from_plain, refused
from idto3d.subject.verdict.judge import Verdicts, judged

LOOKING = Work("idto3d.jobs.intake.process", "looker")
PAUSE = 0.1  # seconds
BROKEN = UserError("This photo could not be looked at.", "Save it anew as JPEG, or leave it out.")


class Intake:
    """Looks at photos in a process of its own, which keeps its networks and what it saw until it rests."""

    def __init__(self, limits: Limits = LOCAL, work: Work = LOOKING):
        self.limits = limits
        self._office = Office(work, terms_of(limits))
        self._options = replace(SubjectOptions(), max_megabytes=limits.photo_megabytes)
        self._lock = threading.Lock()
        self._newest: dict[str, int] = {}
        self._number = 0

    def verdicts(self, photos: Sequence[Path], visitor: str = "", page: str = "") -> Iterator[Verdicts]:
        """What is said of `photos`: first that they wait, then more after each of them; the last is all there is.

        It ends early when the same `page` of a visitor (any text) asks anew. Raises UserError for more photos than may
        be given.
        """
        most = min(self.limits.photos, self._options.max_photos)
        if len(photos) > most:
            raise UserError(f"{len(photos)} photos are more than the {most} that help.", "Choose the sharpest ones.")
        names, seen = [shown_name(photo) for photo in photos], []
        ticket, last = self._ticket(f"{visitor} {page}"), self._ticket(visitor)
        try:
            yield judged(seen, names)
            for photo in photos:
                seen.append(self._look(photo, visitor, last))
                if not self._is_newest(*ticket):
                    return
                yield judged(seen, names[len(seen) :])
        finally:
            self._done(*ticket)
            self._done(*last)

    def open(self) -> None:
        """Begin the process ahead of the first photo; nothing happens when it is there."""
        self._office.open()

    def forget(self) -> None:
        """Forget everything that was seen; photos that wait are looked at all the same."""
        self._office.clear()

    def rest(self, idle: float = IDLE) -> None:
        """End the process, and with it all that it saw, when nothing was asked for that many seconds."""
        self._office.rest(idle)

    def _look(self, photo: Path, visitor: str, last: tuple[str, int]) -> Seen:
        """What one photo shows; one that breaks what looks at it is refused, and hinders no other."""
        question = {"photo": str(photo), "options": as_json(self._options)}
        try:
            said, pictures = self._answer(photo, question, visitor, last)
        except UserError as error:
            return refused(shown_name(photo), error)
        except RuntimeError:
            return refused(shown_name(photo), BROKEN)
        return Seen(from_plain(said["look"]), pictures[: said["crop"]], pictures[said["crop"] :])

    def _answer(self, photo: Path, question: dict, visitor: str, last: tuple[str, int]) -> tuple[dict, bytes]:
        """The answer; the newest that a visitor asks waits until older looks of that visitor leave room."""
        while True:
            try:
                return self._office.ask(photo, question, visitor)
            except Full:
                if not self._is_newest(*last):
                    raise
            time.sleep(PAUSE)

    def _ticket(self, who: str) -> tuple[str, int]:
        with self._lock:
            self._number += 1
            self._newest[who] = self._number
            return who, self._number

    def _is_newest(self, who: str, number: int) -> bool:
        with self._lock:
            return self._newest.get(who) == number

    def _done(self, who: str, number: int) -> None:
        with self._lock:
            if self._newest.get(who) == number:
                del self._newest[who]


def terms_of(limits: Limits) -> Terms:
    """How much may be looked at."""
    return Terms(
        thing="photo",
        seconds=limits.look_seconds,
        visitor=limits.visitor_looks,
        total=limits.total_looks,
        smaller="Save the photo smaller, or leave it out.",
        gone=("This photo was removed.", "Add it again."),
    )
