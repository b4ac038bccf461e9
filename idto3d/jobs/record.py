"""job.json: what work was asked of a run, where it stands, and how it ended."""

import json
import os
import platform
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

from idto3d.config import AnimateOptions, EditOptions, HeadOptions, as_json, from_json, run_options
from idto3d.errors import UserError
from idto3d.files import sha256_of, write_json

STATUSES = QUEUED, RUNNING, DONE, FAILED, CANCELLED = ("queued", "running", "done", "failed", "cancelled")
KINDS = GENERATE, EXPORT, EDIT, ANIMATE = ("generate", "export", "edit", "animate")
FILE = "job.json"
CLIP = "clip"  # folder of a run in which a clip lies as long as it is needed
SCHEMA = 2
LATER = "Press Resume later; what was done is kept."
PACKAGES = ("idto3d", "torch", "diffusers", "transformers", "peft", "numpy", "pillow", "gradio")


@dataclass(frozen=True)
class PhotoRecord:
    """A photo of the run: its file name, where it lay, and the SHA-256 of its bytes."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True)
class ClipRecord:
    """A clip that drives a head: its file, relative to the run folder, what the animation is called, and how."""

    path: str
    name: str
    options: AnimateOptions = AnimateOptions()


@dataclass(frozen=True)
class JobError:
    """Why a run failed. `traceback` is empty when the user can fix it (a refusal)."""

    what: str
    remedy: str
    traceback: str = ""


@dataclass(frozen=True)
class Job:
    """One piece of work in a run folder. Times are UTC in ISO 8601, empty while they have not come.

    `kind` is what is done: a head is generated, or a finished one is edited, or its asset is exported again, or it is
    animated by a `clip`. Further work on a finished head keeps the job `before` it until it is done, so that a head
    stays what it was when the work fails. `edits` are what is asked of a finished head, or of a generated one as soon
    as it is finished, in that order.
    `visitor` is a digest of who asked for it that nobody can undo, `most_seconds` how long it may work at a time (0:
    as long as it takes), `machine` the name of the one where the process `pid` is.
    """

    status: str
    options: HeadOptions
    photos: tuple[PhotoRecord, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    pid: int | None = None
    queued: str = ""
    started: str = ""
    ended: str = ""
    error: JobError | None = None
    kind: str = GENERATE
    before: "Job | None" = None
    visitor: str = ""
    most_seconds: float = 0.0
    machine: str = ""
    edits: tuple[EditOptions, ...] = ()
    clip: ClipRecord | None = None

    @property
    def refused(self) -> bool:
        """Whether the work ended because of something the user can fix."""
        return self.status == FAILED and self.error is not None and not self.error.traceback


class TimeUp(KeyboardInterrupt):
    """Raised inside the work of a job whose time is up; not an Exception, which the work might take for its own."""


class Paused(KeyboardInterrupt):
    """Raised inside the work of a job that stops here and goes on later, from what it saved."""


def is_active(job: Job) -> bool:
    """Whether a job says that it is queued or running."""
    return job.status in (QUEUED, RUNNING)


def age(moment: str) -> float:
    """Seconds since a `moment` of `now`."""
    return (datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds()


def now() -> str:
    """The time in UTC, ISO 8601 with milliseconds; sorts as text."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def new_job(photos: list[Path], options: HeadOptions) -> Job:
    """A queued job that makes a head from `photos`. Raises UserError when a photo cannot be read."""
    records = tuple(photo_record(Path(path)) for path in photos)
    return Job(QUEUED, options, records, installed_versions(), os.getpid(), queued=now())


def further_job(before: Job, kind: str, options: HeadOptions, edits: tuple[EditOptions, ...] = ()) -> Job:
    """A queued job of `kind` on the finished head of the job `before`, with `options` in place of its own."""
    asked = Job(QUEUED, options, before.photos, installed_versions(), os.getpid(), queued=now(), kind=kind)
    return replace(asked, before=before, edits=edits)


def photo_record(path: Path) -> PhotoRecord:
    """The record of a photo file. Raises UserError when it cannot be read."""
    try:
        return PhotoRecord(path.name, str(path.resolve()), sha256_of(path))
    except IsADirectoryError:
        raise UserError(f"'{path}' is a folder, not a photo.", "Give the photo files themselves.") from None
    except OSError:
        raise UserError(f"The photo '{path}' cannot be read.", "Check its name and its rights.") from None


