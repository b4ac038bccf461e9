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


@dataclass(frozen=True, eq=False)
class Candidate:
    """A head that words could mean, before it is made.

    `coefficients` are what `choice.chosen` takes; `score` says how well it fits the words, the more the better, against
    others of one answer; `picture` [S, S, 3] uint8 sRGB shows it from in front, bare of hair.
    """

    coefficients: tuple[float, ...]
    score: float
    picture: np.ndarray


@dataclass(frozen=True, eq=False)
class CandidatesFound:
    """The candidates that were asked for, the best one first; said before the end, those that are drawn by then."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, eq=False)
class HairChoice:
    """A hair style or a colour that words could mean: its `name` is a word of the prompt or of an edit.

    `score` as of a Candidate, `picture` [S, S, 3] uint8 sRGB of it on a head.
    """

    name: str
    score: float
    picture: np.ndarray


@dataclass(frozen=True, eq=False)
class HairFound:
    """Hair styles, each in the best colour, and colours, each in the best style; the best first."""

    styles: tuple[HairChoice, ...]
    colours: tuple[HairChoice, ...]


@dataclass(frozen=True)
class Finished:
    """The run is done; `folder` holds the asset, `glb` is its main file."""

    folder: Path
    glb: Path


Event = StageStarted | StepDone | Preview | Notice | LikenessMeasured | CandidatesFound | HairFound | Finished
Result = TypeVar("Result")


def exhausted(generator: Generator[object, None, Result]) -> Result:
    """What a generator of events returns in the end, its events unwatched."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value
