"""What came of a batch: results.csv."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from idto3d.files import write_atomic
from idto3d.jobs import record
from idto3d.jobs.batch.standing import Place
from idto3d.jobs.event_log import read_progress
from idto3d.jobs.record import Job, JobError
from idto3d.jobs.run_folder import GLB

FILE = "results.csv"
COLUMNS = ("name", "status", "seconds", "likeness", "what", "remedy", "glb")


def write_results(places: Sequence[Place], out: Path, faults: Mapping[str, JobError]) -> Path:
    """A row a person. `seconds` are those of the last spell of work; the GLB's path is seen from `out`.

    `faults` say of folders why nothing could be begun there.
    """
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(COLUMNS)
    table.writerows(_row(place, out, faults.get(place.person.folder)) for place in places)
    return write_atomic(out / FILE, text.getvalue().encode())


def _row(place: Place, out: Path, fault: JobError | None) -> tuple[str, ...]:
    job, glb = place.job(), place.folder / GLB
    error = fault or (job.error if job else None)
    likeness = read_progress(place.folder).likeness
    made = job is not None and job.status == record.DONE and glb.is_file()
    return (
        place.person.name,
        status_of(job),
        _seconds(job) if job else "",
        "" if likeness is None else f"{likeness:.3f}",
        error.what if error else "",
        error.remedy if error else "",
        glb.relative_to(out).as_posix() if made else "",
    )


def status_of(job: Job | None) -> str:
    """How a person stands in a word or two."""
    return job.status if job else "not begun"


def _seconds(job: Job) -> str:
    if not (job.started and job.ended):
        return ""
    return f"{(datetime.fromisoformat(job.ended) - datetime.fromisoformat(job.started)).total_seconds():.1f}"
