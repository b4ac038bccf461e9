"""What all optimisations share: guarded steps, averaged parameters, and a state that is saved and resumed."""

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from idto3d.errors import UserError
from idto3d.events import Event, Notice, Preview, StageStarted, StepDone
from idto3d.stop import undisturbed

AVERAGE = 0.95  # weight of the past in the running mean of the parameters
CLIP = 1.0

log = logging.getLogger(__name__)


class Optimiser:
    """Adam over groups (parameters, rate) of a field, with a running mean of its parameters.

    Steps whose loss or gradient is not finite are skipped and counted in `skipped`.
    """

    def __init__(self, field: nn.Module, groups: Iterable[tuple[list[nn.Parameter], float]], total: int):
        self.field, self.total, self.step_count, self.skipped, self.whole = field, total, 0, 0, True
        self._adam = torch.optim.Adam(
            [{"params": list(parameters), "lr": rate, "peak": rate} for parameters, rate in groups], betas=(0.9, 0.99)
        )
        self._mean = {name: value.detach().clone() for name, value in field.named_parameters()}

    def step(self, loss: Tensor) -> bool:
        """Follow the loss's gradient; False where that was not finite and nothing was changed."""
        self._adam.zero_grad(set_to_none=True)
        loss.backward()
        norms = [nn.utils.clip_grad_norm_(group["params"], CLIP) for group in self._adam.param_groups]
        finite = bool(torch.isfinite(loss) and all(torch.isfinite(norm) for norm in norms))
        undisturbed(lambda: self._count(finite))
        return finite

    def _count(self, finite: bool) -> None:
        """Finish a step, as a whole; `whole` says that none is half done."""
        self.whole = False
        self.step_count += 1
        self._set_rates()
        if finite:
            self._adam.step()
            self._follow()
        self.skipped += not finite
        self.whole = True

    def _set_rates(self) -> None:
        share = self.step_count / self.total
        for group in self._adam.param_groups:
            group["lr"] = group["peak"] * min(1.0, self.step_count / 10) * (1.0 if share < 0.5 else 2.1 - 2 * share)

    @torch.no_grad()
    def _follow(self) -> None:
        keep = min(AVERAGE, 1 - 1 / (self.step_count + 1))
        for name, value in self.field.named_parameters():
            self._mean[name].lerp_(value, 1 - keep)

    @torch.no_grad()
    def settle(self) -> None:
        """Put the running mean into the field: less noise than the last step's values."""
        for name, value in self.field.named_parameters():
            value.copy_(self._mean[name])

    def tensors(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Everything a resumed run needs, flat: field, mean, Adam's moments, and the state of its random numbers."""
        saved = {"random": generator.get_state(), "skipped": torch.tensor(self.skipped)}
        saved |= {f"field.{name}": value for name, value in self.field.state_dict().items()}
        saved |= {f"mean.{name}": value for name, value in self._mean.items()}
        for number, state in self._adam.state_dict()["state"].items():
            saved |= {f"adam.{number}.{key}": torch.as_tensor(value) for key, value in state.items()}
        return saved

    def load(self, tensors: Mapping[str, Tensor], step: int, generator: torch.Generator) -> None:
        """Continue after `step` from `tensors` of an earlier `tensors()`; `generator` goes on where it was."""
        self.field.load_state_dict(under("field.", tensors))
        device = next(iter(self._mean.values())).device
        self._mean = {name: value.to(device).clone() for name, value in under("mean.", tensors).items()}
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in under("adam.", tensors).items():
            number, name = key.split(".", 1)
            state.setdefault(int(number), {})[name] = value.clone()
        self._adam.load_state_dict({"state": state, "param_groups": self._adam.state_dict()["param_groups"]})
        self.step_count, self.skipped = step, int(tensors["skipped"])
        generator.set_state(tensors["random"].cpu())


def under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those of `tensors` whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


class SavedStage(Protocol):
    """Where a stage stood: `step` steps were finished; `tensors` are what it gave to `save`."""

    step: int
    tensors: Mapping[str, Tensor]


class Checkpoints(Protocol):
    """Where stages save themselves; see jobs.checkpoint."""

    def due(self) -> bool:
        """Whether it is time to save."""
        ...

    def save(self, stage: str, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Save a stage after `step` steps."""
        ...

    def latest(self, stage: str) -> SavedStage | None:
        """The newest that was saved of a stage; None where there is nothing of it."""
        ...


class Keeper:
    """Saves a stage as it goes: when a checkpoint is due, and with its last whole step when it is stopped in its midst.

    Around the stage's steps as a context: being closed or interrupted there saves it. `kept` gives what its checkpoints
    hold beside the optimiser's state. A full disk, or no time to write it all, leaves the checkpoint of before.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        stage: str,
        optimiser: Optimiser,
        generator: torch.Generator,
        kept: Callable[[], Mapping[str, Tensor]] = dict,
    ):
        self._checkpoints, self._stage, self._optimiser, self._generator = checkpoints, stage, optimiser, generator
        self._kept, self._saved_step = kept, optimiser.step_count
        self.step_begins()

    def step_begins(self) -> None:
        """Remember what a step changes before it counts: random numbers, and what is kept."""
        self._moment = (self._optimiser.step_count, self._generator.get_state(), self._kept())

    def step_ends(self) -> None:
        """Save where that is due."""
        if self._checkpoints.due():
            self.save()

    def save(self) -> None:
        """Save the stage after its last step."""
        self._write(self._generator.get_state(), self._kept())

    def _write(self, random: Tensor, kept: Mapping[str, Tensor]) -> None:
        self._saved_step = self._optimiser.step_count
        tensors = self._optimiser.tensors(self._generator) | {"random": random} | dict(kept)
        self._checkpoints.save(self._stage, self._saved_step, tensors)

    def __enter__(self) -> "Keeper":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_) -> None:
        if kind is None or not issubclass(kind, (GeneratorExit, KeyboardInterrupt)):
            return
        step, random, kept = self._moment
        done = self._optimiser.step_count
        if not self._optimiser.whole or done == self._saved_step:
            return
        try:
            self._write(*((random, kept) if done == step else (self._generator.get_state(), self._kept())))
        except (UserError, OSError) as error:  # a full disk, or the folder is gone
            log.warning("stage '%s' was stopped and not saved: %s", self._stage, error)


