"""What tests of jobs in slices share."""

from waiting import until

from idto3d.jobs.record import Paused
from idto3d.jobs.space.slices import Bounds

SECONDS = 30.0
AS_IT_WAS = "The head is as it was. Ask for the change again later."


class Counted(Bounds):
    """Bounds that end a slice after so many events: toys do not heed the clock."""

    events, most = 0, 26

    @property
    def asked(self):
        self.events += 1
        stops = super().asked
        if not stops and self.events > self.most:
            self.why = Paused
        return stops or self.why is not None


def over(desk, job_id):
    view = until(lambda: (view := desk.watch(job_id)) and not view.active and view)
    until(lambda: desk.engine.room() == 1)
    return view
