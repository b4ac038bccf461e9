"""Checkpoints of a stage: tensors as safetensors, numbers as JSON, either whole or not there.

A checkpoint is a pair `NNNNNN_stage_step.safetensors` and `.json`. The JSON comes last and holds the digest of the
tensors and its own, so a pair torn by a crash, or damaged later, is recognised and the one before it is used. torch and
safetensors are imported only when tensors are written or read.
"""

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from idto3d.errors import UserError
from idto3d.events import Event, StepDone
from idto3d.files import NO_SPACE, read_tensors, remove, sha256_of, write_json, write_tensors
from idto3d.jobs.event_log import Progress

if TYPE_CHECKING:
    from torch import Tensor

SCHEMA = 2
SAVED = ("shape", "carving", "texture", "material")  # the stages whose results are saved when they end
KEPT = 2  # of each stage: a finished one keeps its result while the next one works
NAME = re.compile(r"(?P<number>\d{6})_(?P<stage>.+)_(?P<step>\d+)\.json")
NOTHING: Mapping = MappingProxyType({})

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """Where a stage stood: `step` steps were finished; `tensors` lie on the CPU."""

    stage: str
    step: int
    tensors: Mapping[str, "Tensor"]
    state: Mapping


class Checkpointer:
    """Saves checkpoints into `folder` and keeps the two newest of each stage; one is due every `every_seconds`."""

    def __init__(self, folder: Path, every_seconds: float, clock: Callable[[], float] = time.monotonic):
        self.folder = Path(folder)
        self._placed = self.folder.parent.exists()
        self.every_seconds = every_seconds
        self._clock = clock
        self._saved_at = clock()
        self._skipped: dict[str, str] = {}

    def due(self) -> bool:
        """Whether the last one is old enough for another; ask before gathering many tensors."""
        return self._clock() - self._saved_at >= self.every_seconds

    def save(self, stage: str, step: int, tensors: Mapping[str, "Tensor"], state: Mapping = NOTHING) -> None:
        """Save a checkpoint, due or not. `state` is JSON. Raises UserError on a full disk."""
        self.folder.mkdir(parents=not self._placed, exist_ok=True)  # a run folder that was removed stays away
        try:
            self._write(f"{self._next_number():06}_{stage}_{step}", stage, step, tensors, state)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            again = "resume" if self._records() else "start the run again"
            raise UserError("The disk is too full for a checkpoint.", f"Free some space and {again}.") from error
        self._prune()
        self._saved_at = self._clock()

    def latest(self, stage: str) -> Checkpoint | None:
        """The newest whole checkpoint of `stage`, None when there is none; damaged ones are skipped, see `skipped`."""
        for record in reversed(self._records(stage)):
            try:
                return _read(record)
            except (UserError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
                log.warning("skipping the damaged checkpoint %s: %s", record.name, error)
                step = int(NAME.fullmatch(record.name)["step"])
                self._skipped[record.name] = f"The checkpoint of '{stage}' at step {step} is damaged and is left out."
        return None

    def skipped(self) -> list[str]:
        """A sentence for each checkpoint that was damaged, since this was asked last."""
        told, self._skipped = list(self._skipped.values()), {}
        return told

    def clear(self) -> None:
        """Remove all checkpoints, whole or torn, and their folder."""
        remove(self.folder)

    def _write(self, name: str, stage: str, step: int, tensors: Mapping[str, "Tensor"], state: Mapping) -> None:
        path = self.folder / f"{name}.safetensors"
        write_tensors(path, tensors)
        data = {"schema": SCHEMA, "stage": stage, "step": step, "sha256": sha256_of(path), "state": dict(state)}
        write_json(path.with_suffix(".json"), data | {"whole": _digest(data)})

    def _records(self, stage: str | None = None) -> list[Path]:
        """The JSON halves, of all stages or of one, oldest first."""
        names = ((path, NAME.fullmatch(path.name)) for path in self.folder.glob("*.json"))
        return sorted(path for path, parts in names if parts and stage in (None, parts["stage"]))

    def _next_number(self) -> int:
        records = self._records()
        return int(NAME.fullmatch(records[-1].name)["number"]) + 1 if records else 1

    def _prune(self) -> None:
        """Remove what is old, and halves of a torn save; of a pair the JSON first, so that none names what is gone."""
        stages = {NAME.fullmatch(record.name)["stage"] for record in self._records()}
        kept = {record.stem for stage in stages for record in self._records(stage)[-KEPT:]}
        for path in sorted(self.folder.iterdir()):
            if path.stem not in kept:
                path.unlink(missing_ok=True)


def _read(record: Path) -> Checkpoint:
    """Read one pair. Raises UserError, OSError, ValueError, KeyError or TypeError when it is damaged."""
    data = json.loads(record.read_text(encoding="utf-8"))
    path = record.with_suffix(".safetensors")
    if data["schema"] != SCHEMA:
        raise ValueError(f"schema {data['schema']}, expected {SCHEMA}")
    if sha256_of(path) != data["sha256"]:
        raise ValueError("the tensors do not match their digest")
    if data.pop("whole") != _digest(data):
        raise ValueError("the numbers do not match their digest")
    return Checkpoint(data["stage"], data["step"], read_tensors(path), data["state"])


def _digest(data: dict) -> str:
    """Hexadecimal SHA-256 of numbers as they stand in JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


class Losses:
    """Which work a run does again that had got as far as `progress` when it stopped."""

    def __init__(self, progress: Progress | None = None):
        self._before = progress or Progress()
        self._seen: set[str] = set()

    def before(self, event: Event) -> list[str]:
        """What there is to say before `event`, in sentences: for the first step of a stage that was done already."""
        if not isinstance(event, StepDone) or event.stage in self._seen:
            return []
        self._seen.add(event.stage)
        if event.stage in SAVED and event.stage in self._before.stages_done:
            return [f"What was saved of this stage is lost: its steps from {event.step} on are done again."]
        if event.stage != self._before.stage or event.step > self._before.step:
            return []
        lost = self._before.step - event.step + 1
        steps, they = ("1 step is", "it was") if lost == 1 else (f"{lost} steps are", "they were")
        return [f"{steps} done again, as {they} not saved."]
