"""How long a run will take: learned from runs, told once for all stages, and without jumps."""

import json
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from idto3d.config import CarvingOptions, HeadOptions, ShapeOptions, TextureOptions, preset
from idto3d.events import LikenessMeasured, StageStarted
from idto3d.jobs import record
from idto3d.jobs.event_log import EventLog, read_progress
from idto3d.jobs.pace import countdown, paces, speed
from idto3d.jobs.pace.expected import STAGES, units
from idto3d.jobs.pace.learning import learn, seconds_taken

PLAN = {"subject": 2.0, "fit": 15.0, "shape": 12.0, "material": 20.0, "asset": 8.0}
STEPS = {"subject": 1, "fit": 4, "shape": 30, "material": 40, "asset": 9}


def lines_of(takes, begun=1000.0, skip=()):
    """A log of a run whose stages take `takes` seconds, and the moments of its steps."""
    moment, lines = begun, [{"time": begun, "event": "Planned", "seconds": PLAN}]
    for stage, steps in STEPS.items():
        first = dict(skip).get(stage, 0)
        lines.append({"time": moment, "event": "StageStarted", "stage": stage, "steps": steps})
        for step in range(first + 1, steps + 1):
            moment += takes[stage] / steps
            lines.append({"time": moment, "event": "StepDone", "stage": stage, "step": step, "steps": steps})
    return lines


def left_of(folder, lines):
    """(seconds really left, seconds told) after each line."""
    end, progress, told = lines[-1]["time"], None, []
    for line in lines:
        with open(folder / "events.jsonl", "a") as file:
            file.write(json.dumps(line) + "\n")
        progress = read_progress(folder, progress)
        told.append((end - line["time"], progress.seconds_left))
    return told


@pytest.mark.parametrize("slower", [0.5, 1.0, 1.3, 2.0])
def test_the_time_left_of_the_whole_run_does_not_jump(tmp_path, slower):
    chance = random.Random(3)
    told = left_of(tmp_path, lines_of({stage: slower * chance.uniform(0.8, 1.2) * PLAN[stage] for stage in PLAN}))
    least = float("inf")
    for truth, said in told[1:]:
        least = min(least, said)
        assert said <= 1.2 * least + 1.0
        assert said == pytest.approx(truth, rel=0.25, abs=3.0) or truth > 0.3 * told[0][0]
    assert told[1][1] == pytest.approx(sum(PLAN.values()), rel=0.05)
    assert told[-1][1] <= 1.0


