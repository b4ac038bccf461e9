"""Training one stage of the denoiser, in one process or in many, through accelerate.

Every process draws other views; accelerate averages the gradients, so all hold the same weights. The main process
alone decides when the stage is over, measures, and writes.
"""

import math
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedDataParallelKwargs, InitProcessGroupKwargs, broadcast
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from idto3d.device import choose_device, choose_dtype
from idto3d.errors import UserError
from idto3d.files import write_tensors
from idto3d.training.denoiser import Data, DenoiserOptions, denoising_loss
from idto3d.training.measure.heard import heard
from idto3d.training.model import Model, load_average, trained_tensors
from idto3d.training.state import read_state, state_path, step_random, write_state
from idto3d.training.twins import draw_twins, sittings
from idto3d.training.vae import progress
from idto3d.training.watch import Watch

PRECISIONS = ("auto", "bf16", "fp16", "no")
READING_WEIGHTS = re.compile(r"attn2\.to_[kv]\.weight$")  # of the base; with an adapter on it, the LoRA learns instead
PROCESS_TIMEOUT = timedelta(hours=6)  # how long processes wait for the main one, which may be encoding the data set


@dataclass(frozen=True)
class Stage:
    """One stage for one model whose learning parameters are marked by `requires_grad`.

    `checkpoint` is the file of its result, the moving average; while it is under way its state lies beside it.
    """

    name: str
    domains: tuple[str, ...]
    options: DenoiserOptions
    checkpoint: Path


@dataclass
class Progress:
    """How far a stage is. `best` is the lowest held-out error, `waited` the evaluations since, `skipped` the steps
    whose gradient was not finite."""

    step: int = 0
    seconds: float = 0.0
    best: float | None = None
    waited: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Run:
    """A stage under way. `wrapped` is what accelerate made of `model`; `started` is monotonic time; see `sittings`."""

    accelerator: Accelerator
    model: Model
    wrapped: nn.Module
    trained: dict[str, nn.Parameter]
    optimiser: torch.optim.Optimizer
    average: EMAModel
    progress: Progress
    started: float
    sittings: Tensor

    def seconds(self) -> float:
        """Time spent on the stage, that before an interruption included."""
        return time.monotonic() - self.started


def make_accelerator(precision: str) -> Accelerator:
    """The device and the processes that this program was launched with. Raises UserError for fp16 without a GPU.

    `auto` is bf16 where the device computes in it: a CPU that only emulates it takes ten times as long.
    """
    device = choose_device("auto")
    on_cpu = device.type == "cpu"
    if precision == "auto":
        precision = {torch.bfloat16: "bf16", torch.float16: "fp16"}.get(choose_dtype(device), "no")
    if precision == "fp16" and on_cpu:
        raise UserError("Half precision (fp16) needs a GPU.", "Use --precision bf16.")
    handlers = [DistributedDataParallelKwargs(broadcast_buffers=False), InitProcessGroupKwargs(timeout=PROCESS_TIMEOUT)]
    return Accelerator(mixed_precision=precision, cpu=on_cpu, kwargs_handlers=handlers)


def train_denoiser(
    accelerator: Accelerator, model: Model, stage: Stage, data: Data, held_out: Data | None, watch: Watch
) -> None:
    """Train until the stage's time or steps are over or it stops early; the model ends with the moving average.

    With `early_stop` the result is the average at the lowest held-out error. Continues from a state that it finds.
    Raises UserError for a state of other parameters.
    """
    run = _begin(accelerator, model, stage, sittings(data.people))
    saved = time.monotonic()
    while (share := _share(run, stage.options)) < 1:
        loss = _train_step(run, stage, data, share)
        if not accelerator.is_main_process:
            continue
        if held_out is not None and run.progress.step % stage.options.evaluate_steps == 0:
            watch.tell(stage.name, run.progress.step, run.seconds(), _evaluate(run, stage, held_out))
        if time.monotonic() - saved > stage.options.save_seconds:
            _save(run, stage)
            saved = time.monotonic()
        watch.step(stage.name, run.progress.step, run.seconds(), loss)
        if watch.picture_due():
            with averaged(run):
                watch.picture(model, stage.name, stage.domains, run.progress.step)
    _finish(run, stage)


def _begin(accelerator: Accelerator, model: Model, stage: Stage, sitting: Tensor) -> Run:
    model.to(accelerator.device)
    model.unet.to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    trained = trained_tensors(model)
    groups = _groups(model, list(trained.values()), stage.options)
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=1e-4, fused=True)
    accelerator.ddp_handler.find_unused_parameters = len(stage.domains) > 1  # a step uses one domain's branches
    wrapped, optimiser = accelerator.prepare(copy(model), optimiser)  # it marks and changes the object it is given
    average = EMAModel(trained.values(), decay=stage.options.ema, foreach=True)
    state = read_state(state_path(stage.checkpoint), trained, optimiser, average.shadow_params) or {}
    scaler = state.pop("scaler", None)
    if scaler and accelerator.scaler is not None:
        accelerator.scaler.load_state_dict(scaler)
    done = Progress(**state)
    average.optimization_step = done.step
    started = time.monotonic() - done.seconds
    return Run(accelerator, model, wrapped, trained, optimiser, average, done, started, sitting)


