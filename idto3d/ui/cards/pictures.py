"""What the viewer shows while there is no head: the newest live picture, or an example of what will come."""

import base64
from functools import lru_cache
from pathlib import Path

from idto3d.jobs import record
from idto3d.jobs.desk import JobView
from idto3d.ui.heads.thumbs import data_url

EXAMPLE = Path(__file__).with_name("example.webp")
LIVE = ("relit", "normal")
SIDE = 512
CAPTIONS = {"normal": "Its shape, as directions", "relit": "Lit as in a studio"}
EMPTY = "An example: a head made here from words alone. Yours appears here."
SO_FAR = {record.EDIT: "The change so far", record.ANIMATE: "The animation so far"}


def standing(view: JobView | None) -> dict:
    """What the viewer shows of a job without a finished head, or over the head that is being changed."""
    if view is None:
        return {"head": "", "picture": example(), "caption": EMPTY}
    if view.kind in (record.EDIT, record.ANIMATE):
        return {"over": True} | _changing(view)
    kind = newest(view.previews or {})
    if not kind:
        return {"head": "", "picture": "", "caption": ""}
    picture = data_url(view.previews[kind], SIDE)
    return {"head": "", "picture": picture, "caption": _caption(view, kind) if picture else ""}


def _caption(view: JobView, kind: str) -> str:
    """How the picture is to be read, and the expression that it shows."""
    expression = view.progress.captions.get(kind, "")
    return f"{CAPTIONS[kind]}: {expression}" if expression else CAPTIONS[kind]


def _changing(view: JobView) -> dict:
    """The newest picture of a change; none while there is none, so that the head is seen."""
    path, begun = (view.previews or {}).get("relit"), changed_at(view.folder / record.FILE)
    if path is None or changed_at(path) < begun:  # the record is written when the work begins
        return {"picture": "", "caption": ""}
    picture = data_url(path, SIDE)
    return {"picture": picture, "caption": SO_FAR[view.kind] if picture else ""}


def newest(previews: dict[str, Path]) -> str:
    """The kind of live picture that was written last; '' where there is none."""
    there = [kind for kind in LIVE if kind in previews]
    return max(there, key=lambda kind: changed_at(previews[kind]), default="")


def changed_at(path: Path) -> int:
    """When a file was written, nanoseconds since 1970; 0 where it is gone, as it is deleted while a page looks."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=1)
def example() -> str:
    """The example as a data URL."""
    return f"data:image/webp;base64,{base64.b64encode(EXAMPLE.read_bytes()).decode()}"
