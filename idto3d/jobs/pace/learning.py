"""What a run that is done says of how fast this machine is."""

import json
import logging
from itertools import pairwise
from pathlib import Path

from idto3d.jobs import event_log, record
from idto3d.jobs.pace.paces import calibrated, learned, write_paces
from idto3d.jobs.record import read_job

log = logging.getLogger(__name__)


def learn(folder: Path) -> None:
    """Renew what is known beside the run in `folder` by what its stages took; a run that was resumed says nothing."""
    job = read_job(folder)
    if job is None or job.status != record.DONE or job.kind != record.GENERATE:
        return
    taken = seconds_taken(folder)
    if not taken:
        return
    try:
        root = folder.parent
        write_paces(root, learned(calibrated(root), job.options, len(job.photos), taken))
    except OSError as error:
        log.warning("how long the run took could not be kept: %s", error)


def seconds_taken(folder: Path) -> dict[str, float]:
    """Seconds of each stage of the run in `folder`; none where it was resumed, or what it did further is in its log."""
    events = [_event(line) for line in (folder / event_log.FILE).read_bytes().splitlines()]
    names = [event.get("event") for event in events]
    if event_log.RESUMED in names or names.count("Finished") != 1:
        return {}
    marks = [event for event in events if event.get("event") in ("StageStarted", "Finished")]
    return {one["stage"]: after["time"] - one["time"] for one, after in pairwise(marks) if "stage" in one}


def _event(line: bytes) -> dict:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}
