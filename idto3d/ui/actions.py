"""What the page can do: hand in a job, look at it, steer it, draw its result. Knows no widgets."""

import io
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from idto3d import config
from idto3d.checks import checked, checked_view, named_expressions
from idto3d.config import HDRI, HeadOptions, RenderOptions
from idto3d.errors import UserError
from idto3d.jobs.desk import Desk, JobView
from idto3d.jobs.drawing.drawer import Drawing
from idto3d.jobs.drawing.process import RenderView
from idto3d.jobs.drawing.studio import Studio
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.jobs.privacy.traces import Traces, deleted, digests
from idto3d.jobs.queue.records import JOB_ID
from idto3d.jobs.record import DONE
from idto3d.ui.shelf import Shelf
from idto3d.words.prompts import one_line

pipeline_view = Drawing()  # our own pipeline's
LAST_STAGE = "asset"
LARGEST_SEED = 2**31 - 1
LONGEST_PROMPT = 300
VIEW_SIZE = 512


@dataclass(frozen=True)
class Request:
    """What a visitor asks for. The widgets of the page and the parameters of the API bear the names of these fields."""

    photos: tuple[Path, ...] = ()
    consent: bool = False
    prompt: str = ""
    negative_prompt: str = ""
    preset: str = "draft"
    expressions: str = "3"
    seed: int = 0


def request_of(values: Mapping) -> Request:
    """The request of `values` by the names of its fields; None, as of a widget never opened, is the field's default."""
    given = {name: value for name, value in values.items() if value is not None}
    return Request(**given | {"photos": tuple(map(Path, given.get("photos", ())))})


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
    ):
        self.desk = desk
        self.shelf = shelf
        self.studio = Studio(render_view, limits)
        self.base = dict(base or {})
        self.limits = limits
        self._uploaded: dict[str, float] = {}  # when the jobs whose uploads are still there were started

    def start(self, request: Request, visitor: str = "") -> str:
        """Hand in a job; returns its id. Raises UserError when the request cannot be met."""
        check(request, self.limits)
        options = checked(replace(options_of(request), **self.base))
        job_id = self.desk.start(list(request.photos), options, visitor)
        self._uploaded[job_id] = time.time()
        return job_id

    def look(self, job_id: str) -> JobView | None:
        """The job, or None when there is none (any more). What draws is begun before the head is there."""
        try:
            view = self.desk.watch(job_id) if job_id else None
        except UserError:
            return None
        if view is not None and view.active and view.progress.stage == LAST_STAGE:
            self.studio.open()
        return view

    def delete(self, job_id: str) -> Traces:
        """Remove everything about a job, and return what that was: its folder, what is handed out, and its uploads."""
        photos = digests(self.desk.root / job_id) if JOB_ID.fullmatch(job_id) else set()
        try:
            return self.desk.delete(job_id)
        finally:  # also where some of the folder stays: its record, which names the photos, may be gone by then
            self.studio.forget(self.desk.root / job_id)
            self.shelf.forget(job_id, photos)
            self._uploaded.pop(job_id, None)

    def delete_all(self, job_ids: Sequence[str]) -> tuple[list[str], UserError | None, str]:
        """Delete these jobs; returns those that could not be, why the last of them, and what was removed in words."""
        kept, why, held = [], None, []
        for job_id in job_ids:
            try:
                held.append(self.delete(job_id))
            except UserError as error:
                kept, why = [*kept, job_id], error
        return kept, why, deleted(held)

    def tidy(self) -> None:
        """Delete the uploads of heads that are done, jobs past their time, and what was handed out for those."""
        for job_id, started in tuple(self._uploaded.items()):
            view = self.look(job_id)
            if view is None or view.status == DONE:  # a photo that was added again since is for the next head
                self.shelf.drop_uploads([photo.sha256 for photo in view.photos] if view else (), started)
                self._uploaded.pop(job_id, None)
        for job_id in self.desk.reap():
            self.studio.forget(self.desk.root / job_id)
        self.shelf.keep_only(self.desk.ids())
        self.studio.rest()
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

    def files(self, job_id: str) -> tuple[Path, Path]:
        """GLB and ZIP of a finished job, where the page may serve them. Raises UserError when it has none."""
        view = self.desk.watch(job_id)
        if view.glb is None:
            raise UserError("There is no head to download yet.", "Wait until the job is done.")
        return self.shelf.glb(job_id, view.glb), self.shelf.archive(job_id, view.glb)


def check(request: Request, limits: Limits = LOCAL) -> None:
    """Raise UserError for a request without consent or without content, or for a preset that is not offered."""
    if not request.photos and not request.prompt.strip():
        raise UserError("There is nothing to make a head from.", "Add at least one photo, or describe the person.")
    if request.photos and not request.consent:
        what = "We need a yes before we look at a face."
        raise UserError(what, "Tick the box that says this is you, or that you have the person's permission.")
    if request.preset not in limits.presets:
        raise UserError(f"The preset '{request.preset}' is not offered here.", f"Choose {' or '.join(limits.presets)}.")
    for text in (request.prompt, request.negative_prompt):
        if len(text) > LONGEST_PROMPT:
            raise UserError(f"The prompt has {len(text)} characters.", f"Shorten it to {LONGEST_PROMPT}.")


def face_of(weights) -> tuple[tuple[str, float], ...]:
    """Pairs of name and weight from what a caller gives for them, for `checked_view`. Raises UserError."""
    if not isinstance(weights or {}, Mapping):
        raise UserError("The expressions are not names with weights.", 'Give an object like {"smile": 0.5}.')
    return tuple((weights or {}).items())


def options_of(request: Request) -> HeadOptions:
    """The options of a request. Raises UserError for an unknown preset or expression, or a seed out of range."""
    if not 0 <= request.seed <= LARGEST_SEED:
        raise UserError(f"{request.seed} is no seed.", f"Give a whole number from 0 to {LARGEST_SEED}.")
    preset = config.preset(request.preset)
    return replace(
        preset,
        subject=replace(preset.subject, keep=False),  # nothing on the page needs a stranger's embedding
        prompt=one_line(request.prompt),
        negative_prompt=one_line(request.negative_prompt),
        expressions=named_expressions(request.expressions),
        seed=int(request.seed),
    )


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


def view_as_json(view: JobView) -> dict:
    """A job as plain JSON for the API; names no path of the server."""
    progress = view.progress
    return {
        "job_id": view.id,
        "status": view.status,
        "position": view.position,
        "stage": progress.stage,
        "step": progress.step,
        "steps": progress.steps,
        "seconds_left": progress.seconds_left,
        "likeness": progress.likeness,
        "encoder": progress.encoder,
        "same_person": progress.same_person,
        "notices": list(progress.notices),
        "resumable": view.resumable,
        "error": {"what": view.error.what, "remedy": view.error.remedy} if view.error else None,
    }
