"""A head that grows is asked about at the timesteps that its weights name, or exactly at those that were asked for."""

import shutil
from dataclasses import replace

import pytest
from small_heads import small

from idto3d import pipeline
from idto3d.bundle.info import Timesteps, read_info, write_info
from idto3d.config import MaterialOptions, ShapeOptions
from idto3d.events import Notice, StepDone
from idto3d.guidance.prediction import Guidance
from idto3d.jobs.checkpoint import Checkpointer

OWN = Timesteps((211, 215), (21, 25), (311, 315), (411, 415), (51, 55))
SHAPE, MATERIAL = ShapeOptions(steps=4, image_size=32), MaterialOptions(steps=5, image_size=32)


@pytest.fixture
def weights(tiny_bundle, tmp_path):
    """A tiny bundle that names ranges of its own."""
    folder = shutil.copytree(tiny_bundle, tmp_path / "own")
    write_info(replace(read_info(folder), timesteps=OWN), folder)
    return folder


@pytest.fixture
def grown(weights, fit_once, tmp_path, monkeypatch):
    """A function that makes a head up to its last step of texture: the timesteps by step, and what was said."""
    asked, predict = [], Guidance.predict

    def watched(self, domain, noisy, timesteps, conditions):
        asked.append(timesteps.tolist())
        return predict(self, domain, noisy, timesteps, conditions)

    def grow(shape: ShapeOptions, material: MaterialOptions) -> tuple[list[list[int]], list[str]]:
        options = replace(small(weights), shape=shape, material=material, preview_every=100)
        monkeypatch.setattr(Guidance, "predict", watched)
        monkeypatch.setattr(pipeline, "fit_head", fit_once)
        said = []
        events = pipeline.create_head([], options, tmp_path / "head", Checkpointer(tmp_path / "saved", 1e9))
        for event in events:
            said += [event.text] if isinstance(event, Notice) else []
            if isinstance(event, StepDone) and event.stage == "material" and event.step == material.steps:
                events.close()
        return asked, said

    return grow


def within(drawn: list[list[int]], bounds: tuple[int, int]) -> bool:
    return all(bounds[0] <= timestep <= bounds[1] for step in drawn for timestep in step)


def test_a_bundle_is_asked_at_the_ranges_it_names(grown):
    asked, said = grown(SHAPE, replace(MATERIAL, albedo_share=0.4, refine_steps=1))
    assert len(asked) == 9 and not any("timesteps" in text for text in said)
    assert within(asked[:2], OWN.shape_early) and within(asked[3:4], OWN.shape_late)
    assert within(asked[4:6], OWN.albedo) and within(asked[6:8], OWN.joint) and within(asked[8:], OWN.refine)


def test_a_range_that_was_asked_for_reaches_the_guidance_as_it_is_and_one_sentence_says_so(grown):
    asked, said = grown(
        replace(SHAPE, early_timesteps=(690, 700)), replace(MATERIAL, albedo_timesteps=(60, 62), refine_steps=1)
    )
    assert within(asked[:2], (690, 700)) and within(asked[4:8], (60, 62))
    own = "the weights 'tiny' are asked up to 415, above that colours may run wild"
    assert [text for text in said if "timesteps" in text] == [f"shape.early_timesteps reaches 700; {own}."]
