"""What the page shows of the job it watches: new values for its widgets, where something changed."""

import time
from collections.abc import Mapping
from pathlib import Path

import gradio as gr
from gradio.components import Component

from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.desk import JobView
from idto3d.jobs.history.contents import asset_of
from idto3d.jobs.run_folder import GLB
from idto3d.ui import views
from idto3d.ui.actions import Actions
from idto3d.ui.cards import heads
from idto3d.ui.cards.films import films
from idto3d.ui.cards.pictures import changed_at, standing
from idto3d.ui.cards.taken import taken
from idto3d.ui.cards.versions import strip
from idto3d.ui.columns.change import NO_MASK
from idto3d.ui.heads.forms import REMEMBERED as REMEMBERED_FIELDS
from idto3d.ui.heads.thumbs import thumb
from idto3d.ui.page import Page
from idto3d.words.corrections import CORRECTED

UNSAID = """() => ''"""  # a refusal goes when what it asks for is done
HIDDEN = {"api_visibility": "private", "show_progress": "hidden"}
LOOK_UP = """() => setTimeout(() => {
  const viewer = document.querySelector("#viewer");
  const begun = document.querySelector("#status .running, #status .queued");
  const top = viewer && viewer.getBoundingClientRect().top;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (begun && (top < 0 || top > innerHeight / 2)) viewer.scrollIntoView({ behavior: calm ? "instant" : "smooth" });
}, 100)"""  # what was begun far below the viewer is seen in it; a refusal stays where the button is
CHANGING = " changing"
FURTHER = (record.EDIT, record.ANIMATE)  # kinds of work on a finished head, which is seen meanwhile
BRISK, USUAL = 0.4, 1.0  # seconds from look to look
NEW = "new"  # the visitor wants an empty stage
REMEMBERED = 20
SHEET = Path("expressions") / "contact_sheet.png"  # the picture that is drawn last
DRAWN_WITHIN = 600.0  # seconds after the folder got a file; those of a worker that died never come


def known(jobs) -> list[str]:
    """The ids that a browser remembers, newest last; it may hold anything."""
    return [job for job in jobs if isinstance(job, str)][-REMEMBERED:] if isinstance(jobs, list) else []


def current(jobs, opened="") -> str:
    """The job that is shown: the one that was opened, otherwise the newest; '' for none."""
    ids = known(jobs)
    if opened == NEW or not ids:
        return ""
    return opened if opened in ids else ids[-1]


def outputs(page: Page) -> list[Component]:
    """The widgets that `frame` may give values."""
    stage, memory = page.stage, page.memory
    shown = [stage.viewer, stage.status, stage.details, stage.cancel, stage.resume]
    groups = [page.edit.group, page.history.group, page.animate.group, page.take.group, page.start.generate]
    return [
        *shown,
        *groups,
        page.history.strip,
        page.history.undo,
        page.history.redo,
        page.edit.apply,
        page.animate.apply,
        page.animate.films,
        page.inputs.photos,
        page.inputs.consent,
        page.memory.boxed,
        page.inputs.taken,
        page.heads.shelf,
        page.heads.delete,
        memory.timer,
        memory.seen,
        memory.arrived,
        memory.packed,
    ]


def frame(page: Page, does: Actions, jobs, opened, seen="", boxed="") -> dict[Component, object]:
    """New values for those of `outputs` that changed since `seen`; pictures are sent only then.

    seen: the `signature` of what the page shows, "" where all is to be sent.

    boxed: the job that was begun with what the box for photos still holds: that goes when the head is there, as its
    photos are deleted then, and so does the yes that was said for them. Photos that were added for another one stay.
    """
    shown = current(jobs, opened)
    view = does.look(shown)
    values = _standing(page, view)
    if view is not None and view.glb is not None and view.id == boxed:
        values |= {page.inputs.photos: None, page.inputs.consent: False, page.memory.boxed: ""}
    now = signature(view, jobs)
    values |= {page.memory.seen: now}
    return values if now == seen else values | _content(page, does, view, known(jobs))


def _standing(page: Page, view: JobView | None) -> dict[Component, object]:
    stage, active = page.stage, view is not None and view.active
    soon = active and view.kind in FURTHER  # whose first picture comes within moments
    return {
        stage.status: views.status(view),
        stage.cancel: gr.update(visible=active),
        stage.resume: gr.update(visible=view is not None and view.resumable),
        page.start.generate: gr.update(visible=not active),
        page.memory.timer: gr.Timer(BRISK if soon else USUAL, active=active or is_drawn_on(view)),
    }


