"""A light run for gates in which its folder is the point: numbers that depend on every step, saved now and then."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import torch

from idto3d.config import HeadOptions
from idto3d.events import Event, Finished, Notice, Preview, StageStarted, StepDone
from idto3d.files import write_atomic, write_tensors
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.jobs.record import Job
from idto3d.jobs.run_folder import GLB, HEAD, begin, perform, take_up

STEPS = 20
STAGE = "shape"
WIDTH = 64


def work(
    folder: Path,
    job: Job,
    checkpoints: Checkpointer,
    pause: float = 0.0,
    each: Callable[[int], None] = lambda step: None,
) -> Iterator[Event]:
    """Work out a head of numbers; `each` is called before every step, which takes `pause` seconds."""
    saved = checkpoints.latest(STAGE)
    state = saved.tensors["state"] if saved else torch.tensor(list(job.options.prompt.encode().ljust(WIDTH, b".")))
    yield StageStarted(STAGE, STEPS)
    for step in range((saved.step if saved else 0) + 1, STEPS + 1):
        each(step)
        time.sleep(pause)
        state = (state * 31 + step) % 251
        if checkpoints.due():
            checkpoints.save(STAGE, step, {"state": state})
        yield StepDone(STAGE, step, STEPS)
    yield Preview(STAGE, "normal", np.zeros((8, 8, 3), np.uint8))
    yield Notice("The numbers are there.")
    write_tensors(folder / HEAD, {"state": state})
    yield Finished(folder, write_atomic(folder / GLB, bytes(state.tolist())))


def options(prompt: str, seconds: float) -> HeadOptions:
    """The options of a run that saves itself every so many `seconds`."""
    return HeadOptions(prompt=prompt, checkpoint_seconds=seconds)


def run(folder: Path, asked: HeadOptions, resume: bool = False, pause: float = 0.0, each=lambda step: None) -> list:
    """The events of a run begun or gone on with in `folder`. Raises as `begin`, `take_up` and `perform`."""
    lock, job = take_up(folder) if resume else begin(folder, [], asked)

    def shaped(folder: Path, job: Job, checkpoints: Checkpointer) -> Iterator[Event]:
        return work(folder, job, checkpoints, pause, each)

    with lock, closing(perform(folder, job, shaped, resume)) as events:
        return list(events)


def result(folder: Path) -> tuple[bytes, bytes]:
    """The bytes a run leaves: its head and its asset."""
    return (folder / HEAD).read_bytes(), (folder / GLB).read_bytes()
