"""Which timesteps are drawn at which step, and which are visited when sampling. Steps count from 0."""

import torch
from torch import Tensor

from idto3d.config import MaterialOptions, ShapeOptions

Range = tuple[int, int]


def shape_range(step: int, options: ShapeOptions) -> Range:
    """Timestep range of the shape: the early one in the first half, then both bounds move linearly to the late one."""
    _expect_step(step, options.steps)
    half = options.steps // 2
    if step < half:
        return options.early_timesteps
    share = (step - half + 1) / (options.steps - half)
    low, high = (
        round(early + share * (late - early))
        for early, late in zip(options.early_timesteps, options.late_timesteps, strict=True)
    )
    return low, high


def material_phase(step: int, options: MaterialOptions) -> str:
    """albedo (its share of the steps), then joint (all channels), then refine (the last `refine_steps`)."""
    _expect_step(step, options.steps)
    if step >= options.steps - options.refine_steps:
        return "refine"
    return "albedo" if step < round(options.albedo_share * options.steps) else "joint"


def material_range(step: int, options: MaterialOptions) -> Range:
    """Timestep range of the material at `step`, by phase."""
    return {
        "albedo": options.albedo_timesteps,
        "joint": options.joint_timesteps,
        "refine": options.refine_timesteps,
    }[material_phase(step, options)]


def draw_timesteps(bounds: Range, count: int, generator: torch.Generator) -> Tensor:
    """`count` timesteps (int64, CPU) drawn uniformly from `bounds`, both ends included."""
    low, high = bounds
    return torch.randint(low, high + 1, (count,), generator=generator)


def sampling_timesteps(total: int, steps: int) -> list[int]:
    """`steps` evenly spaced timesteps of `total`, from the last one down ("trailing" of Lin et al. 2023)."""
    if not 1 <= steps <= total:
        raise ValueError(f"steps: expected 1..{total}, got {steps}")
    return [round(total * (steps - i) / steps) - 1 for i in range(steps)]


def _expect_step(step: int, steps: int) -> None:
    if not 0 <= step < steps:
        raise ValueError(f"step: expected 0..{steps - 1}, got {step}")
