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
CHANGED = "The change so far"


def standing(view: JobView | None) -> dict | None:
    """What the viewer shows of a job without a finished head; None where what it shows is to stay."""
    if view is None:
        return {"head": "", "picture": example(), "caption": EMPTY}
    if view.kind == record.EDIT:
        return _changing(view)
    kind = newest(view.previews or {})
    if not kind:
        return {"head": "", "picture": "", "caption": ""}
    return {"head": "", "picture": data_url(view.previews[kind], SIDE), "caption": _caption(view, kind)}


def _caption(view: JobView, kind: str) -> str:
    """How the picture is to be read, and the expression that it shows."""
    expression = view.progress.captions.get(kind, "")
    return f"{CAPTIONS[kind]}: {expression}" if expression else CAPTIONS[kind]


def _changing(view: JobView) -> dict | None:
    """The newest picture of a change; None, so that the head stays, while there is none."""
    path, begun = (view.previews or {}).get("relit"), (view.folder / record.FILE).stat().st_mtime_ns
    if path is None or path.stat().st_mtime_ns < begun:  # the record is written when the work begins
        return None
    return {"head": "", "picture": data_url(path, SIDE), "caption": CHANGED}


def newest(previews: dict[str, Path]) -> str:
    """The kind of live picture that was written last; '' where there is none."""
    there = [kind for kind in LIVE if kind in previews]
    return max(there, key=lambda kind: previews[kind].stat().st_mtime_ns, default="")


@lru_cache(maxsize=1)
def example() -> str:
    """The example as a data URL."""
    return f"data:image/webp;base64,{base64.b64encode(EXAMPLE.read_bytes()).decode()}"
