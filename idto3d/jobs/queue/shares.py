"""How much of the queue one visitor may take, and all of them together."""

import hashlib
import secrets
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from idto3d.errors import UserError
from idto3d.jobs.limits import Limits
from idto3d.jobs.record import Job

HOUR = 3600.0


class Shares:
    """Who has handed in how much. Names of visitors are digests with a salt that ends with this process."""

    def __init__(self, limits: Limits):
        self.limits = limits
        self._salt = secrets.token_bytes(16)
        self._gate = threading.Lock()
        self._coming = Counter()  # handed in at this moment and not on the disk yet
        self._started: dict[tuple[str, bool], deque[float]] = defaultdict(deque)

    def name(self, visitor: str) -> str:
        """What is kept of a visitor: 16 hexadecimal digits that say nothing; empty for nobody."""
        return hashlib.blake2b(visitor.encode(), digest_size=8, key=self._salt).hexdigest() if visitor else ""

    @contextmanager
    def place(self, name: str, active: Callable[[], Sequence[Job]], edit: bool = False) -> Iterator[None]:
        """A place in the queue for a job of the visitor called `name`, while it is written down.

        Edits, which take seconds, are counted by the hour apart from the others.

        `active` tells the jobs queued or running; it is asked when no other place is being taken, so that one just
        written down is not missed. Raises UserError when the visitor, or everybody, has too many.
        """
        with self._gate:
            self._check(name, active(), edit)
            self._coming[name] += 1
            self._started[name, edit].append(time.monotonic())
        try:
            yield
        except BaseException:
            with self._gate:
                self._started[name, edit].pop()
            raise
        finally:
            with self._gate:
                self._coming[name] -= 1

    def _check(self, name: str, active: Sequence[Job], edit: bool) -> None:
        everybody = len(active) + self._coming.total()
        if everybody >= self.limits.total_jobs:
            raise UserError(f"{everybody} jobs are waiting already.", "Try again when some of them are done.")
        own = sum(job.visitor == name for job in active) + self._coming[name]
        if own >= self.limits.visitor_jobs:
            what = f"You have {own} {'job' if own == 1 else 'jobs'} waiting or at work already."
            raise UserError(what, "Wait until one is done, or cancel one.")
        self._check_hour(name, edit)

    def _check_hour(self, name: str, edit: bool) -> None:
        since = time.monotonic() - HOUR
        for kind, times in tuple(self._started.items()):
            while times and times[0] <= since:
                times.popleft()
            if not times:
                del self._started[kind]
        most = self.limits.visitor_edits_an_hour if edit else self.limits.visitor_jobs_an_hour
        if len(started := self._started[name, edit]) >= most:
            minutes = -(-(started[0] - since) // 60)
            what = f"You have started {len(started)} {'edits' if edit else 'jobs'} within an hour."
            raise UserError(what, f"Try again in {minutes:.0f} {'minute' if minutes == 1 else 'minutes'}.")
