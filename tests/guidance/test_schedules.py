"""Timestep ranges over a run, as the paper gives them."""

from dataclasses import replace

import pytest
import torch
from diffusers import DDIMScheduler

from idto3d.bundle.info import Timesteps
from idto3d.config import PRESETS, MaterialOptions, ShapeOptions
from idto3d.guidance.schedules import draw_timesteps, material_phase, material_range, sampling_timesteps, shape_range

PAPER, EMBEDDED = Timesteps(), Timesteps((200, 300), (50, 200), (50, 300), (50, 300))


def test_the_shape_starts_coarse_and_ends_fine():
    options = ShapeOptions(steps=100)
    assert {shape_range(step, options, PAPER) for step in range(50)} == {(200, 700)}
    assert shape_range(99, options, PAPER) == (50, 200)
    assert shape_range(74, options, PAPER) == (125, 450)
    later = [shape_range(step, options, PAPER) for step in range(50, 100)]
    assert later == sorted(later, reverse=True)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_even_the_shortest_shape_run_ends_fine(steps):
    assert shape_range(steps - 1, ShapeOptions(steps=steps), PAPER) == (50, 200)


def test_the_material_has_three_phases():
    options = MaterialOptions(steps=2000, refine_steps=20)
    phases = [material_phase(step, options) for step in range(2000)]
    assert [phases.count(name) for name in ("albedo", "joint", "refine")] == [1600, 380, 20]
    assert phases == sorted(phases)
    assert [material_range(step, options, PAPER) for step in (0, 1600, 1980)] == [(50, 900), (50, 500), (50, 100)]


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_every_preset_takes_the_ranges_of_the_weights(name):
    shape, material = PRESETS[name].shape, PRESETS[name].material
    assert shape_range(0, shape, EMBEDDED) == (200, 300) and shape_range(shape.steps - 1, shape, EMBEDDED) == (50, 200)
    last = material.steps - 1
    middle = round(material.albedo_share * material.steps)
    drawn = [material_range(step, material, EMBEDDED) for step in (0, middle, last)]
    assert drawn == [(50, 300), (50, 300) if middle < material.steps - material.refine_steps else (50, 100), (50, 100)]


def test_a_range_that_is_asked_for_is_taken_as_it_is():
    assert shape_range(0, ShapeOptions(early_timesteps=(400, 700)), EMBEDDED) == (400, 700)
    assert shape_range(99, ShapeOptions(steps=100, late_timesteps=(0, 0)), EMBEDDED) == (0, 0)
    options = MaterialOptions(albedo_timesteps=(1, 2), joint_timesteps=(3, 4), refine_timesteps=(5, 6))
    options = replace(options, steps=10, refine_steps=1)
    assert [material_range(step, options, EMBEDDED) for step in (0, 8, 9)] == [(1, 2), (3, 4), (5, 6)]


def test_steps_outside_the_run_are_refused():
    with pytest.raises(ValueError, match="step"):
        shape_range(10, ShapeOptions(steps=10), PAPER)
    with pytest.raises(ValueError, match="step"):
        material_range(-1, MaterialOptions(), PAPER)


def test_timesteps_are_drawn_from_both_ends_and_repeat_with_the_seed():
    drawn = draw_timesteps((3, 5), 200, torch.Generator().manual_seed(0))
    assert drawn.dtype == torch.int64 and set(drawn.tolist()) == {3, 4, 5}
    assert torch.equal(drawn, draw_timesteps((3, 5), 200, torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("steps", [1, 4, 7, 50])
def test_sampling_visits_the_timesteps_that_diffusers_calls_trailing(steps):
    scheduler = DDIMScheduler(num_train_timesteps=1000, timestep_spacing="trailing")
    scheduler.set_timesteps(steps)
    assert sampling_timesteps(1000, steps) == scheduler.timesteps.tolist()
