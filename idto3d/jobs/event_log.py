"""events.jsonl: what a run reported, one JSON line per event, and what those lines add up to."""

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import numpy as np
from PIL import Image

from idto3d.events import Event, Preview
from idto3d.files import write_atomic

FILE = "events.jsonl"
SUBJECT = "subject"
RESUMED = "Resumed"


class EventLog:
    """Appends events to a run folder; pictures become PNG files, of which the newest of each kind is kept."""

    def __init__(self, folder: Path, resumed: bool = False):
        """`resumed`: note that a run begins again, so that the stage it had stopped in does not count as done."""
        self.folder = folder
        self._crops = 0
        if resumed:
            self._write("\n")  # ends a line that a crash tore
            self._note({"time": round(time.time(), 3), "event": RESUMED})

    def append(self, event: Event) -> None:
        """Write one event."""
        data = {"time": round(time.time(), 3), "event": type(event).__name__}
        if isinstance(event, Preview):
            data |= {"stage": event.stage, "kind": event.kind, "image": self._save(event)}
        else:
            data |= {f.name: _plain(getattr(event, f.name)) for f in fields(event)}
        self._note(data)

    def _note(self, data: dict) -> None:
        self._write(json.dumps(data, ensure_ascii=False) + "\n")

    def _write(self, text: str) -> None:
        with open(self.folder / FILE, "a", encoding="utf-8") as file:
            file.write(text)

    def _save(self, event: Preview) -> str:
        """Save the picture and return its name inside the folder. Crops of photos are kept, one file each."""
        name = f"renders/preview_{event.kind}.png"
        if event.kind == "crop":
            self._crops += 1
            name = f"subject/crop_{self._crops:02}.png"
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, png(event.image))
        return name


def png(image: np.ndarray) -> bytes:
    """An [H, W, 3] uint8 sRGB picture as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _plain(value):
    """`value` as JSON types: numbers of numpy become Python's, a path becomes its name."""
    if isinstance(value, Path):
        return value.name
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return value.item() if isinstance(value, np.generic) else value


@dataclass(frozen=True)
class Progress:
    """What the events of a run add up to. `offset` is how many bytes of the log are in it.

    `photo_crops` holds, for each photo read so far, the file of its crop, or nothing when it was left out.
    """

    offset: int = 0
    stage: str = ""
    step: int = 0
    steps: int = 0
    seconds_left: float | None = None
    likeness: float | None = None
    encoder: str = ""
    same_person: float = 1.0
    glb: str = ""
    notices: tuple[str, ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)
    crops: tuple[str, ...] = ()
    stages_done: tuple[str, ...] = ()
    origin: tuple[float, int] = (0.0, 0)
    photo_crops: tuple[str, ...] = ()


def read_progress(folder: Path, since: Progress | None = None) -> Progress:
    """Continue `since` with the whole lines written after it; a torn last line waits for its rest."""
    progress = since or Progress()
    try:
        with open(folder / FILE, "rb") as file:
            if file.seek(0, io.SEEK_END) < progress.offset:
                progress = Progress()
            file.seek(progress.offset)
            data = file.read()
    except OSError:
        return Progress()
    end = data.rfind(b"\n") + 1
    for line in data[:end].splitlines():
        progress = _fold(progress, line)
    return replace(progress, offset=progress.offset + end)


def _fold(progress: Progress, line: bytes) -> Progress:
    try:
        data = json.loads(line)
        return _FOLDS[data["event"]](progress, data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return progress  # a line torn by a crash, or an event of a newer version


def _stage_started(progress: Progress, data: dict) -> Progress:
    done = progress.stages_done
    if progress.stage and progress.stage != data["stage"]:
        done = tuple(dict.fromkeys((*done, progress.stage)))
    return replace(
        progress,
        stage=data["stage"],
        step=0,
        steps=data["steps"],
        seconds_left=None,
        stages_done=tuple(name for name in done if name != data["stage"]),
        origin=(data["time"], 0),
        **({"crops": (), "photo_crops": ()} if data["stage"] == SUBJECT else {}),
    )


def _resumed(progress: Progress, data: dict) -> Progress:
    return replace(progress, stage="", step=0, steps=0, seconds_left=None)


def _step_done(progress: Progress, data: dict) -> Progress:
    step, steps, moment = data["step"], data["steps"], data["time"]
    resumed = progress.step == 0 and step > 1
    origin = (moment, step) if resumed else progress.origin
    pace = (moment - origin[0]) / max(step - origin[1], 1)
    left = pace * (steps - step) if step > origin[1] else None
    return replace(
        progress,
        stage=data["stage"],
        step=step,
        steps=steps,
        seconds_left=left,
        origin=origin,
        photo_crops=_photo_crops(progress) if data["stage"] == SUBJECT else progress.photo_crops,
    )


def _photo_crops(progress: Progress) -> tuple[str, ...]:
    """One entry more: the newest crop when it belongs to no photo yet, else nothing."""
    fresh = [name for name in progress.crops if name not in progress.photo_crops]
    return (*progress.photo_crops, fresh[-1] if fresh else "")


def _preview(progress: Progress, data: dict) -> Progress:
    if data["kind"] == "crop":
        return replace(progress, crops=tuple(dict.fromkeys((*progress.crops, data["image"]))))
    return replace(progress, pictures={**progress.pictures, data["kind"]: data["image"]})


def _notice(progress: Progress, data: dict) -> Progress:
    return replace(progress, notices=tuple(dict.fromkeys((*progress.notices, data["text"]))))


def _likeness(progress: Progress, data: dict) -> Progress:
    return replace(progress, likeness=data["similarity"], encoder=data["encoder"], same_person=data["same_person"])


def _finished(progress: Progress, data: dict) -> Progress:
    done = tuple(dict.fromkeys((*progress.stages_done, progress.stage)))
    return replace(progress, glb=data["glb"], stages_done=done, seconds_left=0.0)


_FOLDS = {
    RESUMED: _resumed,
    "StageStarted": _stage_started,
    "StepDone": _step_done,
    "Preview": _preview,
    "Notice": _notice,
    "LikenessMeasured": _likeness,
    "Finished": _finished,
}