def test_a_machine_that_is_far_slower_than_expected_never_says_that_it_is_almost_done(tmp_path):
    told = left_of(tmp_path, lines_of({stage: 10 * PLAN[stage] for stage in PLAN}))
    assert all(said >= 0.08 * truth for truth, said in told)
    assert all(after <= 1.2 * before + 1.01 for (_, before), (_, after) in pairwise(told))
    assert told[len(told) // 2][1] > 0.5 * told[len(told) // 2][0]


def test_what_was_done_before_a_resume_is_not_taken_for_speed(tmp_path):
    told = left_of(tmp_path, lines_of(PLAN, skip=[("shape", 30), ("material", 26)]))
    assert [said for truth, said in told if truth][-9:] == pytest.approx([t for t, _ in told if t][-9:], rel=0.3, abs=2)


def test_a_log_without_a_plan_or_with_nonsense_for_one_tells_of_its_stage(tmp_path):
    lines = [{"time": 5.0, "event": "Planned", "seconds": "long"}, *lines_of(PLAN)[1:12]]
    assert left_of(tmp_path, lines)[-1][1] == pytest.approx(PLAN["shape"] * 25 / 30, abs=3)


def test_a_plan_is_what_was_measured_here_times_what_there_is_to_do(tmp_path):
    draft, steps = preset("draft"), units(preset("draft"), 1)
    known = paces.Paces(2.0)
    for busy in (1.0, 1.0, 9.0, 1.0):  # one of the runs had to wait for another
        taken = {stage: 0.5 * busy * amount for stage, amount in steps.items()}
        known = paces.learned(known, draft, 1, taken)
    paces.write_paces(tmp_path, known)
    again = paces.planned(tmp_path, draft, 1)
    assert again == pytest.approx({stage: 0.5 * amount for stage, amount in steps.items()})
    longer = paces.planned(tmp_path, replace(draft, shape=ShapeOptions(steps=300, views=4)), 1)
    carved = paces.planned(tmp_path, replace(draft, carving=CarvingOptions(steps=300)), 1)
    assert "carving" not in again and list(carved) == [one for one in STAGES if one != "texture"]
    assert carved["carving"] > again["material"]
    assert longer["shape"] == pytest.approx(20 * again["shape"]) and longer["fit"] == again["fit"]
    assert "subject" not in paces.planned(tmp_path, draft, 0) and list(again) == [one for one in STAGES if one in steps]
    painted = paces.planned(tmp_path, replace(draft, texture=TextureOptions(steps=10, lit_steps=10)), 1)
    assert list(painted) == [one for one in STAGES if one != "carving"] and painted["texture"] > 0
    assert paces.minutes(tmp_path, draft, 1) == pytest.approx(sum(again.values()) / 60)
    assert len(known.measured[paces.kind_of(draft)]["shape"]) == 4


def test_before_any_run_the_calibration_tells_and_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(paces, "speed", lambda: 2.0)
    told = paces.minutes_of_presets(tmp_path, 1)
    assert told["draft"] < told["standard"] < told["paper"]
    monkeypatch.setattr(paces, "speed", lambda: 1.0 / 0.0)  # it is asked once
    assert paces.minutes_of_presets(tmp_path, 1) == told
    monkeypatch.setattr(paces.platform, "node", lambda: "another machine")
    monkeypatch.setattr(paces, "speed", lambda: 1.0)
    assert paces.minutes_of_presets(tmp_path, 1)["draft"] == pytest.approx(2 * told["draft"])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"machine": 3}', '{"machine": "NODE", "speed": 1, "paces": [1]}'])
def test_a_damaged_file_of_paces_is_begun_anew(tmp_path, text, monkeypatch):
    (tmp_path / paces.FILE).write_text(text.replace("NODE", paces.platform.node()))
    monkeypatch.setattr(paces, "speed", lambda: 1.5)
    assert paces.known_paces(tmp_path) is None and paces.calibrated(tmp_path) == paces.Paces(1.5)


def test_a_machine_has_a_speed_that_is_its_own():
    assert speed.SLOWEST <= speed.speed() <= speed.FASTEST and speed.cores() >= 1


def test_a_run_that_is_done_teaches_and_one_that_was_resumed_does_not(tmp_path):
    for name in ("straight", "resumed"):
        folder = tmp_path / name
        folder.mkdir()
        options = replace(HeadOptions(), weights=name)
        record.write_job(folder, record.ended(record.new_job([], options), record.DONE))
        EventLog(folder, resumed=name == "resumed")
        with open(folder / "events.jsonl", "a") as file:
            lines = [*lines_of(PLAN), {"time": 1000.0 + sum(PLAN.values()), "event": "Finished"}]
            file.write("".join(json.dumps(line) + "\n" for line in lines))
        learn(folder)
    assert seconds_taken(tmp_path / "straight") == pytest.approx(PLAN)
    assert list(paces.known_paces(tmp_path).measured) == ["straight|auto|template"]


def test_a_countdown_without_a_plan_says_nothing():
    assert countdown.told(countdown.Countdown(), 5.0, "shape", 0.5).left is None
    assert countdown.planned({}, 5.0).left is None


def test_a_likeness_is_not_told_of_a_head_that_was_changed_since(tmp_path):
    log = EventLog(tmp_path)
    log.append(LikenessMeasured(0.97, "portrait", 0.91))
    assert read_progress(tmp_path).likeness == 0.97
    log.append(StageStarted("edit", 3))
    assert read_progress(tmp_path).likeness is None
