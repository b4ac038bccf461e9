"""What a run may report while it works. Events hold plain numbers, text and uint8 arrays, never tensors."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np


@dataclass(frozen=True)
class StageStarted:
    """A stage begins; `steps` is how many StepDone it will report at most."""

    stage: str
    steps: int


@dataclass(frozen=True)
class StepDone:
    """`step` of `steps` of a stage is finished (the first is 1)."""

    stage: str
    step: int
    steps: int
    losses: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Preview:
    """A picture of the work so far: `kind` is normal, relit, albedo, sheet or crop; `image` [H, W, 3] uint8 sRGB.

    caption: what it shows, the name of an expression; empty where there is nothing to say.
    """

    stage: str
    kind: str
    image: np.ndarray
    caption: str = ""


@dataclass(frozen=True)
class Notice:
    """Something the user should know, in one sentence."""

    text: str


@dataclass(frozen=True)
class LikenessMeasured:
    """Cosine similarity of a render's embedding to the photos' mean embedding, -1..1, by the named encoder.

    same_person: the similarity from which this encoder takes two photos for one person.
    """

    similarity: float
    encoder: str
    same_person: float


@dataclass(frozen=True)
class Finished:
    """The run is done; `folder` holds the asset, `glb` is its main file."""

    folder: Path
    glb: Path


Event = StageStarted | StepDone | Preview | Notice | LikenessMeasured | Finished
Result = TypeVar("Result")


def exhausted(generator: Generator[object, None, Result]) -> Result:
    """What a generator of events returns in the end, its events unwatched."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value
