"""The desk where jobs are handed in, watched, cancelled, resumed and deleted. It never runs one itself."""

import logging
import secrets
import shutil
import time
from dataclasses import replace
from pathlib import Path

from idto3d.checks import checked, checked_edit, checked_motion
from idto3d.config import AnimateOptions, EditOptions, ExportOptions, HeadOptions
from idto3d.errors import UserError
from idto3d.files import private_folder
from idto3d.jobs import event_log, record
from idto3d.jobs.animations.clip import check_clip, drop_clip, drop_stray, hand_in, or_taken_back
from idto3d.jobs.engine import Engine, local_engine
from idto3d.jobs.event_log import Progress, read_progress
from idto3d.jobs.history.changes import drop, listed, redo, rename, steps, switch, undo
from idto3d.jobs.history.store import heals, place_of, versions
from idto3d.jobs.history.version import Steps, Version
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.jobs.privacy.ages import Ages
from idto3d.jobs.privacy.traces import Traces, erase
from idto3d.jobs.produce import PIPELINE
from idto3d.jobs.queue.dispatcher import BUSY, DIED, Dispatcher
from idto3d.jobs.queue.handed import check_photos, check_versions, copies
from idto3d.jobs.queue.records import JOB_ID, Records
from idto3d.jobs.queue.shares import Shares
from idto3d.jobs.queue.stopping import mark_cancelled, stop_worker, wait_until_free
from idto3d.jobs.queue.view import JobView, view_of
from idto3d.jobs.record import Job, JobError, is_active, read_job, readable_job, write_job
from idto3d.jobs.run_folder import PHOTOS, check_disk, finished, resumable
from idto3d.jobs.worker import CANCEL
from idto3d.stages.edit.carried_mask import carried

GONE = UserError("This job no longer exists.", "Start a new one.")
UNREAD = JobError("The photos were not taken over to the end.", "Start a new job.")

log = logging.getLogger(__name__)


