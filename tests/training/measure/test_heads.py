"""`evaluate text --heads`: what is named of a head is found on it, and finished heads are not made twice."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from small_heads import run, small

from idto3d.events import Candidate
from idto3d.training.measure.heads import made as making
from idto3d.training.measure.heads import run as running
from idto3d.training.measure.heads.made import Clock, named, options_of
from idto3d.training.measure.heads.named import coloured
from idto3d.training.measure.heads.report import summed
from idto3d.training.measure.heads.run import HeadsAsked, measure_heads
from idto3d.training.measure.text.command import main
from idto3d.training.scorer import measures
from idto3d.words.traits import COLOURS

PROMPT = "an old woman with long red hair, green eyes and glasses"


@pytest.fixture(scope="module")
def few_people():
    """A ruler of few people: what is usual is not tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "PEOPLE", 60)
        yield


@pytest.fixture(scope="module")
def there(tmp_path_factory, tiny_bundle, few_people):
    """A folder with one finished head of words."""
    folder = tmp_path_factory.mktemp("heads")
    list(run(replace(small(tiny_bundle), prompt=PROMPT), folder / "of words"))
    return folder


def proposed(options, count=9):
    """In place of `candidates_of`: so many, each of which looks the same."""
    own = np.zeros(115)
    own[0] = options.seed
    return tuple(Candidate(tuple(own), 1.0 - number, np.full((256, 256, 3), 90, np.uint8)) for number in range(count))


def test_a_finished_head_is_measured_and_drawn_and_not_made_again(there, tiny_bundle, capsys, monkeypatch):
    monkeypatch.setattr(running, "make", None)  # would fail
    monkeypatch.setattr(running, "candidates_of", proposed)
    prompts = there.parent / "prompts.txt"
    prompts.write_text(PROMPT)
    assert main(["--heads", str(there), "--prompts", str(prompts), "--weights", str(tiny_bundle), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (row,) = told["rows"]
    found = {one["trait"]: one for one in row["traits"]}
    assert {"hair style: long", "hair colour: red", "eyes: green", "glasses", "age: old"} <= {*found}
    assert found["glasses"]["there"] and found["eyes: green"]["there"]
    assert row["seeds_apart_mm"] > 0.1
    assert told["named"] == len(row["traits"]) > told["there"] > 0 and row["folder"] == "of words"
    assert {"choosing", "measuring", "pictures"} == {*row["seconds"]} and told["heads"] == 1
    assert json.loads((there / "heads.json").read_text()) == told
    assert f"| {PROMPT} | glasses | glasses as a part 1 | 1..1 | yes |" in (there / "heads.md").read_text()
    (sheet,) = (there / "sheets").iterdir()
    assert Image.open(sheet).width == 6 * 384


def test_heads_that_are_missing_are_made_and_seconds_of_making_are_kept(there, tmp_path, monkeypatch):
    def created(photos, options, folder, checkpoints):
        assert not folder.exists() and not checkpoints.due()
        shutil.copytree(there / "of words", folder)
        yield SimpleNamespace()

    monkeypatch.setattr(making, "create_head", created)
    monkeypatch.setattr(running, "candidates_of", lambda options, count=9: ())  # of weights that cannot choose
    monkeypatch.setattr(running, "finished_in", lambda folder: made)
    monkeypatch.setattr(running, "sheet", lambda *_: Image.new("RGB", (4, 4)))  # drawn in the other test
    ((_, name),) = named([PROMPT])
    (tmp_path / name).mkdir()  # broken off
    made = {}
    first = measure_heads([PROMPT], HeadsAsked(tmp_path))
    made = {PROMPT: tmp_path / name}
    again = measure_heads([PROMPT], HeadsAsked(tmp_path))
    assert first[0]["traits"] == again[0]["traits"] and {"loading"} <= {*again[0]["seconds"]}
    assert summed(again)["seconds_in_all"] > 0


def test_steps_are_of_both_stages_and_a_clock_adds_up():
    options = options_of(PROMPT, "embedded", 3)
    assert (options.shape.steps, options.material.steps) == (3, 3) and options.prompt == PROMPT
    assert options_of(PROMPT, "embedded", None).shape.steps > 3
    clock = Clock({"shape": 1.0})
    for part in ("shape", "material", "shape", ""):
        clock.begin(part)
    assert clock.seconds["shape"] >= 1.0 and {*clock.seconds} == {"shape", "material"}


@pytest.mark.parametrize("name", ["red", "blonde", "grey", "black", "green", "brown"])
def test_colours_of_a_table_are_told_from_others(name):
    wanted = COLOURS[name].rgb
    told = {one: all(each.right for each in coloured("hair", pixels(row.rgb), wanted)) for one, row in COLOURS.items()}
    assert told[name] and not any(told[other] for other in ("blue", "white", "pink", "teal") if other != name)


def pixels(rgb):
    """[60, 3] sRGB of a linear colour, some a little darker."""
    linear = np.array(rgb)[None] * np.linspace(0.85, 1.15, 60)[:, None]
    return np.clip(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055), 0, 1)
