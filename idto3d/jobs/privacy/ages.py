"""How old something is when the clock on the wall may be set: it must be old by that, and by real time that passed."""

import time
from collections.abc import Callable

DOUBT = 3600.0  # seconds something must be seen for before its age is believed


def real_seconds() -> float:
    """Seconds that only grow and that nobody sets; they go on while the machine sleeps, where the system can say so."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Ages:
    """Ages by name. A clock that jumps ahead makes nothing older that was seen before the jump.

    What was there before the first look, as after a restart, is believed after `DOUBT` seconds. Of what is from the
    future, since the clock was wrong when it came, only the time for which it was seen counts.
    """

    def __init__(self, clock: Callable[[], float] = real_seconds):
        self._clock = clock
        self._first: dict[str, tuple[float, float]] = {}

    def past(self, name: str, age: float, longest: float) -> bool:
        """Whether what the wall's clock says is `age` seconds old, 0 while it lives, is older than `longest`."""
        if age == 0.0:
            self._first.pop(name, None)
            return longest < 0.0
        moment, then = self._first.setdefault(name, (self._clock(), max(age, 0.0)))
        seen = self._clock() - moment
        return (min(age, then + seen) if age > 0.0 else seen) > longest and seen >= min(DOUBT, max(longest, 0.0))

    def forget(self, name: str) -> None:
        """Drop what is known of `name`."""
        self._first.pop(name, None)