class Desk:
    """Jobs under one runs root. An id is unguessable, and knowing it is the right to the job.

    Without an `engine` one job at a time is worked on, by a process of this machine; `pipeline` names the module that
    does the work there.
    """

    def __init__(self, root: Path, pipeline: str = PIPELINE, limits: Limits = LOCAL, engine: Engine | None = None):
        self.root = private_folder(root)
        self.limits = limits
        self.engine = engine or local_engine(self.root, pipeline)
        self.records = Records(self.root)
        self.shares = Shares(limits)
        self.dispatcher = Dispatcher(self.records, self.engine)
        self._progress: dict[str, Progress] = {}
        self.ages = Ages()

    def start(
        self, photos: list[Path], options: HeadOptions, visitor: str = "", edits: tuple[EditOptions, ...] = ()
    ) -> str:
        """Copy the photos into a new job and queue it; returns its id. Raises UserError when it cannot be queued.

        `visitor` says who asks; nothing of it is kept but a digest. `edits` follow as soon as the head is finished, and
        are versions of their own.
        """
        check_photos(photos, options, self.limits)
        check_versions(len(edits), self.limits)
        check_disk(self.root)
        job_id, who = secrets.token_urlsafe(16), self.shares.name(visitor)
        folder = self.root / job_id
        with self.shares.place(who, self._active):
            private_folder(folder)
            try:
                early = replace(record.new_job([], options), visitor=who)  # so that what a crash leaves is reaped
                write_job(folder, record.ended(early, record.FAILED, UNREAD))
                job = record.new_job(copies(photos, folder / PHOTOS), options)
                self._queue(folder, replace(job, visitor=who, edits=edits))
            except BaseException:
                shutil.rmtree(folder)
                raise
        return job_id

    def dispatch(self) -> None:
        """See to it that queued jobs are begun, also those that an earlier page left."""
        self.dispatcher.nudge()

    def watch(self, job_id: str, lends: bool = True) -> JobView:
        """How a job stands. Raises UserError when there is no such job.

        `lends`: whether who looks is somebody on whose behalf the job may go on, see `Engine.asked`.
        """
        folder = self.folder(job_id)
        if lends:
            self.engine.asked(folder)
        said = self._job(folder)
        job = self._honest(folder, said)
        if job.status == record.DONE:
            heals(folder)
            drop_stray(folder)
        progress = self._progress[job_id] = read_progress(folder, self._progress.get(job_id))
        position = self.dispatcher.before(folder) if job.status == record.QUEUED else 0
        return view_of(job_id, folder, job, progress, said, position)

    def cancel(self, job_id: str) -> None:
        """Stop a job, by force when it does not heed. Nothing happens when it is over already."""
        folder = self.folder(job_id)
        if not is_active(self._job(folder)):
            return
        (folder / CANCEL).touch()
        if not self.dispatcher.withdraw(folder):
            stop_worker(folder, self.engine, lambda: self._busy(folder))
            mark_cancelled(folder)
        drop_clip(folder)

    def resume(self, job_id: str) -> None:
        """Queue a cancelled, broken or killed job again. Raises UserError when it cannot be continued."""
        folder = self.folder(job_id)
        view = self.watch(job_id)
        if view.active:
            raise UserError(BUSY.what, BUSY.remedy)
        if not view.resumable:
            raise UserError("This job cannot be continued.", "Start a new one.")
        wait_until_free(folder)
        job = resumable(folder)
        with self.shares.place(job.visitor, self._active):
            self._queue(folder, replace(job, status=record.QUEUED, queued=record.now(), ended="", error=None))

    def export(self, job_id: str, options: ExportOptions) -> None:
        """Queue the asset of a finished head to be made again with `options`. Raises UserError when it cannot be.

        When that fails or is cancelled, the job is done as it was before.
        """
        folder, job = self._at_rest(job_id)
        further = record.further_job(job, record.EXPORT, checked(replace(job.options, export=options)))
        with self.shares.place(job.visitor, self._active):
            self._queue(folder, replace(further, visitor=job.visitor))

    def edit(self, job_id: str, options: EditOptions, visitor: str = "") -> None:
        """Queue an edit of the version of a finished head that is shown. Raises UserError when it cannot be.

        It becomes a version under that one and is shown in its place. When it fails or is cancelled, the job is done as
        it was before, and the view of it has the error.
        """
        folder, job = self._at_rest(job_id)
        edit, who = carried(checked_edit(options)), self.shares.name(visitor) or job.visitor
        check_versions(len(listed(folder)), self.limits)
        further = record.further_job(job, record.EDIT, job.options, (edit,))
        with self.shares.place(who, self._active, edit=True):
            self._queue(folder, replace(further, visitor=who))

    def animate(self, job_id: str, clip: Path, options: AnimateOptions, name: str, visitor: str = "") -> None:
        """Queue an animation of a finished head as it is shown, called `name`. Raises UserError when it cannot be.

        A copy of `clip` drives it and is gone when the work ends, in whatever way; the head is as it was.
        """
        folder, job = self._at_rest(job_id)
        check_clip(folder, clip, self.limits)
        further, who = record.further_job(job, record.ANIMATE, job.options), self.shares.name(visitor) or job.visitor
        with self.shares.place(who, self._active):
            handed = hand_in(folder, clip, name, checked_motion(options))
            with or_taken_back(folder, handed):  # somebody else may have been the first
                self._queue(folder, replace(further, visitor=who, clip=handed))

    def versions(self, job_id: str) -> tuple[Version, ...]:
        """The versions of a finished head, oldest first; none while it is not finished. Raises UserError."""
        folder = self.folder(job_id)
        return listed(folder) if self.watch(job_id).status == record.DONE else versions(folder)

    def version_folder(self, job_id: str, version_id: str) -> Path:
        """Where a version lies with its head.glb and all that belongs to it. Raises UserError when there is none."""
        return place_of(self.folder(job_id), version_id)

    def steps(self, job_id: str) -> Steps:
        """Whether `undo` and `redo` of a head have somewhere to go; nowhere while it is not finished."""
        folder = self.folder(job_id)
        return steps(folder) if self.watch(job_id).status == record.DONE else Steps()

    def switch(self, job_id: str, version_id: str) -> Version:
        """Show another version of a finished head. Raises UserError when there is none, or the job is at work."""
        return switch(self._at_rest(job_id)[0], version_id)

    def undo(self, job_id: str) -> Version:
        """Show what the current version was made of; likewise."""
        return undo(self._at_rest(job_id)[0])

    def redo(self, job_id: str) -> Version:
        """Show what was made of the current version, the one last left where there are several; likewise."""
        return redo(self._at_rest(job_id)[0])

    def rename(self, job_id: str, version_id: str, name: str) -> Version:
        """Call a version by another name; likewise."""
        return rename(self._at_rest(job_id)[0], version_id, name)

    def drop(self, job_id: str, version_id: str) -> None:
        """Delete a version, neither the first nor the current one; likewise."""
        drop(self._at_rest(job_id)[0], version_id)

    def warm(self, unfinished: str = "") -> None:
        """Let a worker be ready for the next job before it is asked for, as somebody looks at a head to edit it.

        unfinished: the id of a finished head that is without some pictures, which may be drawn meanwhile.
        """
        self.engine.warm(self.folder(unfinished) if unfinished else None)

    def delete(self, job_id: str) -> Traces:
        """Stop a job and remove everything about it, which is returned.

        One without a readable record is removed when nothing works on it. Nothing happens, and nothing is returned,
        when there is no such job. Raises UserError when a process still works on it.
        """
        if not JOB_ID.fullmatch(job_id) or not (self.root / job_id).exists():
            return Traces(self.root, (), 0, 0.0)
        folder = self.root / job_id
        if readable_job(folder):
            self.cancel(job_id)
        wait_until_free(folder)
        held = erase(folder)
        self.engine.forget(folder)
        self._progress.pop(job_id, None)
        self.ages.forget(job_id)
        return held

    def folder(self, job_id: str) -> Path:
        """The run folder of a job. Raises UserError when there is no such job."""
        folder = self.root / job_id
        if not JOB_ID.fullmatch(job_id) or not (folder / record.FILE).is_file():
            raise UserError(GONE.what, GONE.remedy)
        return folder

    def ids(self) -> list[str]:
        """The ids of all jobs."""
        return self.records.ids()

    def reap(self, older_than_seconds: float | None = None) -> list[str]:
        """Delete the jobs that ended longer ago than that, or than they are kept; returns the ids of those gone."""
        longest = self.limits.keep_seconds if older_than_seconds is None else older_than_seconds
        gone = []
        for job_id in self.records.found():
            try:
                if self.ages.past(job_id, self._over_since(self.root / job_id), longest):
                    self.delete(job_id)
                    gone.append(job_id)
            except (UserError, OSError) as error:
                log.warning("the job in %s stays for now: %s", self.root / job_id, error)
        return gone

    def _at_rest(self, job_id: str) -> tuple[Path, Job]:
        """Folder and record of a finished head on which nobody works. Raises UserError."""
        folder = self.folder(job_id)
        if self.watch(job_id).active:
            raise UserError(BUSY.what, BUSY.remedy)
        wait_until_free(folder)
        return folder, finished(folder)

    def _job(self, folder: Path) -> Job:
        job = read_job(folder)
        if job is None:
            raise UserError(GONE.what, GONE.remedy)
        return job

    def _active(self) -> list[Job]:
        return [job for folder, job in self.records.active().items() if is_active(self._honest(folder, job))]

    def _queue(self, folder: Path, job: Job) -> None:
        (folder / CANCEL).unlink(missing_ok=True)
        self.dispatcher.queue(folder, replace(job, most_seconds=self.limits.job_seconds, machine=""))

    def _busy(self, folder: Path) -> bool:
        """Whether a process works on the job of `folder`, which is not over."""
        return is_active(self._job(folder)) and self.dispatcher.at_work(folder)

    def _honest(self, folder: Path, job: Job) -> Job:
        """`job`; when it claims to run and no process works on it, it has failed, or is the job before it."""
        if job.status != record.RUNNING or self.dispatcher.at_work(folder):
            return job
        fresh = read_job(folder)  # it may have ended between the two looks
        if fresh and fresh.status == job.status:
            return job.before or replace(job, status=record.FAILED, error=DIED)
        return fresh or job

    def _over_since(self, folder: Path) -> float:
        """Seconds since the job of `folder` was last at work; 0 while it is, or waits."""
        try:
            job = read_job(folder)
        except UserError:
            return time.time() - (folder / record.FILE).stat().st_mtime
        if job is None:  # left by a crash
            return 0.0 if self.dispatcher.at_work(folder) else time.time() - folder.stat().st_mtime
        if is_active(self._honest(folder, job)):
            return 0.0
        return record.age(job.ended) if job.ended else time.time() - _last_sign(folder)


def _last_sign(folder: Path) -> float:
    """When a job that could not say its end last wrote something, seconds since 1970."""
    return max(path.stat().st_mtime for path in (folder / record.FILE, folder / event_log.FILE) if path.exists())
