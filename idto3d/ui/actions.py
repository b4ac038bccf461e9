"""What the page can do: hand in a job, look at it, steer it, draw its result. Knows no widgets."""

import io
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from idto3d.checks import checked, checked_view
from idto3d.config import HDRI, EditOptions, RenderOptions
from idto3d.errors import UserError
from idto3d.jobs.choosing.chooser import Chooser
from idto3d.jobs.desk import Desk, JobView
from idto3d.jobs.drawing.drawer import Drawing
from idto3d.jobs.drawing.process import RenderView
from idto3d.jobs.drawing.studio import Studio
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.jobs.pace.paces import minutes_of_presets
from idto3d.jobs.privacy.traces import Traces, deleted, digests
from idto3d.jobs.queue.records import JOB_ID
from idto3d.jobs.record import DONE, GENERATE
from idto3d.ui.door.calls import lies_alone
from idto3d.ui.heads import forms, thumbs
from idto3d.ui.heads.animating import Animations
from idto3d.ui.heads.choosing import Choosing
from idto3d.ui.heads.onstage import NO_LIGHT, OnStage
from idto3d.ui.heads.painted import Painted
from idto3d.ui.heads.request import LARGEST_SEED, LONGEST_PROMPT, Request, check, options_of
from idto3d.ui.heads.revisions import Revisions
from idto3d.ui.photos import Photos, with_weights
from idto3d.ui.shelf import Shelf
from idto3d.words.asked import describes_somebody, read_edit
from idto3d.words.prompts import one_line

pipeline_view = Drawing()  # our own pipeline's
LAST_STAGE = "asset"
VIEW_SIZE = 512


def view_of(values: Mapping) -> RenderOptions:
    """The view of `values` by the names of its fields; `expressions` maps names to weights. Raises UserError."""
    return RenderOptions(**{**values, "light": values["light"] or "", "expressions": face_of(values["expressions"])})


