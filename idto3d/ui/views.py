"""Pieces of the page as HTML, from what is known about a job. Text of users is always escaped."""

import base64
from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path

from idto3d.errors import UserError, discreet
from idto3d.jobs import record
from idto3d.jobs.desk import JobView
from idto3d.jobs.event_log import Progress

STAGES = {"subject": "Photos", "weights": "Weights", "fit": "Person", "shape": "Shape"}
STAGES |= {"material": "Skin", "edit": "Change", "clip": "Clip", "preview": "Film"}
STAGES |= {"shine": "Shine", "asset": "Files"}
LAST = "asset"  # whatever else there was
CHANGED = ("edit", LAST)  # the stages of a change
MOVED = ("clip", "preview")  # those of an animation
RARE = ("weights", "edit", "clip", "preview", "shine")  # shown only where it happens
USUAL = tuple(name for name in STAGES if name not in RARE)


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


def heading(title: str, text: str) -> str:
    """The heading of a part of the page."""
    return f'<div class="heading"><div><h2>{escape(title)}</h2><p>{escape(text)}</p></div></div>'


def terms(told: Sequence[tuple[str, Sequence[str]]]) -> str:
    """What is to be known before photos are given: sentences, each with licences."""
    found = []
    for text, licences in told:
        rows = "".join(f"<li>{escape(licence)}</li>" for licence in licences)
        more = f"<details><summary>Licences</summary><ul>{rows}</ul></details>"
        found.append(f'<div class="terms">{escape(text)}{more}</div>')
    return "".join(found)


def image_tag(path: Path, text: str) -> str:
    """A picture inside the page itself, so that nothing is left in a cache; empty when it is gone."""
    try:
        data = base64.b64encode(path.read_bytes()).decode()
    except OSError:
        return ""
    return f'<img alt="{escape(text)}" src="data:image/{path.suffix[1:]};base64,{data}">'


def status(view: JobView | None) -> str:
    """Stages, bar, step, time left and likeness."""
    if view is None:
        text = "Add photos or describe a person, then press Generate."
        return f'<div class="status idle">{_stages(USUAL, (), "")}<p class="line">{text}</p></div>'
    body = _stages_of(view) + _bar(view) + f'<p class="line">{_line(view)}</p>'
    trouble = refusal(view.error) if view.error else ""
    return f'<div class="status {view.status}">{body}</div>{trouble}'


def _stages(names: Sequence[str], done: Collection[str], now: str) -> str:
    marks = []
    for name in names:
        state = "done" if name in done else "now" if name == now else "next"
        marks.append(f'<li class="{state}">{escape(STAGES.get(name, name.capitalize()))}</li>')
    return f'<ol class="stages">{"".join(marks)}</ol>'


def _stages_of(view: JobView) -> str:
    """The stages of what is done: of a change its own, otherwise those of a head."""
    progress, waiting = view.progress, view.status == record.QUEUED
    now = "" if waiting else progress.stage
    if view.kind == record.ANIMATE:
        return _stages(MOVED, MOVED[: MOVED.index(now)] if now in MOVED else (), now)
    if view.kind == record.EDIT:
        return _stages(CHANGED, CHANGED[: CHANGED.index(now)] if now in CHANGED else (), now)
    seen = (*progress.stages_done, *filter(None, (progress.stage,)))
    known = [name for name in STAGES if name not in RARE or name in seen]
    names = [name for name in dict.fromkeys((*known, *seen)) if name != LAST] + [LAST]
    made = [name for name in names if name not in (CHANGED[0], *MOVED)]  # what was changed is told by the versions
    return _stages(made, made if view.status == record.DONE else progress.stages_done, now)


def _bar(view: JobView) -> str:
    progress = view.progress
    if view.status == record.DONE:
        return '<div class="bar"><i style="width:100%"></i></div>'
    if view.status == record.QUEUED or (view.active and not progress.step):  # what was done before says nothing
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
            words.append(f"{duration(progress.seconds_left)} left")
    if progress.likeness is not None and view.kind == record.GENERATE:  # a changed head was not compared
        words.append(likeness(progress))
    return " <i>·</i> ".join(words)


def likeness(progress: Progress) -> str:
    """What a measured likeness means, in words."""
    alike = progress.likeness >= progress.same_person
    said = "recognised as the person in the photos" if alike else "would be taken for another person"
    how = f"likeness {progress.likeness:.2f} by the encoder {escape(progress.encoder)}"
    return f"{said} <small>({how}; the same person from {progress.same_person:.2f})</small>"


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
    """What became of each photo of a head that is made, and the notices."""
    if view is None:
        return ""
    notices = "".join(f"<li>{escape(discreet(text))}</li>" for text in view.progress.notices)
    strip = crops(view) if view.status == record.DONE else ""  # until then they stand where photos are added
    return strip + (f'<ul class="notices">{notices}</ul>' if notices else "")


def crops(view: JobView) -> str:
    """What was seen of each photo, in a strip; nothing before they were looked at."""
    seen = zip(view.photos, view.progress.photo_crops, strict=False)
    photos = "".join(_photo(view, photo.name, crop) for photo, crop in seen)
    return f'<div class="crops">{photos}</div>' if photos else ""


def _photo(view: JobView, name: str, crop: str) -> str:
    inner = image_tag(view.folder / crop, name) if crop else '<span class="gap">left out</span>'
    doubted = any(f"'{name}'" in text for text in view.progress.notices)
    state = "out" if not crop else "doubt" if doubted else "used"
    return f'<figure class="{state}" title="{escape(name)}">{inner}<figcaption>{escape(name)}</figcaption></figure>'


def refusal(error: UserError | record.JobError) -> str:
    """A box that says what is wrong and what to do."""
    return box(discreet(error.what), discreet(error.remedy))


def notice(text: str) -> str:
    """A box that says something."""
    return f'<div class="told" role="status">{escape(text)}</div>'


def box(what: str, remedy: str) -> str:
    """The same of two sentences."""
    said = f"<b>{escape(what)}</b><span>{escape(remedy)}</span>"
    return f'<div class="refusal" role="alert">{said}</div>'
