"""The state of a training that is under way: enough to go on as if it had never stopped. Safetensors and JSON only.

Random numbers are not kept: those of a step follow from the seed, the step and the process.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from idto3d.errors import UserError
from idto3d.files import write_tensors

PROGRESS = "progress"


def state_path(checkpoint: Path) -> Path:
    """Where the state of the stage lies whose result is `checkpoint`; it exists while the stage is unfinished."""
    return checkpoint.with_suffix(".state.safetensors")


def is_finished(checkpoint: Path) -> bool:
    """Whether the stage of `checkpoint` ran to its end."""
    return checkpoint.exists() and not state_path(checkpoint).exists()


def step_random(seed: int, step: int, process: int = 0) -> torch.Generator:
    """The random numbers of one step in one of the processes."""
    (number,) = np.random.SeedSequence([seed, step, process]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(number))


def write_state(
    path: Path,
    trained: Mapping[str, nn.Parameter],
    optimiser: torch.optim.Optimizer,
    progress: dict,
    average: Sequence[Tensor] = (),
) -> None:
    """Write the parameters, Adam's moments, the moving average (in the order of `trained`) and `progress` as JSON."""
    tensors = {f"raw/{name}": parameter for name, parameter in trained.items()}
    tensors |= {f"average/{name}": value for name, value in zip(trained, average, strict=False)}
    for name, parameter in trained.items():
        moments = optimiser.state.get(parameter, {})
        tensors |= {f"adam/{key}/{name}": value for key, value in moments.items()}
    write_tensors(path, tensors, {PROGRESS: json.dumps(progress)})


def read_state(
    path: Path,
    trained: Mapping[str, nn.Parameter],
    optimiser: torch.optim.Optimizer,
    average: Sequence[Tensor] = (),
) -> dict | None:
    """Put a state back and return its progress, None where there is no state. Raises UserError for an unfit one."""
    if not path.exists():
        return None
    tensors, progress = _read(path)
    _expect_fitting(path, tensors, trained)
    with torch.no_grad():
        for name, value in zip(trained, average, strict=False):
            value.copy_(tensors[f"average/{name}"])
        for name, parameter in trained.items():
            parameter.copy_(tensors[f"raw/{name}"])
    for key in ("step", "exp_avg", "exp_avg_sq"):
        for name, parameter in trained.items():
            if f"adam/{key}/{name}" in tensors:
                optimiser.state[parameter][key] = _laid_out(tensors[f"adam/{key}/{name}"], parameter)
    return progress


def _laid_out(value: Tensor, parameter: nn.Parameter) -> Tensor:
    """`value` on the parameter's device and, a moment, in its memory layout: fused Adam takes them to be the same."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _read(path: Path) -> tuple[dict[str, Tensor], dict]:
    try:
        with safetensors.safe_open(path, "pt") as file:
            progress = json.loads(file.metadata()[PROGRESS])
        return load_file(path), progress
    except (safetensors.SafetensorError, OSError, TypeError, KeyError, ValueError) as fault:
        what = f"The state {path} could not be read ({fault})."
        raise UserError(what, "Delete it and the checkpoint beside it to begin the stage anew.") from fault


def _expect_fitting(path: Path, tensors: dict[str, Tensor], trained: Mapping[str, nn.Parameter]) -> None:
    saved = {name.removeprefix("raw/"): value.shape for name, value in tensors.items() if name.startswith("raw/")}
    if saved != {name: parameter.shape for name, parameter in trained.items()}:
        what = f"The state {path} is of a stage that trains other parameters."
        raise UserError(what, "Use the options it was begun with, or delete it and the checkpoint beside it.")