def _groups(model: Model, trained: list[nn.Parameter], options: DenoiserOptions) -> list[dict]:
    """Parameter groups with their peak rates: the UNet's own weights, and what reads words and embeddings.

    The latter are the branches and the keys and values of the base's text cross-attention.
    """
    reading = {id(p) for p in model.branches.parameters()}
    reading |= {id(p) for name, p in model.unet.named_parameters() if READING_WEIGHTS.search(name)}
    if model.unet.add_embedding is not None:
        reading |= {id(p) for p in model.unet.add_embedding.parameters()}
    groups = (
        ([p for p in trained if id(p) not in reading], options.learning_rate),
        ([p for p in trained if id(p) in reading], options.condition_rate),
    )
    return [{"params": params, "lr": rate, "peak": rate} for params, rate in groups if params]


def _share(run: Run, options: DenoiserOptions) -> float:
    """Share 0..1 of the stage that is over, as the main process sees it: all stop at the same step."""
    share = progress(run.started, options.minutes, run.progress.step, options.most_steps)
    if 0 < options.early_stop <= run.progress.waited:
        share = 1.0
    return broadcast(torch.tensor([share], device=run.accelerator.device)).item()


def _train_step(run: Run, stage: Stage, data: Data, share: float) -> Tensor:
    """One step on a batch of this process's own; returns the loss."""
    done, options = run.progress, stage.options
    random = step_random(options.seed, done.step, run.accelerator.process_index)
    domain = stage.domains[done.step % len(stage.domains)]
    batch = draw_twins(data.people, data.latents[domain], domain, run.sittings, options, random)
    batch = batch.to(run.accelerator.device)
    loss = denoising_loss(run.wrapped, run.model.scheduler, domain, batch, options, random)
    run.optimiser.zero_grad(set_to_none=True)
    run.accelerator.backward(loss)
    for group in run.optimiser.param_groups:
        group["lr"] = group["peak"] * options.rate(done.step, share)
    _apply(run)
    done.step += 1
    return loss.detach()


def _apply(run: Run) -> None:
    """Step the optimiser, then the moving average; a gradient that is not finite is left out and counted.

    The norm is that of the averaged gradient, so all processes decide alike. fp16's scaler leaves out by itself.
    """
    finite = bool(run.accelerator.clip_grad_norm_(list(run.trained.values()), 1.0).isfinite())
    run.progress.skipped += not finite
    if finite or run.accelerator.scaler is not None:
        run.optimiser.step()
    run.average.step(run.trained.values())


@contextmanager
def averaged(run: Run) -> Iterator[None]:
    """The model with its moving average in place of what is being trained, in the run's precision."""
    parameters = list(run.trained.values())
    run.average.store(parameters)
    run.average.copy_to(parameters)
    try:
        with run.accelerator.autocast():
            yield
    finally:
        run.average.restore(parameters)


def _evaluate(run: Run, stage: Stage, held_out: Data) -> dict[str, float]:
    """What `heard` finds per domain, of the moving average; keeps the best one's weights."""
    figures, errors = {}, []
    with averaged(run):
        for domain in stage.domains:
            measured = heard(run.model, held_out, domain)
            errors.append(measured["error"])
            figures |= {f"{domain}_{name}": round(value, 5) for name, value in measured.items()}
    _judge(run, stage, sum(errors) / len(errors))
    return figures


def _judge(run: Run, stage: Stage, error: float) -> None:
    """Count an evaluation; with early stopping the average of the lowest error is kept as the result."""
    done = run.progress
    done.waited += 1
    if not error < (math.inf if done.best is None else done.best):  # nor where it is not a number
        return
    if stage.options.early_stop:
        if not state_path(stage.checkpoint).exists():
            _save(run, stage)  # a checkpoint without a state would pass for a finished stage
        _save_average(run, stage)
    done.best, done.waited = error, 0
    if stage.options.early_stop:
        _save(run, stage)


def _save(run: Run, stage: Stage) -> None:
    """Write the state and then, unless the best one is kept, the average: a checkpoint without a state is finished."""
    about = asdict(run.progress) | {"seconds": run.seconds()}
    if run.accelerator.scaler is not None:
        about["scaler"] = run.accelerator.scaler.state_dict()
    write_state(state_path(stage.checkpoint), run.trained, run.optimiser, about, run.average.shadow_params)
    if not stage.options.early_stop:
        _save_average(run, stage)


def _save_average(run: Run, stage: Stage) -> None:
    write_tensors(stage.checkpoint, dict(zip(run.trained, run.average.shadow_params, strict=True)))


def _finish(run: Run, stage: Stage) -> None:
    """Give all processes the result and write it."""
    run.average.copy_to(run.trained.values())
    if run.accelerator.is_main_process:
        if stage.options.early_stop and run.progress.best is not None:
            load_average(run.model, stage.checkpoint)
        else:
            _save_average(run, stage)
        state_path(stage.checkpoint).unlink(missing_ok=True)
    broadcast([parameter.data for parameter in run.trained.values()])
    run.accelerator.free_memory()
    run.accelerator.wait_for_everyone()
