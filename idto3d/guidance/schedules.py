"""Which timesteps are drawn at which step, and which are visited when sampling. Steps count from 0.

The ranges are those that the options ask for, and where they ask for none, the bundle's own.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from idto3d.bundle.asking import Range, Timesteps
from idto3d.bundle.info import BundleInfo
from idto3d.config import HeadOptions, MaterialOptions, ShapeOptions
from idto3d.events import Notice


def shape_range(step: int, options: ShapeOptions, own: Timesteps) -> Range:
    """Timestep range of the shape: the early one in the first half, then both bounds move linearly to the late one."""
    _expect_step(step, options.steps)
    half = options.steps // 2
    early, late = options.early_timesteps or own.shape_early, options.late_timesteps or own.shape_late
    if step < half:
        return early
    share = (step - half + 1) / (options.steps - half)
    low, high = (round(start + share * (end - start)) for start, end in zip(early, late, strict=True))
    return low, high


def material_phase(step: int, options: MaterialOptions) -> str:
    """albedo (its share of the steps), then joint (all channels), then refine (the last `refine_steps`)."""
    _expect_step(step, options.steps)
    if step >= options.steps - options.refine_steps:
        return "refine"
    return "albedo" if step < round(options.albedo_share * options.steps) else "joint"


def material_range(step: int, options: MaterialOptions, own: Timesteps) -> Range:
    """Timestep range of the material at `step`, by phase."""
    return {
        "albedo": options.albedo_timesteps or own.albedo,
        "joint": options.joint_timesteps or own.joint,
        "refine": options.refine_timesteps or own.refine,
    }[material_phase(step, options)]


def say_high(options: HeadOptions, info: BundleInfo) -> Iterator[Notice]:
    """Name the ranges that reach above the timesteps at which the bundle is asked of its own accord."""
    shape, material, highest = options.shape, options.material, info.timesteps.highest()
    asked = {
        "shape.early_timesteps": shape.early_timesteps,
        "shape.late_timesteps": shape.late_timesteps,
        "material.albedo_timesteps": material.albedo_timesteps,
        "material.joint_timesteps": material.joint_timesteps,
        "material.refine_timesteps": material.refine_timesteps,
    }
    for name, (_, high) in ((name, bounds) for name, bounds in asked.items() if bounds is not None):
        if high > highest:
            own = f"the weights '{info.name}' are asked up to {highest}, above that colours may run wild"
            yield Notice(f"{name} reaches {high}; {own}.")


def draw_timesteps(bounds: Range, count: int, generator: torch.Generator) -> Tensor:
    """`count` timesteps (int64, CPU) drawn uniformly from `bounds`, both ends included."""
    low, high = bounds
    return torch.randint(low, high + 1, (count,), generator=generator)


def evenly_falling(step: int, steps: int, start: int) -> int:
    """The timestep at `step` of `steps`, from `start` at the first towards 0 at equal intervals, as when sampling.

    DreamFace (Zhang et al. 2023), section 5.2.1.
    """
    _expect_step(step, steps)
    return round(start * (1 - step / steps))


def sampling_timesteps(total: int, steps: int) -> list[int]:
    """`steps` evenly spaced timesteps of `total`, from the last one down ("trailing" of Lin et al. 2023)."""
    if not 1 <= steps <= total:
        raise ValueError(f"steps: expected 1..{total}, got {steps}")
    return [round(total * (steps - i) / steps) - 1 for i in range(steps)]


def _expect_step(step: int, steps: int) -> None:
    if not 0 <= step < steps:
        raise ValueError(f"step: expected 0..{steps - 1}, got {step}")
