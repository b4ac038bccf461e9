"""Pieces of the page as HTML, from what is known about a job. Text of users is always escaped."""

import base64
from html import escape
from pathlib import Path

from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.desk import JobView
from idto3d.jobs.event_log import Progress

STAGES = {"subject": "Photos", "weights": "Weights", "fit": "Person", "shape": "Shape"}
STAGES |= {"material": "Skin", "asset": "Asset"}
RARE = ("weights",)  # shown only where it happens
PANES = {
    "normal": ("Normals", "Then its shape is refined here."),
    "relit": ("Relit", "The head appears here first."),
}
EMPTY = (
    '<svg viewBox="0 0 120 120" class="sketch" aria-hidden="true">'
    '<path d="M60 16c20 0 31 14 31 35 0 12-3 20-8 28-4 7-6 12-12 17-3 3-7 4-11 4'
    's-8-1-11-4c-6-5-8-10-12-17-5-8-8-16-8-28 0-21 11-35 31-35Z"/>'
    '<path d="M43 58c4-3 9-3 12 0M65 58c3-3 8-3 12 0M60 60v14l-4 4h8M51 87c6 3 12 3 18 0"/></svg>'
)


def header(keep_seconds: float) -> str:
    """The head of the page, where a head that has ended is kept for so long."""
    return (
        '<div class="brand"><span class="mark"></span><div><h1>idto3d</h1>'
        "<p>Photos of a person in, an expressive, relightable 3D head out.</p></div>"
        '<p class="promise">Everything is computed by the machines that serve this page. Photos are deleted '
        f"when the head is done, all else after {keep_seconds / 3600:.0f} hours, or at once with Delete my data."
        "</p></div>"
    )


def section(number: int, title: str, text: str = "") -> str:
    """The heading of a step on the left."""
    note = f"<p>{escape(text)}</p>" if text else ""
    return f'<div class="heading"><span>{number}</span><div><h2>{escape(title)}</h2>{note}</div></div>'


def image_tag(path: Path, text: str) -> str:
    """A picture inside the page itself, so that nothing is left in a cache; empty when it is gone."""
    try:
        data = base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return ""
    return f'<img alt="{escape(text)}" src="data:image/{path.suffix[1:]};base64,{data}">'


def panes(view: JobView | None) -> str:
    """The two live pictures."""
    return f'<div class="panes">{"".join(_pane(kind, view) for kind in PANES)}</div>'


def _pane(kind: str, view: JobView | None) -> str:
    title, hint = PANES[kind]
    path = (view.previews or {}).get(kind) if view else None
    inner = (image_tag(path, title) if path else "") or f"{EMPTY}<em>{hint}</em>"
    return f'<figure class="pane">{inner}<figcaption>{title}</figcaption></figure>'


def status(view: JobView | None) -> str:
    """Stages, bar, step, time left and likeness."""
    if view is None:
        text = "Add photos or describe a person, then press Generate."
        return f'<div class="status idle">{_stages(Progress(), idle=True)}<p class="line">{text}</p></div>'
    body = (
        _stages(view.progress, view.status == record.QUEUED, view.status == record.DONE)
        + _bar(view)
        + f'<p class="line">{_line(view)}</p>'
    )
    trouble = refusal(view.error) if view.error else ""
    return f'<div class="status {view.status}">{body}</div>{trouble}'


def _stages(progress: Progress, idle: bool = False, finished: bool = False) -> str:
    seen = (*progress.stages_done, *filter(None, (progress.stage,)))
    usual = (name for name in STAGES if name not in RARE or name in seen)
    names = list(dict.fromkeys((*usual, *seen)))
    marks = []
    for name in names:
        state = (
            "done"
            if finished or name in progress.stages_done
            else "now"
            if name == progress.stage and not idle
            else "next"
        )
        marks.append(f'<li class="{state}">{escape(STAGES.get(name, name.capitalize()))}</li>')
    return f'<ol class="stages">{"".join(marks)}</ol>'


def _bar(view: JobView) -> str:
    progress = view.progress
    if view.status == record.DONE:
        return '<div class="bar"><i style="width:100%"></i></div>'
    if view.active and not progress.step:
        return '<div class="bar waiting"><i></i></div>'
    share = 100.0 * progress.step / max(progress.steps, 1)
    return f'<div class="bar"><i style="width:{share:.1f}%"></i></div>'


def _line(view: JobView) -> str:
    progress = view.progress
    if view.status == record.QUEUED:
        jobs = "1 job is" if view.position == 1 else f"{view.position} jobs are"
        return f"<b>Waiting.</b> {jobs} before yours." if view.position else "<b>Starting …</b>"
    words = [f"<b>{_headline(view)}</b>"]
    if view.status == record.RUNNING and progress.step:
        words.append(f"step {progress.step} of {progress.steps}")
        if progress.seconds_left is not None:
            words.append(f"{duration(progress.seconds_left)} left in this stage")
    if progress.likeness is not None:
        words.append(f"likeness {progress.likeness:.2f} <small>({_scale(progress)})</small>")
    return " <i>·</i> ".join(words)


def _scale(progress: Progress) -> str:
    """What a likeness means to the encoder that measured it."""
    alike = progress.likeness >= progress.same_person
    who = "the same person" if alike else "another person"
    return f"{escape(progress.encoder)} takes the head for {who}, as from {progress.same_person:.2f} on it is one"


def _headline(view: JobView) -> str:
    progress = view.progress
    if view.status == record.RUNNING:
        return escape(STAGES.get(progress.stage, progress.stage.capitalize() or "Starting …"))
    if view.status == record.CANCELLED:
        return "Cancelled. Press Resume to go on where it stopped."
    return {record.DONE: "Done", record.FAILED: "Stopped"}.get(view.status, view.status)


def duration(seconds: float) -> str:
    """Seconds in words a person would use."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} s"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min"
    return f"about {seconds / 3600:.1f} h"


def details(view: JobView | None) -> str:
    """What became of each photo, and the notices."""
    if view is None or not (view.progress.photo_crops or view.progress.notices):
        return ""
    photos = "".join(
        _photo(view, photo.name, crop) for photo, crop in zip(view.photos, view.progress.photo_crops, strict=False)
    )
    notices = "".join(f"<li>{escape(text)}</li>" for text in view.progress.notices)
    strip = f'<div class="crops">{photos}</div>' if photos else ""
    return strip + (f'<ul class="notices">{notices}</ul>' if notices else "")


def _photo(view: JobView, name: str, crop: str) -> str:
    inner = image_tag(view.folder / crop, name) if crop else '<span class="gap">left out</span>'
    doubted = any(f"'{name}'" in text for text in view.progress.notices)
    state = "out" if not crop else "doubt" if doubted else "used"
    return f'<figure class="{state}" title="{escape(name)}">{inner}<figcaption>{escape(name)}</figcaption></figure>'


def refusal(error: UserError | record.JobError) -> str:
    """A box that says what is wrong and what to do."""
    remedy = f"<span>{escape(error.remedy)}</span>"
    return f'<div class="refusal" role="alert"><b>{escape(error.what)}</b>{remedy}</div>'


def drawing(image: bytes | None, hint: str = "") -> str:
    """The pane with the drawn head; `image` is WebP."""
    if image is None:
        return f'<figure class="pane">{EMPTY}<em>{escape(hint)}</em></figure>'
    data = base64.b64encode(image).decode()
    return f'<figure class="pane"><img alt="Drawn head" src="data:image/webp;base64,{data}"></figure>'
