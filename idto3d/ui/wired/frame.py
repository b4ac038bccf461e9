"""What the page shows of the job it watches: new values for its widgets, where something changed."""

from collections.abc import Mapping
from pathlib import Path

import gradio as gr
from gradio.components import Component

from idto3d.jobs import record
from idto3d.jobs.desk import JobView
from idto3d.ui import views
from idto3d.ui.actions import Actions
from idto3d.ui.cards import heads
from idto3d.ui.cards.pictures import standing
from idto3d.ui.cards.versions import strip
from idto3d.ui.columns.change import NO_MASK
from idto3d.ui.heads.forms import REMEMBERED as REMEMBERED_FIELDS
from idto3d.ui.heads.thumbs import thumb
from idto3d.ui.page import Page
from idto3d.words.corrections import CORRECTED

HIDDEN = {"api_visibility": "private", "show_progress": "hidden"}
LOOK_UP = """() => setTimeout(() => {
  const viewer = document.querySelector("#viewer");
  const begun = document.querySelector("#status .running, #status .queued");
  const top = viewer && viewer.getBoundingClientRect().top;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (begun && (top < 0 || top > innerHeight / 2)) viewer.scrollIntoView({ behavior: calm ? "instant" : "smooth" });
}, 100)"""  # what was begun far below the viewer is seen in it; a refusal stays where the button is
NEW = "new"  # the visitor wants an empty stage
REMEMBERED = 20


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
    groups = [page.edit.group, page.history.group, page.take.group, page.start.generate]
    return [
        *shown,
        *groups,
        page.history.strip,
        page.inputs.photos,
        page.heads.shelf,
        page.heads.delete,
        memory.timer,
        memory.seen,
        memory.arrived,
    ]


def frame(page: Page, does: Actions, jobs, opened, seen) -> dict[Component, object]:
    """New values for those of `outputs` that changed since `seen`; pictures are sent only then."""
    shown = current(jobs, opened)
    view = does.look(shown)
    values = _standing(page, view)
    now = signature(view, jobs)
    if now == tuple(seen):
        return values
    gone = {page.inputs.photos: None} if _just_made(view, tuple(seen)) else {}
    return values | gone | _content(page, does, view, known(jobs)) | {page.memory.seen: now}


def _just_made(view: JobView | None, seen: tuple) -> bool:
    """Whether a head was finished since, so that its photos are gone."""
    if view is None or view.glb is None or len(seen) < 3:
        return False
    return seen[0] == view.id and seen[1] in (record.QUEUED, record.RUNNING) and seen[2] == record.GENERATE


def _standing(page: Page, view: JobView | None) -> dict[Component, object]:
    stage, active = page.stage, view is not None and view.active
    return {
        stage.status: views.status(view),
        stage.cancel: gr.update(visible=active),
        stage.resume: gr.update(visible=view is not None and view.resumable),
        page.start.generate: gr.update(visible=not active),
        page.memory.timer: gr.Timer(active=active),
    }


def _content(page: Page, does: Actions, view: JobView | None, jobs: list[str]) -> dict[Component, object]:
    ready = view is not None and view.glb is not None
    there = ready or (view is not None and view.kind == record.EDIT)
    shelf = [one for job in jobs if (one := does.look(job))]
    values = {
        page.stage.details: views.details(view),
        page.edit.group: gr.update(visible=there),
        page.history.group: gr.update(visible=there),
        page.take.group: gr.update(visible=there),
        page.heads.shelf: heads.shelf(shelf, view.id if view else ""),
        page.heads.delete: gr.update(visible=bool(shelf)),
        page.memory.arrived: arrived(view) if ready else "",
    }
    if there:
        values[page.history.strip] = history_strip(does, view)
    picture = standing(view)
    return values if ready or picture is None else values | {page.stage.viewer: picture}


def history_strip(does: Actions, view: JobView, other: str = "") -> str:
    """The strip of a finished head's versions."""
    versions = does.revisions.versions(view.id)
    return strip(versions, lambda version: thumb(does.revisions.folder(view.id, version)), other)


def arrived(view: JobView) -> str:
    """The id of a finished head with the moment its file came, which changes with its versions."""
    return f"{view.id} {_changed(view.glb)}"


def arrived_job(text: str) -> str:
    """The id in what `arrived` gave."""
    return text.partition(" ")[0]


def signature(view: JobView | None, jobs) -> tuple:
    """What changes when the page must show something else."""
    if view is None:
        return ("nothing", *known(jobs))
    changed = [f"{kind}{_changed(path)}" for kind, path in sorted((view.previews or {}).items())]
    told = (len(view.progress.notices), len(view.progress.photo_crops))
    return (view.id, view.status, view.kind, *told, _changed(view.glb) if view.glb else 0, *changed, *known(jobs))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def unpainted(page: Page) -> dict[Component, object]:
    """Nothing is painted any more: a mask is of one head, seen as it was."""
    return {page.memory.mask: None, page.edit.mask: NO_MASK, page.edit.unmask: gr.update(visible=False)}


def form(page: Page) -> list[Component]:
    """The widgets that `filled_form` may give values."""
    return [page.inputs.chips, *(page.inputs.asked()[name] for name in REMEMBERED_FIELDS)]


def filled_form(page: Page, does: Actions, job_id: str) -> dict[Component, object]:
    """The form as it was filled for a job; nothing where there is none."""
    return filled(page, does.form_of(job_id)) if job_id else {}


def filled(page: Page, values: Mapping[str, object]) -> dict[Component, object]:
    """The form with these `values`, by the names of fields of a request."""
    chips = gr.update(visible=any(values.get(name) for name in CORRECTED))
    return page.inputs.filled(values) | ({page.inputs.chips: chips} if values else {})
