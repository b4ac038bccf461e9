"""events.jsonl: what a run reported, one JSON line per event, and what those lines add up to."""

import io
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from idto3d.events import Event, Preview
from idto3d.files import write_atomic
from idto3d.jobs.pace.countdown import Countdown, planned, skipped, told
from idto3d.jobs.record import EDIT

FILE = "events.jsonl"
SUBJECT = "subject"
NOTHING: Mapping = MappingProxyType({})
RESUMED = "Resumed"
FAILED = "Failed"
PLANNED = "Planned"


class EventLog:
    """Appends events to a run folder; pictures become PNG files, of which the newest of each kind is kept."""

    def __init__(self, folder: Path, resumed: bool = False, asked: Mapping = NOTHING):
        """`resumed`: note that a run begins again, so that the stage it had stopped in does not count as done.

        `asked`: what for, as JSON, where that is further work on a finished head.
        """
        self.folder = folder
        self._crops = 0
        if resumed:
            self._write("\n")  # ends a line that a crash tore
            self._note({"time": round(time.time(), 3), "event": RESUMED, **asked})

    def append(self, event: Event) -> None:
        """Write one event."""
        data = {"time": round(time.time(), 3), "event": type(event).__name__}
        if isinstance(event, Preview):
            data |= {"stage": event.stage, "kind": event.kind, "image": self._save(event)}
            data |= {"caption": event.caption}
        else:
            data |= {f.name: _plain(getattr(event, f.name)) for f in fields(event)}
        self._note(data)

    def plan(self, seconds: Mapping[str, float]) -> None:
        """Write down how many seconds each stage is expected to take, from now on."""
        if seconds:
            self._note({"time": round(time.time(), 3), "event": PLANNED, "seconds": dict(seconds)})

    def _note(self, data: dict) -> None:
        self._write(json.dumps(data, ensure_ascii=False) + "\n")

    def _write(self, text: str) -> None:
        _add(self.folder, text)

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


def note_failure(folder: Path, what: str, remedy: str) -> None:
    """Write down why further work on the finished head in `folder` did not end well, in two sentences."""
    data = {"time": round(time.time(), 3), "event": FAILED, "what": what, "remedy": remedy}
    _add(folder, json.dumps(data, ensure_ascii=False) + "\n")


def _add(folder: Path, text: str) -> None:
    with open(folder / FILE, "a", encoding="utf-8") as file:
        file.write(text)


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

    `pictures` and `captions` hold, by kind, the file of the newest preview and what it shows. `photo_crops` holds, for
    each photo read so far, the file of its crop, or nothing when it was left out. `failure` are two sentences on why
    the last work on a finished head did not end well, what and what to do. `seconds_left` are those of the whole run
    where it was planned, else of the stage, at the moment of the last event.
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
    captions: Mapping[str, str] = field(default_factory=dict)
    countdown: Countdown = Countdown()
    photo_crops: tuple[str, ...] = ()
    failure: tuple[str, str] | None = None


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
        return _timed(progress, _FOLDS[data["event"]](progress, data), data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return progress  # a line torn by a crash, or an event of a newer version


def _timed(before: Progress, now: Progress, data: dict) -> Progress:
    """`now`, an event after `before`, with the seconds left of the whole run where they are planned."""
    event, count = data["event"], now.countdown
    if not count.plan or event not in ("StageStarted", "StepDone", PLANNED):
        return now
    if event == "StageStarted" and before.stage != now.stage and not before.step:
        count = skipped(count, before.stage, 1.0)
    first = event == "StepDone" and not before.step and now.step > 1
    if first:
        count = skipped(count, now.stage, (now.step - 1) / max(now.steps, 1))
    count = told(count, data["time"], now.stage, now.step / max(now.steps, 1), jump=first)
    return replace(now, countdown=count, seconds_left=count.left)


def _planned(progress: Progress, data: dict) -> Progress:
    return replace(progress, countdown=planned(data["seconds"], data["time"]))


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
        likeness=None if data["stage"] == EDIT else progress.likeness,  # it was of the head before
        **({"crops": (), "photo_crops": ()} if data["stage"] == SUBJECT else {}),
    )


def _resumed(progress: Progress, data: dict) -> Progress:
    told = () if "kind" in data else progress.notices  # what was said of other work
    begun = replace(progress, stage="", step=0, steps=0, seconds_left=None)
    return replace(begun, notices=told, failure=None, countdown=Countdown())


def _failed(progress: Progress, data: dict) -> Progress:
    return replace(progress, failure=(str(data["what"]), str(data["remedy"])), seconds_left=None)


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
    kind, caption = data["kind"], data.get("caption", "")
    pictures, captions = {**progress.pictures, kind: data["image"]}, {**progress.captions, kind: caption}
    return replace(progress, pictures=pictures, captions=captions)


def _notice(progress: Progress, data: dict) -> Progress:
    return replace(progress, notices=tuple(dict.fromkeys((*progress.notices, data["text"]))))


def _likeness(progress: Progress, data: dict) -> Progress:
    return replace(progress, likeness=data["similarity"], encoder=data["encoder"], same_person=data["same_person"])


def _finished(progress: Progress, data: dict) -> Progress:
    done = tuple(dict.fromkeys((*progress.stages_done, progress.stage)))
    return replace(progress, glb=data["glb"], stages_done=done, seconds_left=0.0)


_FOLDS = {
    RESUMED: _resumed,
    FAILED: _failed,
    PLANNED: _planned,
    "StageStarted": _stage_started,
    "StepDone": _step_done,
    "Preview": _preview,
    "Notice": _notice,
    "LikenessMeasured": _likeness,
    "Finished": _finished,
}