def _content(page: Page, does: Actions, view: JobView | None, jobs: list[str]) -> dict[Component, object]:
    ready = view is not None and view.glb is not None
    there = ready or (view is not None and view.kind in FURTHER)
    shelf = [one for job in jobs if (one := does.look(job))]
    values = {
        page.stage.details: views.details(view),
        page.inputs.taken: taken(view),
        page.edit.group: gr.update(visible=there),
        page.history.group: gr.update(visible=there),
        page.animate.group: gr.update(visible=there),
        page.take.group: gr.update(visible=there),
        page.heads.shelf: heads.shelf(shelf, view.id if view else ""),
        page.heads.delete: gr.update(visible=bool(shelf)),
        page.memory.arrived: arrived(view) if there else "",
        page.memory.packed: f"{arrived(view)} {_files_of(view)}" if ready else "",
    }
    if there:
        values |= _history(page, does, view) | listed_films(page, does, view.id)
    return values if ready else values | {page.stage.viewer: standing(view)}


def _history(page: Page, does: Actions, view: JobView) -> dict[Component, object]:
    """The versions of a finished head, and what can be done with the one that is shown while nothing is at work."""
    history = page.history
    try:
        versions = does.revisions.versions(view.id)
        back, forth = (not view.active and way for way in does.revisions.steps(view.id))
        cells = strip(versions, lambda version: thumb(does.revisions.folder(view.id, version)))
    except UserError:  # deleted in another tab meanwhile, which the next look tells
        return {}
    return {
        history.strip: cells,
        history.undo: gr.update(interactive=back),
        history.redo: gr.update(interactive=forth),
        page.edit.apply: gr.update(interactive=not view.active),
        page.animate.apply: gr.update(interactive=not view.active),
    }


def listed_films(page: Page, does: Actions, job_id: str) -> dict[Component, object]:
    """The animations of a head; nothing where it is gone."""
    try:
        found = does.animations.listed(job_id)
        return {page.animate.films: films(job_id, found, lambda one: does.animations.addresses(job_id, one))}
    except (UserError, OSError):  # deleted in another tab meanwhile
        return {}


def arrived(view: JobView) -> str:
    """The id of a finished head, the moment its file came, which changes with its versions, and whether it changes."""
    return f"{view.id} {changed_at(view.folder / GLB)}{CHANGING if view.active else ''}"


def arrived_job(text: str) -> str:
    """The id in what `arrived` gave."""
    return text.partition(" ")[0]


def is_changing(text: str) -> bool:
    """Whether the head in what `arrived` gave is being changed."""
    return text.endswith(CHANGING)


def signature(view: JobView | None, jobs) -> str:
    """What changes when the page must show something else; never ""."""
    if view is None:
        return " ".join(("nothing", *known(jobs)))
    changed = [f"{kind}{changed_at(path)}" for kind, path in sorted((view.previews or {}).items())]
    told = (len(view.progress.notices), len(view.progress.photo_crops))
    made = (changed_at(view.glb) if view.glb else 0, _files_of(view))
    return " ".join(map(str, (view.id, view.status, view.kind, *told, *made, *changed, *known(jobs))))


def _files_of(view: JobView) -> int:
    """How many files of its asset a finished head has by now."""
    return len(asset_of(view.folder)) if view.glb else 0


def is_drawn(view: JobView) -> bool:
    """Whether a finished head has all its pictures."""
    return (view.folder / SHEET).is_file()


def is_drawn_on(view: JobView | None) -> bool:
    """Whether pictures of a finished head are still to come, as of one that was just changed, or undone."""
    if view is None or view.glb is None or is_drawn(view):
        return False
    return time.time() - changed_at(view.folder) / 1e9 < DRAWN_WITHIN


def unpainted(page: Page) -> dict[Component, object]:
    """Nothing is painted any more: a mask is of one head, seen as it was."""
    return {page.memory.mask: None, page.edit.mask: NO_MASK, page.edit.unmask: gr.update(visible=False)}


def left(page: Page) -> dict[Component, object]:
    """What is gone with the head that was shown: what was painted on it, and pictures of hair for it."""
    return unpainted(page) | {page.edit.hairs: "", page.edit.hair: gr.update(open=False)}


def form(page: Page) -> list[Component]:
    """The widgets that `filled_form` may give values."""
    return [page.inputs.chips, page.inputs.nine.words, *(page.inputs.asked()[name] for name in REMEMBERED_FIELDS)]


def filled_form(page: Page, does: Actions, job_id: str) -> dict[Component, object]:
    """The form as it was filled for a job; nothing where there is none."""
    return filled(page, does.form_of(job_id)) if job_id else {}


def filled(page: Page, values: Mapping[str, object]) -> dict[Component, object]:
    """The form with these `values`, by the names of fields of a request."""
    chips = gr.update(visible=any(values.get(name) for name in CORRECTED))
    return page.inputs.filled(values) | ({page.inputs.chips: chips} if values else {})
