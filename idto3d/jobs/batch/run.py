"""Conducts a batch: begins a worker where an engine has room, begins it again where one died, until all are over."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.batch.standing import Place, give_up, queue, to_do
from idto3d.jobs.engine import Engine
from idto3d.jobs.queue.stopping import stop_worker
from idto3d.jobs.record import JobError, is_active
from idto3d.jobs.worker import CANCEL

PAUSE = 0.1
MOST_DEATHS = 8  # of one person's workers, before the fault is sought in the job
FORLORN = JobError(
    f"Its worker ended {MOST_DEATHS} times before the head was done.",
    "See worker.log in its folder; there may be too little memory for so many workers.",
)

Tell = Callable[[Place], None]  # what to do with a person whose job has just ended


class Conductor:
    """One batch on one engine.

    What it knows beyond the folders is whose workers died how often, and who could not be begun at all (`faults`).
    """

    def __init__(self, places: Sequence[Place], engine: Engine, retry: bool = False):
        self.engine = engine
        self.working = [place for place in places if place.locked()]  # by what an earlier batch began
        self.waiting = [place for place in places if place not in self.working and to_do(place, retry)]
        self.deaths = Counter()
        self.faults: dict[str, JobError] = {}

    def step(self) -> list[Place]:
        """Look after the workers once; returns those whose jobs have ended since."""
        ended = [place for place in self.working if not self._busy(place)]
        self.working = [place for place in self.working if place not in ended]
        over = [place for place in ended if not self._died(place)]
        while self.waiting and self.engine.room() > self._others():
            place = self.waiting.pop(0)
            if not self._begun(place):
                over.append(place)
        return over

    def go_on(self, tell: Tell) -> None:
        """Until all jobs are over."""
        while True:
            for place in self.step():
                tell(place)
            if not (self.waiting or self.working):
                return
            time.sleep(PAUSE)

    def cancel(self) -> None:
        """Stop all workers at once, by force where they do not heed, and write that down."""
        for place in self.working:
            (place.folder / CANCEL).touch()
        if self.working:
            with ThreadPoolExecutor(len(self.working)) as stoppers:
                list(stoppers.map(self._stop, self.working))

    def _stop(self, place: Place) -> None:
        stop_worker(place.folder, self.engine, lambda: self._busy(place) and _active(place))
        give_up(place, record.CANCELLED)

    def _others(self) -> int:
        """Workers that the engine does not know: an earlier batch began them."""
        return sum(not self.engine.working(place.folder) for place in self.working)

    def _busy(self, place: Place) -> bool:
        return self.engine.working(place.folder) or place.locked()

    def _died(self, place: Place) -> bool:
        """Whether a worker ended before its job; the job waits again then, or is given up."""
        if not _active(place):
            return False
        self.deaths[place.person.folder] += 1
        if self.deaths[place.person.folder] >= MOST_DEATHS:
            give_up(place, record.FAILED, FORLORN)
            return False
        self.waiting.append(place)
        return True

    def _begun(self, place: Place) -> bool:
        """Whether a worker was begun; a job that cannot be written down, or is done, is over."""
        try:
            queue(place)
        except UserError as fault:
            self.faults[place.person.folder] = JobError(fault.what, fault.remedy)
            return False
        except OSError as fault:
            what = f"The folder '{place.folder}' cannot be written ({fault.strerror})."
            self.faults[place.person.folder] = JobError(what, "Free some space, or change its rights.")
            return False
        if not _active(place):
            return False
        self.engine.begin(place.folder)
        self.working.append(place)
        return True


def _active(place: Place) -> bool:
    job = place.job()
    return job is not None and is_active(job)
