"""What stands in the box for photos while a head is made of some: they are with the work, not on the page."""

from html import escape

from idto3d.jobs import record
from idto3d.jobs.desk import JobView
from idto3d.ui import views

USED = "These are in use for this head, and deleted when it is done."
HELD = "These are kept for this head, which Resume goes on with. What is below would be for another one."


def taken(view: JobView | None) -> str:
    """The photos that a head is being made of, or would go on with; nothing where there are none."""
    if view is None or view.kind != record.GENERATE or not view.photos or not (view.active or view.resumable):
        return ""
    state, text = ("busy", USED) if view.active else ("held", HELD)
    return f'<div class="taken {state}">{views.crops(view) or _names(view)}<p class="advice">{text}</p></div>'


def _names(view: JobView) -> str:
    """The photos while nobody has looked at them yet."""
    return f"<p>{escape(', '.join(photo.name for photo in view.photos))}</p>"
