"""A stage that is stopped saves itself: nothing that was done is done again, and nothing comes out else."""

from contextlib import suppress
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from idto3d.config import HeadOptions, ShapeOptions
from idto3d.events import Notice, Preview, StepDone, exhausted
from idto3d.head.shape import Grown, ShapeVanished
from idto3d.jobs.checkpoint import Checkpointer
from idto3d.stages import shape
from idto3d.stages.optimise import Keeper, Optimiser, Work, optimised
from idto3d.stages.wish import TURN_DEG, turned_deg

STEPS = 6
OPTIONS = HeadOptions(preview_every=2, shape=ShapeOptions(steps=STEPS, anchor=0.0))
WISH = SimpleNamespace(expressions=("neutral", "smile"), device=lambda: torch.device("cpu"))


class Toy:
    """A carrier of four numbers, which keeps the count of its refreshes."""

    rasterizer = None

    def __init__(self):
        self.module, self.refreshed = nn.Linear(2, 2, bias=False), torch.zeros(())
        nn.init.ones_(self.module.weight)

    def groups(self):
        return [(list(self.module.parameters()), 0.1)]

    def refresh(self, step):
        self.refreshed = self.refreshed + 1

    def grow(self, ids):
        head = SimpleNamespace(expressions=("neutral",), joined=lambda: None)
        return Grown(head, self.module.weight.square().sum(), torch.zeros(()), torch.zeros(()))

    def kept(self):
        return {"refreshed": self.refreshed}

    def restore(self, kept):
        self.refreshed = kept["refreshed"]

    def finished(self):
        return {"weight": self.module.weight.detach().clone(), "refreshed": self.refreshed}


@pytest.fixture
def asked(monkeypatch):
    """How often the guidance is asked; where `at` says so, Ctrl-C comes right after."""
    count = SimpleNamespace(calls=0, at=0, factor=1.0)

    def judged(wish, joined, views, options, moment):
        count.calls += 1
        noise = torch.rand((), generator=moment[2])
        if count.calls == count.at:
            raise KeyboardInterrupt
        return count.factor * noise * count.weight().sum()

    monkeypatch.setattr(shape, "_judged", judged)
    monkeypatch.setattr(shape, "shape_picture", lambda *given: np.full((1, 1, 3), round(given[-1]) % 256, np.uint8))
    return count


def grown(folder, asked, stop=None, toy=None):
    """Events of the stage, closed after the step `stop`, and the head where it came so far."""
    toy, random = toy or Toy(), torch.Generator().manual_seed(3)
    asked.weight = lambda: toy.module.weight
    stage = shape.grow_shape(WISH, toy, OPTIONS, Checkpointer(folder / "checkpoints", 1e9), random)
    events = []
    with suppress(KeyboardInterrupt):
        while True:
            try:
                events.append(next(stage))
            except StopIteration as end:
                return events, end.value
            if isinstance(events[-1], StepDone) and events[-1].step == stop:
                stage.close()
                break
    return events, None


def steps(events):
    return [event.step for event in events if isinstance(event, StepDone)]


def test_a_stage_closed_after_a_step_goes_on_with_the_next_and_ends_bit_for_bit_the_same(tmp_path, asked):
    _, whole = grown(tmp_path / "whole", asked)
    for stop in range(1, STEPS):
        folder = tmp_path / f"closed_{stop}"
        assert steps(grown(folder, asked, stop)[0]) == list(range(1, stop + 1))
        events, head = grown(folder, asked)
        assert steps(events) == list(range(stop + 1, STEPS + 1))
        assert all(torch.equal(head[name], whole[name]) for name in whole)


def test_a_stage_interrupted_within_a_step_does_that_step_again_and_ends_bit_for_bit_the_same(tmp_path, asked):
    _, whole = grown(tmp_path / "whole", asked)
    for stopped in range(2, STEPS + 1):
        folder = tmp_path / f"interrupted_{stopped}"
        asked.calls, asked.at = 0, stopped
        assert steps(grown(folder, asked)[0]) == list(range(1, stopped))
        asked.at = 0
        events, head = grown(folder, asked)
        assert steps(events) == list(range(stopped, STEPS + 1))
        assert all(torch.equal(head[name], whole[name]) for name in whole)


def test_a_step_that_is_half_taken_is_not_saved(tmp_path, asked, monkeypatch):
    def broken(_self):
        raise KeyboardInterrupt

    grown(tmp_path, asked, stop=2)
    monkeypatch.setattr(Optimiser, "_follow", broken)
    assert steps(grown(tmp_path, asked)[0]) == []
    assert Checkpointer(tmp_path / "checkpoints", 1.0).latest("shape").step == 2


class Vanishing(Toy):
    """Whose shape vanishes at its third step."""

    def grow(self, ids):
        if self.refreshed == 3:
            self.refreshed = self.refreshed + 1
            raise ShapeVanished
        return super().grow(ids)


def test_steps_that_come_to_nothing_count_and_are_told(tmp_path, asked):
    events, head = grown(tmp_path / "vanished", asked, toy=Vanishing())
    assert steps(events) == list(range(1, STEPS + 1)) and torch.isfinite(head["weight"]).all()
    assert [event.text for event in events if isinstance(event, Notice)] == [
        "The shape vanished for a moment and went back to its last good state."
    ]
    asked.factor = float("nan")
    events, head = grown(tmp_path / "endless", asked)
    assert steps(events) == list(range(1, STEPS + 1)) and torch.equal(head["weight"], torch.ones(2, 2))
    assert events[-1].text == "6 of 6 shape steps were skipped because they were not finite."


def test_a_stage_whose_folder_is_gone_is_stopped_all_the_same(tmp_path, asked):
    folder = tmp_path / "gone"
    folder.mkdir()
    toy, random = Toy(), torch.Generator()
    asked.weight = lambda: toy.module.weight
    stage = shape.grow_shape(WISH, toy, OPTIONS, Checkpointer(folder / "checkpoints", 1e9), random)
    while not isinstance(next(stage), StepDone):
        pass
    folder.rmdir()
    stage.close()
    assert not folder.exists()


def test_previews_come_from_one_camera_that_turns_and_say_what_they_show(tmp_path, asked):
    shown = [event for event in grown(tmp_path, asked)[0] if isinstance(event, Preview)]
    assert [event.image[0, 0, 0] for event in shown] == [round(turned_deg(count)) % 256 for count in (0, 1, 2, 3)]
    assert {event.caption for event in shown} == {"neutral"}
    assert turned_deg(0) == 0 and turned_deg(5) == 5 * TURN_DEG and -180 <= turned_deg(100) < 180


@pytest.mark.parametrize(("every", "after"), [(100, [1, 5]), (2, [1, 2, 4, 5])])
def test_a_stage_is_shown_after_its_first_and_its_last_step_however_rarely_besides(tmp_path, every, after):
    module, random = nn.Linear(1, 1), torch.Generator()
    optimiser, shown = Optimiser(module, [(list(module.parameters()), 0.1)], 5), []

    def step():
        optimiser.step(module.weight.square().sum())
        return {}

    work = Work("shape", "steps", step, lambda count: shown.append(count), every)
    keeper = Keeper(Checkpointer(tmp_path / "checkpoints", 1e9), "shape", optimiser, random)
    exhausted(optimised(work, optimiser, keeper, None))
    assert shown == after
