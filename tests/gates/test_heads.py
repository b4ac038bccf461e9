"""The gate of heads, with heads that are there already: making one takes longer than a test may."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.gates import heads
from benchmarks.gates.gate import command
from idto3d.errors import UserError


@pytest.fixture
def made(monkeypatch):
    """No head is made; what the validator and the geometry have to say is given by the test."""
    said = {"issues": {"numErrors": 0, "numWarnings": 0, "messages": []}, "faults": []}

    def write(options, photos, folder, weights, models):
        folder.mkdir(parents=True)
        (folder / "head.glb").write_bytes(b"a head")

    monkeypatch.setattr(heads, "made", write)
    monkeypatch.setattr(heads, "has_validator", lambda: True)
    monkeypatch.setattr(heads, "validated", lambda glb: {"issues": said["issues"]})
    monkeypatch.setattr(heads, "load_asset", lambda folder: SimpleNamespace(folder=folder))
    monkeypatch.setattr(heads, "faults", lambda asset: said["faults"])
    monkeypatch.setattr(heads, "render_view", lambda folder, view: np.zeros((8, 8, 3), np.uint8))
    monkeypatch.setattr(heads, "load_models", lambda *_: iter(()))
    monkeypatch.setattr(heads, "meet", lambda *_: iter(()))
    monkeypatch.setattr(heads, "find_bundle", lambda *_: iter(()))
    monkeypatch.setattr(heads, "exhausted", lambda events: (None, None))
    return said


def found(capsys, *words: str) -> dict:
    code = command(heads.GATE, words)
    told = json.loads(capsys.readouterr().out)
    assert code == (1 if told["failed"] else 0)
    return told


def test_heads_without_a_fault_pass_and_leave_nothing(made, capsys, tmp_path):
    told = found(capsys, "--count", "4")
    assert told["tries"] == 4 and told["failed"] == 0
    heads.run(2, 0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_a_warning_and_a_flipped_triangle_are_failures_of_the_head_they_are_in(made, capsys):
    made["issues"] = {"numErrors": 0, "numWarnings": 1, "messages": ["odd"]}
    made["faults"] = ["skin: 2 triangles flipped"]
    told = found(capsys, "--count", "1")
    assert told["failures"] == [
        "head 0 (old man with a grey beard): validator: ['odd']",
        "head 0 (old man with a grey beard): skin: 2 triangles flipped",
    ]


def test_a_few_pictures_may_show_no_face_and_many_may_not(made, capsys, monkeypatch):
    blind = {2}

    def write(options, photos, folder, weights, models):
        if options.seed in blind:
            raise UserError("No face was found.", "Use another photo.")
        folder.mkdir(parents=True)

    monkeypatch.setattr(heads, "made", write)
    told = found(capsys, "--count", "6")
    assert told["failed"] == 0 and told["figures"]["refused"] == 1
    blind |= {4}
    told = found(capsys, "--count", "6")
    assert told["failed"] == 2 and "refused: No face was found." in told["failures"][0]


def test_without_the_validator_the_gate_fails_before_it_makes_a_head(made, capsys, monkeypatch):
    monkeypatch.setattr(heads, "has_validator", lambda: False)
    told = found(capsys)
    assert told["tries"] == 0 and "validator is missing" in told["failures"][0]


def test_the_orders_are_words_photos_and_both_from_one_seed():
    orders = list(heads.orders(30, 7))
    assert [has_photo for _, has_photo in orders[:4]] == [False, True, True, False]
    assert [options.seed for options, _ in orders] == list(range(7, 37))
    assert {options.export.morphs for options, _ in orders} == {"sparse", "dense"}
    assert {bool(options.prompt) for options, has_photo in orders if has_photo} == {True, False}
