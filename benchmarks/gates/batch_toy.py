"""A pipeline whose heads are a few steps that are written down, each once, whoever makes them and however often."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from idto3d.config import HeadOptions
from idto3d.events import Event, Finished, StageStarted, StepDone

STEPS = "steps.txt"  # a line a step
PAUSE = 0.1


def create_head(_photos: Sequence[Path], options: HeadOptions, folder: Path, _checkpoints) -> Iterator[Event]:
    """Do the steps that are not done, then write the toy's head; the last event is Finished."""
    first = len(steps_in(folder)) + 1
    yield StageStarted("shape", options.shape.steps)
    for step in range(first, options.shape.steps + 1):
        time.sleep(PAUSE)
        with open(folder / STEPS, "a") as file:
            file.write(f"{step}\n")
        yield StepDone("shape", step, options.shape.steps)
    glb = folder / "head.glb"
    glb.write_bytes(b"glTF")
    yield Finished(folder, glb)


def steps_in(folder: Path) -> list[str]:
    """The steps that are written down in a run folder."""
    file = folder / STEPS
    return file.read_text().split() if file.is_file() else []
