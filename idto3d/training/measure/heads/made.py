"""Heads of prompts, made or found: those that lie finished in a folder are not made twice."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from torch import Tensor

from idto3d.candidates import propose
from idto3d.config import HeadOptions, preset
from idto3d.errors import UserError
from idto3d.events import Candidate, CandidatesFound, StageStarted
from idto3d.files import json_object, read_metadata, remove
from idto3d.pipeline import create_head
from idto3d.stages.saved import FILE, KEY

SHOWN = 9  # candidates
PRESET = "draft"
CHOOSING, LOADING = "choosing", "loading"


class Unsaved:
    """No checkpoints: what is broken off begins anew, and whole heads are kept."""

    def due(self) -> bool:
        """Never."""
        return False

    def save(self, stage: str, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Nothing is saved."""

    def latest(self, stage: str) -> None:
        """Nothing was saved."""


@dataclass
class Clock:
    """Seconds by part of the work, of which one goes on until the next begins."""

    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        self._part, self._since = "", time.perf_counter()

    def begin(self, part: str) -> None:
        """From now on time is spent on `part`; on nothing for ""."""
        now = time.perf_counter()
        if self._part:
            self.seconds[self._part] = self.seconds.get(self._part, 0.0) + now - self._since
        self._part, self._since = part, now


def options_of(prompt: str, weights: str, steps: int | None, seed: int = 0, device: str = "auto") -> HeadOptions:
    """Those of a draft of a head of words; steps: of shape and colour each, its own where None."""
    options = replace(preset(PRESET), prompt=prompt, weights=weights, seed=seed, device=device)
    if steps is None:
        return options
    return replace(
        options,
        shape=replace(options.shape, steps=steps),
        material=replace(options.material, steps=steps, refine_steps=min(options.material.refine_steps, steps)),
    )


def finished_in(folder: Path) -> dict[str, Path]:
    """The folders of the finished heads right below `folder`, by their prompts. Raises UserError for a damaged one."""
    found = {}
    for file in sorted(folder.glob(f"*/{FILE}")):
        found.setdefault(json_object(read_metadata(file)[KEY])["options"]["prompt"], file.parent)
    return found


def candidates_of(options: HeadOptions, count: int = SHOWN) -> tuple[Candidate, ...]:
    """So many candidates for the words of `options`; none, as is said, where the weights cannot choose."""
    try:
        found = [event.candidates for event in propose(options, (), count) if isinstance(event, CandidatesFound)]
    except UserError as fault:
        print(f"  {fault.what}", file=sys.stderr)
        return ()
    return found[-1] if found else ()


def with_chosen(options: HeadOptions, candidates: Sequence[Candidate]) -> HeadOptions:
    """Those of a head that is the best of its candidates, which then need not be found again."""
    if not candidates:
        return options
    return replace(options, choice=replace(options.choice, chosen=candidates[0].coefficients))


def make(options: HeadOptions, folder: Path, clock: Clock) -> Path:
    """The head of `options`, made in `folder`; what lies there of one that was broken off goes first."""
    remove(folder)
    for event in create_head([], options, folder, Unsaved()):
        if isinstance(event, StageStarted):
            clock.begin(event.stage)
    return folder


def seeds_apart_mm(first: Sequence[Candidate], second: Sequence[Candidate], modes: np.ndarray) -> float:
    """The mean distance of the faces of two seeds' best candidates, millimetres; modes [K, V, 3]: of the face."""
    change = np.subtract(first[0].coefficients, second[0].coefficients)
    return 1000 * float(np.linalg.norm(np.tensordot(change, modes, 1), axis=-1).mean())


def named(prompts: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each prompt with the name of its folder and its files."""
    for number, prompt in enumerate(prompts, 1):
        yield prompt, f"{number:02d}_" + "_".join("".join(c if c.isalnum() else " " for c in prompt).split())[:48]