class Actions:
    """The page's verbs over one desk. `base` holds the options of the server: weights and device.

    `visitor` says who asks, see visitor.py. Heads are drawn by `render_view`, a function of a module, in a process of
    its own.
    """

    def __init__(
        self,
        desk: Desk,
        shelf: Shelf,
        render_view: RenderView = pipeline_view,
        base: Mapping | None = None,
        limits: Limits = LOCAL,
        chooser: Chooser | None = None,
    ):
        self.desk = desk
        self.shelf = shelf
        self.studio = Studio(render_view, limits)
        self.revisions = Revisions(desk)
        self.stage = OnStage(self.studio, shelf)
        self.base = dict(base or {})
        self.limits = limits
        self.photos = Photos(limits, base)
        self.choosing = Choosing(limits, base, chooser)
        self.animations = Animations(desk, shelf)
        self._uploaded: dict[str, float] = {}  # when the jobs whose uploads are still there were started

    def start(self, request: Request, visitor: str = "", edits: tuple[EditOptions, ...] = ()) -> str:
        """Hand in a job that `edits` follow; returns its id. Raises UserError when the request cannot be met."""
        check(request, self.limits)
        options = checked(with_weights(replace(options_of(request), **self.base), request.weights))
        job_id = self.desk.start(list(request.photos), options, visitor, edits)
        self._uploaded[job_id] = time.time()
        return job_id

    def look(self, job_id: str, lends: bool = True) -> JobView | None:
        """The job, or None when there is none (any more). What draws is begun before the head is there.

        lends: whether who looks is a visitor, see `Desk.watch`.
        """
        try:
            view = self.desk.watch(job_id, lends) if job_id else None
        except UserError:
            return None
        if view is not None and view.active and view.progress.stage == LAST_STAGE:
            self.stage.open()
        return view

    def has_head(self, view: JobView) -> bool:
        """Whether there is a head to show of a job: a finished one, or one that is being changed."""
        return view.glb is not None or view.kind != GENERATE

    def change(self, job_id: str, options: EditOptions, visitor: str = "", mask: Painted | None = None) -> None:
        """Queue a change of a finished head by words, within what was painted. Raises UserError when it cannot be."""
        if len(options.prompt) > LONGEST_PROMPT:
            raise UserError(f"The prompt has {len(options.prompt)} characters.", f"Shorten it to {LONGEST_PROMPT}.")
        with TemporaryDirectory(dir=self.shelf.folder) as folder:  # what was painted goes into the job itself
            options = options if mask is None else mask.options(options, Path(folder))
            self.revisions.edit(job_id, options, visitor)

    def on_stage(self, job_id: str, lights: Mapping[str, str], other: str = "", compare: str = "") -> dict:
        """What the viewer is given of a head, also while it is changed; the version `other` may be compared with it.

        lights: where those of the visitor are served. Raises UserError when it cannot be shown.
        """
        view, versions = self.desk.watch(job_id), self.revisions.listed(job_id)
        shown = next((one for one in versions if one.current), None)
        if shown is None:
            raise UserError("There is no head to show yet.", "Wait until the job is done.")
        value = {"head": self.stage.head(job_id, view.folder, shown), "name": shown.name}
        value |= {"lights": self.stage.lights(lights), "picture": "", "caption": "", "uploads": True}
        second = next((one for one in versions if one.id == other and not one.current), None)
        if second is None or not compare:
            return value
        address = self.stage.head(job_id, view.folder, second)
        return value | {"other": address, "other_name": second.name, "compare": compare}

    def own_light(self, job_id: str, lights: Mapping[str, str], path, name, visitor: str) -> dict[str, str]:
        """`lights` with one that a visitor uploaded to `path`, as a browser says. Raises UserError."""
        if not isinstance(path, str) or not lies_alone(path, self.shelf.folder):
            raise UserError(NO_LIGHT.what, NO_LIGHT.remedy)
        self.desk.folder(job_id)
        return self.stage.own_light(job_id, lights, Path(path), name, visitor)

    def drop(self, job_id: str, version: str) -> None:
        """Delete a version, and what the viewer was given of it. Raises UserError when it cannot be."""
        self.revisions.drop(job_id, version)
        self.stage.keep_only(job_id, self.revisions.listed(job_id))

    def expect_words(self) -> None:
        """Somebody writes words, and may ask for faces: what proposes them is loaded, unless jobs need the cores."""
        if not self.desk.records.active():
            self.choosing.chooser.open()

    def minutes(self, photos: int) -> dict[str, float]:
        """Minutes that a head of so many photos is likely to take here, by preset."""
        asked = {name: self.base[name] for name in ("weights", "device") if name in self.base}
        return minutes_of_presets(self.desk.root, photos, **asked)

    def reads_like_a_change(self, job_id: str, prompt: str) -> bool:
        """Whether somebody who sees the finished head `job_id` may mean a change of it by `prompt`."""
        view = self.look(job_id)
        if view is None or view.glb is None or one_line(prompt) in ("", view.options.prompt):
            return False
        return not describes_somebody(prompt) and not read_edit(prompt).empty

    def form_of(self, job_id: str) -> dict[str, object]:
        """What a head was made from, by the names of fields of Request; empty where there is no such head."""
        view = self.look(job_id)
        return {} if view is None else forms.form_of(view.options, self.photos.chosen(view.options.weights) or "")

    def delete(self, job_id: str) -> Traces:
        """Remove everything about a job, and return what that was: its folder, what is handed out, and its uploads."""
        photos = digests(self.desk.root / job_id) if JOB_ID.fullmatch(job_id) else set()
        try:
            return self.desk.delete(job_id)
        finally:  # also where some of the folder stays: its record, which names the photos, may be gone by then
            self.studio.forget(self.desk.root / job_id)
            self.photos.forget()
            thumbs.forget()
            self.shelf.forget(job_id, photos)
            self._uploaded.pop(job_id, None)

    def delete_all(
        self, job_ids: Sequence[str], uploads: Sequence[str] = ()
    ) -> tuple[list[str], UserError | None, str]:
        """Delete these jobs, and files that were uploaded, for whatever there was no job yet.

        Returns the jobs that could not be deleted, why the last of them, and what was removed in words.
        """
        dropped = self.shelf.drop(uploads)
        kept, why, held = [], None, []
        for job_id in job_ids:
            try:
                held.append(self.delete(job_id))
            except UserError as error:
                kept, why = [*kept, job_id], error
        if dropped:
            self.photos.forget()
        return kept, why, deleted(held, dropped)

    def tidy(self) -> None:
        """Delete the uploads of heads that are done, jobs past their time, and what was handed out for those."""
        for job_id, started in tuple(self._uploaded.items()):
            view = self.look(job_id, lends=False)
            if view is None or view.status == DONE:  # a photo that was added again since is for the next head
                self.shelf.drop_uploads([photo.sha256 for photo in view.photos] if view else (), started)
                self._uploaded.pop(job_id, None)
                self.photos.forget()
        for job_id in self.desk.reap():
            self.studio.forget(self.desk.root / job_id)
            thumbs.forget()
        self.shelf.keep_only(self.desk.ids())
        self.studio.rest()
        self.photos.rest()
        self.choosing.chooser.rest()
        self.desk.dispatch()

    def draw(self, job_id: str, options: RenderOptions, visitor: str = "", live: bool = False) -> np.ndarray:
        """The head of a finished job, [S, S, 3] uint8 sRGB. Raises UserError when it has none, and as Studio.draw."""
        view = self.desk.watch(job_id)
        if view.glb is None:
            raise UserError("There is no head to draw yet.", "Wait until the job is done.")
        if options.light and options.light not in lights():
            raise UserError(f"There is no light named '{options.light}'.", f"Choose from: {', '.join(lights())}.")
        if checked_view(options).size > (most := self.limits.view_pixels):
            raise UserError(f"A picture of {options.size} pixels is not drawn here.", f"Ask for {most} at most.")
        return self.studio.draw(view.folder, replace(options, video=""), visitor, live)

    def file(self, job_id: str, whole: bool = False) -> Path:
        """The GLB (whole: the ZIP) of a finished job, where the page may serve it. Raises UserError for none."""
        view = self.desk.watch(job_id)
        if view.glb is None:
            raise UserError("There is no head to download yet.", "Wait until the job is done.")
        return (self.shelf.archive if whole else self.shelf.glb)(job_id, view.glb)


def face_of(weights) -> tuple[tuple[str, float], ...]:
    """Pairs of name and weight from what a caller gives for them, for `checked_view`. Raises UserError."""
    if not isinstance(weights or {}, Mapping):
        raise UserError("The expressions are not names with weights.", 'Give an object like {"smile": 0.5}.')
    return tuple((weights or {}).items())


def any_seed() -> int:
    """A seed nobody chose."""
    return random.SystemRandom().randint(0, LARGEST_SEED)


def lights() -> list[str]:
    """Names of the environments that come with us."""
    return sorted(path.stem for path in HDRI.glob("*.hdr"))


def webp(image: np.ndarray) -> bytes:
    """An [H, W, 3] uint8 sRGB picture as WebP."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "WEBP", quality=92)
    return buffer.getvalue()