class StepLost(Exception):
    """A step that came to nothing, for a reason that is said in one sentence; the stage goes on with the next."""


@dataclass(frozen=True, eq=False)
class Work:
    """What a stage does: `step` takes one and returns its losses, `shown` is the preview after so many steps.

    steps_called: in a sentence, such as "skin steps"; preview_every: so many steps, and after the first and the last.
    """

    stage: str
    steps_called: str
    step: Callable[[], Mapping[str, float]]
    shown: Callable[[int], Preview]
    preview_every: int


def optimised(
    work: Work, optimiser: Optimiser, keeper: Keeper, saved: SavedStage | None
) -> Generator[Event, None, None]:
    """Take the steps of a stage that are left; in the end its field holds the running mean.

    saved: where the stage went on from, which the `optimiser` has loaded.
    """
    total = optimiser.total
    yield StageStarted(work.stage, total)
    with keeper:
        while optimiser.step_count < total:
            keeper.step_begins()
            yield from _one_step(work, optimiser)
            keeper.step_ends()
    optimiser.settle()
    if optimiser.skipped:
        number = f"{optimiser.skipped} of {total} {work.steps_called}"
        yield Notice(f"{number} were skipped because they were not finite.")
    if not saved or saved.step < total:
        keeper.save()


def _one_step(work: Work, optimiser: Optimiser) -> Generator[Event, None, None]:
    losses: Mapping[str, float] = {}
    try:
        losses = work.step()
        step = optimiser.step_count
        if step % work.preview_every == 0 or step in (1, optimiser.total):
            yield work.shown(step)
    except StepLost as lost:
        optimiser.step_count += 1
        yield Notice(str(lost))
    yield StepDone(work.stage, optimiser.step_count, optimiser.total, losses)
