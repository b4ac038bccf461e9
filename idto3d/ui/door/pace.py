"""How often one visitor may call, and how many requests may be open.

Gradio takes some 15 ms of the one thread that serves everybody for each call, and an open request takes one of the few
files that a process may have open.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from idto3d.jobs.limits import LOCAL
from idto3d.ui.door.refusal import Refusal

TOO_OFTEN = partial(Refusal, 429, "You ask too often; wait a moment.")
TOO_MANY = partial(Refusal, 429, "You have too many requests open; close a page that you do not need.")
BURST_SECONDS = 5.0  # calls saved up while a visitor was quiet
MOST_VISITORS = 10_000


class Pace:
    """Lets `per_second` calls of each visitor pass, and more for a moment after a silence."""

    def __init__(self, per_second: float = LOCAL.visitor_calls_a_second, now: Callable[[], float] = time.monotonic):
        self._each = 1.0 / per_second
        self._now = now
        self._due: dict[str, float] = {}  # when the calls of a visitor would have been over at the pace

    def check(self, visitor: str) -> None:
        """Count a call. Raises Refusal where there were too many."""
        now = self._now()
        due = max(self._due.get(visitor, now), now) + self._each
        if due - now > BURST_SECONDS:
            raise TOO_OFTEN()
        if len(self._due) >= MOST_VISITORS:
            self._due = {who: then for who, then in self._due.items() if then > now}
        self._due[visitor] = due


class Crowd:
    """How many requests of each visitor are being answered, streams included; at most `most`."""

    def __init__(self, most: int = LOCAL.visitor_requests):
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def place(self, visitor: str) -> Iterator[None]:
        """While a request is answered. Raises Refusal where the visitor has too many open."""
        if self._open[visitor] >= self._most:
            raise TOO_MANY()
        self._open[visitor] += 1
        try:
            yield
        finally:
            self._open[visitor] -= 1
            if not self._open[visitor]:
                del self._open[visitor]
