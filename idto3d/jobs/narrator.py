"""The progress of a run in lines of text, for who waits for it at a terminal."""

from pathlib import Path
from typing import TextIO

from idto3d.events import Event, Finished, LikenessMeasured, Notice, StageStarted, StepDone
from idto3d.jobs.event_log import Progress, read_progress


class Narrator:
    """Tells the events of the run in `folder` on a stream: one line, redrawn, on a terminal; sparse lines elsewhere."""

    WIDTH = 24

    def __init__(self, folder: Path, stream: TextIO):
        self._read = lambda: read_progress(folder, self._progress)
        self._progress = Progress()
        self._stream = stream
        self._live = stream.isatty()
        self._full, self._empty = "█░" if "utf" in (stream.encoding or "").lower() else "#."
        self._tenth = -1

    def tell(self, event: Event) -> None:
        """Tell one event that the run folder has recorded."""
        self._progress = self._read()
        match event:
            case StageStarted():
                self._tenth = -1
            case StepDone():
                self._step()
            case Notice():
                self._line(event.text)
            case LikenessMeasured():
                self._line(_likeness(event))
            case Finished():
                self._line(f"done: {event.glb}")

    def _step(self) -> None:
        tenth = 10 * self._progress.step // max(self._progress.steps, 1)
        if self._live:
            print(f"\r\033[K{self.bar()}", end="", file=self._stream, flush=True)
        elif tenth != self._tenth:
            print(self.bar(), file=self._stream, flush=True)
        self._tenth = tenth

    def _line(self, text: str) -> None:
        clear = "\r\033[K" if self._live else ""
        print(f"{clear}{text}", file=self._stream, flush=True)

    def bar(self) -> str:
        """Stage, bar, step, time left and likeness in one line."""
        now = self._progress
        full = self.WIDTH * now.step // max(now.steps, 1)
        line = f"{now.stage:<9} {self._full * full}{self._empty * (self.WIDTH - full)} {now.step}/{now.steps}"
        if now.seconds_left is not None and now.step < now.steps:
            line += f"  {clock(now.seconds_left)} left"
        return line + (f"  likeness {now.likeness:.2f}" if now.likeness is not None else "")


def _likeness(event: LikenessMeasured) -> str:
    who = "the same person" if event.similarity >= event.same_person else "another person"
    border = f"one person from {event.same_person:.2f}"
    return f"likeness {event.similarity:.2f}: {event.encoder} takes the head for {who} ({border})"


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