@cache
def installed_versions() -> tuple[tuple[str, str], ...]:
    """Name and version of Python and of those `PACKAGES` that are installed; imports none of them."""
    versions = [("python", platform.python_version())]
    for name in PACKAGES:
        try:
            versions.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    return tuple(versions)


def write_job(folder: Path, job: Job) -> None:
    """Replace job.json, atomically."""
    write_json(folder / FILE, {"schema": SCHEMA, **_as_json(job)})


def _as_json(job: Job) -> dict:
    data = {"status": job.status, "kind": job.kind, "seed": job.options.seed, **asdict(job)}
    plain = {"options": as_json(job.options), "versions": dict(job.versions), "edits": [*map(as_json, job.edits)]}
    return data | plain | {"before": _as_json(job.before) if job.before else None}


def read_job(folder: Path) -> Job | None:
    """The job of a run folder, None when there is none. Raises UserError when it is not one of ours."""
    try:
        data = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        raise UserError(f"'{folder / FILE}' cannot be read.", "Choose another folder.") from None
    try:
        if data["schema"] != SCHEMA:
            raise ValueError(f"schema {data['schema']}, expected {SCHEMA}")
        return _from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"'{folder / FILE}' was written by another version of idto3d ({error})."
        raise UserError(what, "Choose another folder.") from error


def readable_job(folder: Path) -> Job | None:
    """The job of a run folder, None when there is none or when this version cannot read it."""
    try:
        return read_job(folder)
    except UserError:
        return None


def _from_json(data: dict) -> Job:
    """The inverse of `_as_json`. Raises KeyError, TypeError, ValueError or AttributeError for anything else."""
    job = Job(
        status=data["status"],
        options=run_options(data["options"]),
        photos=tuple(PhotoRecord(**photo) for photo in data["photos"]),
        versions=tuple(data["versions"].items()),
        error=JobError(**data["error"]) if data["error"] else None,
        before=_from_json(data["before"]) if data["before"] else None,
        edits=tuple(from_json(EditOptions, edit) for edit in data.get("edits", ())),  # not of old
        clip=_clip_from(data["clip"]) if data.get("clip") else None,
        **{name: data[name] for name in ("pid", "queued", "started", "ended", "kind")},
        **{name: data[name] for name in ("visitor", "most_seconds", "machine") if name in data},  # not of old
    )
    if job.status not in STATUSES or job.kind not in KINDS:
        raise ValueError(f"{job.kind!r} that is {job.status!r}")
    return job


def _clip_from(data: dict) -> ClipRecord:
    return ClipRecord(data["path"], data["name"], from_json(AnimateOptions, data["options"]))


def taken(job: Job) -> Job:
    """`job` as it is when it is this process's."""
    return replace(job, pid=os.getpid(), machine=platform.node())


def begun(job: Job) -> Job:
    """`job` as it is when this process starts to work on it."""
    return replace(taken(job), status=RUNNING, started=now(), ended="", error=None)


def stopped(job: Job, why: BaseException) -> Job:
    """`job` as it is when it was stopped in its midst: queued where it goes on, else cancelled, or failed where its
    time was up."""
    if isinstance(why, Paused):
        return replace(job, status=QUEUED, pid=None)
    return ended(job, FAILED, time_up(job)) if isinstance(why, TimeUp) else ended(job, CANCELLED)


def time_up(job: Job) -> JobError:
    """Why a job ended that took longer than it may."""
    what = f"The job was stopped after {job.most_seconds / 60:g} minutes of work, the longest it may take."
    return JobError(what, "Press Resume to go on from the last checkpoint.")


def without_gpu(said: str) -> JobError:
    """Why a job ended for which the Space gave no GPU; `said` is the Space's reason, a sentence."""
    return JobError(f"The Space gives no GPU for this now: {said}", LATER)


def as_further(job: Job, why: JobError) -> JobError:
    """`why` a `job` ended, with what is to be done where that was further work on a finished head: nothing resumes."""
    if job.before is None:
        return why
    asked = {EXPORT: "export", ANIMATE: "animation"}.get(job.kind, "change")
    when = "later" if not why.traceback else "and report it, please, if this comes back"
    return replace(why, remedy=f"The head is as it was. Ask for the {asked} again {when}.")


def ended(job: Job, status: str, error: JobError | None = None) -> Job:
    """`job` as it is when it is over.

    Of further work on a finished head that is the job before it, which tells how the head was made, with the options
    of what was done.
    """
    if job.before is not None:
        return replace(job.before, options=job.options) if status == DONE else job.before
    return replace(job, status=status, pid=None, ended=now(), error=error, before=None)
