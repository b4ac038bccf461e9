"""The shelf: all heads that this visitor made here and that are still kept."""

from collections.abc import Sequence
from html import escape

from idto3d.jobs import record
from idto3d.jobs.desk import JobView
from idto3d.ui.cards.pictures import newest
from idto3d.ui.heads.thumbs import data_url, thumb

SIDE = 96  # pixels of a picture
STANDS = {
    record.QUEUED: "waits",
    record.RUNNING: "is being made",
    record.CANCELLED: "stopped",
    record.FAILED: "failed",
}
CHANGES = {record.EDIT: "is being changed", record.ANIMATE: "is being animated"}
NEW = (
    '<button type="button" class="head new" data-pick="new"><span class="plus" aria-hidden="true">+</span>'
    "<span>New head</span></button>"
)


def shelf(views: Sequence[JobView], shown: str) -> str:
    """The visitor's heads, newest first, to be pressed; nothing where there is none."""
    if not views:
        return ""
    cards = "".join(_card(view, view.id == shown) for view in reversed(views))
    group = f'<div class="shelf" role="group" aria-label="Your heads">{NEW}{cards}</div>'
    return f'<h2 class="shelf-title">Your heads</h2>{group}'


def _card(view: JobView, shown: bool) -> str:
    name, state = escape(title(view)), _state(view)
    url = thumb(view.folder) or _live(view)
    picture = f'<img alt="" src="{url}">' if url else '<span class="blank"></span>'
    note = f"<em>{state}</em>" if state else ""
    return (
        f'<button type="button" class="head{" now" if shown else ""}" data-pick="{view.id}" title="{name}"'
        f' aria-pressed="{str(shown).lower()}">{picture}<span>{name}</span>{note}</button>'
    )


def _live(view: JobView) -> str:
    """The newest picture of a head that is being made, as a data URL; '' where there is none yet."""
    previews = view.previews or {}
    kind = newest(previews)
    return data_url(previews[kind], SIDE) if kind else ""


def _state(view: JobView) -> str:
    """How the work on a head stands, where there is some."""
    changing = view.status == record.RUNNING and view.kind in CHANGES
    return CHANGES[view.kind] if changing else STANDS.get(view.status, "")


def title(view: JobView) -> str:
    """What a head is called: by its words, else by its photos."""
    count = len(view.photos)
    photos = "a photo" if count == 1 else f"{count} photos"
    return view.options.prompt or (f"From {photos}" if count else "A head")
