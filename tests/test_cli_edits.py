"""`edit`, `versions`, `render --version` and `generate --again` as they are typed."""

import argparse
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from idto3d import cli
from idto3d.cli.generate import add_generate, head_options
from idto3d.config import (
    CarvingOptions,
    ChoiceOptions,
    EditOptions,
    HeadOptions,
    MaterialOptions,
    RigOptions,
    as_json,
    preset,
)
from idto3d.export.gltf.container import packed, unpacked
from idto3d.jobs.history.store import versions
from idto3d.jobs.record import read_job

ROOT = Path(__file__).parents[1]
FAKE = ROOT / "tests" / "jobs"
SHORT = ("--set", "shape.steps=2", "--set", "material.steps=2")


@pytest.fixture
def head(fake, tmp_path):
    out = tmp_path / "run"
    assert cli.main(["generate", "--out", str(out), "--prompt", "young", *SHORT]) == 0
    return out


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def told(capsys):
    return capsys.readouterr().out.splitlines()


def test_an_edit_is_a_version_with_all_that_was_asked(head, capsys):
    words = ["--prompt", "green\nhair", "--keep", "geometry", "--strength", "0.5", "--lock", "eyes", "--lock", "nose"]
    more = [
        "--steps",
        "3",
        "--seed",
        "7",
        "--name",
        "the green one",
        "--mask-space",
        "view",
        "--mask-azimuth-deg",
        "-30",
    ]
    assert cli.main(["edit", str(head), *words, *more]) == 0
    assert "edit" in (said := capsys.readouterr().err) and "4/4" in said and "done: " in said
    asked = EditOptions("green hair", "geometry", 0.5, "", "view", -30.0, 0.0, ("eyes", "nose"), 3, 7, "the green one")
    assert versions(head)[1].edit == asked and versions(head)[1].name == "the green one"
    assert cli.main(["edit", str(head), "--prompt", "older"]) == 0
    assert versions(head)[2].edit == EditOptions("older") and read_job(head).status == "done"


def test_versions_are_listed_as_a_tree_and_gone_through(head, capsys):
    assert cli.main(["versions", str(head)]) == 0
    assert [line.split()[:2] for line in told(capsys)] == [["v000*", "young"]]
    for prompt in ("green hair", "older"):
        cli.main(["edit", str(head), "--prompt", prompt])
    for words, current in (
        (["--undo"], "v001"),
        (["--undo"], "v000"),
        (["--redo"], "v001"),
        (["--switch", "v002"], "v002"),
        (["--name", "v001", "the green one"], "v002"),
    ):
        capsys.readouterr()
        assert cli.main(["versions", str(head), *words]) == 0
        assert [line for line in told(capsys) if f"{current}*" in line]
    assert cli.main(["versions", str(head), "--delete", "v001"]) == 0
    lines = told(capsys)
    assert len(lines) == 2 and "older" in lines[1] and [one.parent for one in versions(head)] == ["", "v000"]
    for wrong in (["--switch", "v009"], ["--delete", "v002"], ["--redo"]):
        assert cli.main(["versions", str(head), *wrong]) == 2


def test_an_edited_head_of_its_own_leaves_the_other_one_untouched(head, tmp_path, capsys):
    before, other = files(head), tmp_path / "other"
    assert cli.main(["edit", str(head), "--prompt", "green hair", "--out", str(other)]) == 0
    assert files(head) == before and (other / "head.glb").read_bytes() != (head / "head.glb").read_bytes()
    job = read_job(other)
    assert (job.status, job.kind, job.options, job.edits[0].prompt) == (
        "done",
        "edit",
        read_job(head).options,
        "green hair",
    )
    assert cli.main(["versions", str(other)]) == 0
    assert told(capsys)[0].split()[:3] == ["v000*", "green", "hair"]
    assert cli.main(["edit", str(other), "--prompt", "older"]) == 0 and len(versions(other)) == 2
    assert cli.main(["edit", str(head), "--prompt", "older", "--out", str(other)]) == 2
    for wrong, code in (("refuse", 2), ("break", 1)):
        assert cli.main(["edit", str(head), "--prompt", wrong, "--out", str(tmp_path / wrong)]) == code
        assert not (tmp_path / wrong).exists()
    assert files(head) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--prompt", " "], "Nothing is asked for"),
        ([], "Nothing is asked for"),
        (["--prompt", "refuse"], "changes nothing: 'refuse'"),
        (["--prompt", "x", "--strength", "9"], "strength cannot be 9"),
        (["--prompt", "x", "--mask", "nowhere.png"], "no file 'nowhere.png'"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_and_changes_nothing(head, capsys, words, said):
    glb, job = (head / "head.glb").read_bytes(), (head / "job.json").read_bytes()
    capsys.readouterr()
    assert cli.main(["edit", str(head), *words]) == 2
    what, remedy = capsys.readouterr().err.strip().splitlines()[-2:]
    assert said in what and remedy.endswith(".")
    assert (head / "head.glb").read_bytes() == glb and (head / "job.json").read_bytes() == job


def test_an_edit_of_no_head_is_refused(fake, tmp_path, capsys):
    for verb in (
        ["edit", "--prompt", "older"],
        ["versions"],
        ["edit", "--prompt", "older", "--out", str(tmp_path / "x")],
    ):
        assert cli.main([verb[0], str(tmp_path / "nothing"), *verb[1:]]) == 2
        assert "There is no run" in capsys.readouterr().err
    assert not (tmp_path / "nothing").exists() and not (tmp_path / "x").exists()


def test_an_interrupted_edit_is_cancelled_with_130_and_leaves_the_head(head, tmp_path):
    before = (head / "job.json").read_bytes()
    code = (
        f"import sys; sys.path.insert(0, {str(FAKE)!r}); import fake_pipeline; "
        "sys.modules['idto3d.pipeline'] = fake_pipeline; from idto3d.cli import entry; entry()"
    )
    words = ["edit", str(head), "--prompt", "stall"]
    with subprocess.Popen([sys.executable, "-c", code, *words], cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while 'stage": "edit", "step": 2' not in (head / "events.jsonl").read_text():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 130 and "Traceback" not in process.stderr.read()
    assert (head / "job.json").read_bytes() == before and [one.id for one in versions(head)] == ["v000"]
    assert os.listdir(head / "versions" / "v000") and not (head / "versions" / ".coming").exists()


def test_a_version_that_is_not_the_current_one_is_drawn(head, tmp_path, fake, monkeypatch):
    cli.main(["edit", str(head), "--prompt", "green hair"])
    asked, real = [], fake.render_view
    monkeypatch.setattr(fake, "render_view", lambda folder, options: asked.append(folder) or real(folder, options))
    out = str(tmp_path / "view.png")
    assert cli.main(["render", str(head), "--out", out, "--size", "64"]) == 0
    assert cli.main(["render", str(head), "--out", out, "--size", "64", "--version", "v000"]) == 0
    assert asked == [head, head / "versions" / "v000"]
    assert cli.main(["render", str(head), "--out", out, "--version", "v007"]) == 2


def recipe(path, photos, *prompts, **changes):
    """A GLB that holds nothing but how it was made."""
    options = as_json(HeadOptions(prompt="young", seed=5)) | changes
    options["shape"]["steps"], options["material"]["steps"] = 2, 2
    edits = [as_json(EditOptions(prompt=prompt)) for prompt in prompts]
    extras = {"options": options, "weights": "embedded", "photos": photos, "edits": edits}
    path.write_bytes(packed({"asset": {"version": "2.0", "extras": extras}}, b""))
    assert unpacked(path.read_bytes())
    return str(path)


def test_a_head_is_made_again_by_its_glb_edits_and_all(fake, tmp_path, capsys):
    glb, out = recipe(tmp_path / "head.glb", 0, "green hair", "older"), tmp_path / "again"
    assert cli.main(["generate", "--again", glb, "--out", str(out)]) == 0
    job = read_job(out)
    assert (job.options.prompt, job.options.seed, job.options.shape.steps, job.status) == ("young", 5, 2, "done")
    assert [one.name for one in versions(out)] == ["young", "green hair", "older"] and versions(out)[2].current
    assert capsys.readouterr().err.count("done: ") == 1
    assert cli.main(["generate", "--again", glb, "--out", str(tmp_path / "other"), "--seed", "9"]) == 0
    assert read_job(tmp_path / "other").options.seed == 9


def test_photos_are_asked_for_where_the_head_was_made_from_some(fake, tmp_path, capsys):
    glb, photo = recipe(tmp_path / "head.glb", 2), tmp_path / "anna.png"
    assert cli.main(["generate", "--again", glb, "--out", str(tmp_path / "new")]) == 2
    assert "made from 2 photos" in capsys.readouterr().err and not (tmp_path / "new").exists()
    photo.write_bytes(b"a face")
    assert cli.main(["generate", "--again", glb, str(photo), "--out", str(tmp_path / "new")]) == 0
    absurd = recipe(tmp_path / "x.glb", 0, material=json.loads('{"steps": 2, "views": -1}'))
    assert cli.main(["generate", "--again", absurd, "--out", str(tmp_path / "x")]) == 2


def test_a_preset_says_how_long_and_how_fine_and_not_who_the_head_is():
    parser = argparse.ArgumentParser()
    add_generate(parser)
    told = HeadOptions(prompt="young", weights="community", seed=5, expressions=("neutral", "smile"))
    asked = head_options(parser.parse_args(["--out", "x", "--preset", "standard", "--seed", "6"]), told)
    standard = preset("standard")
    assert (asked.shape, asked.export, asked.preset) == (standard.shape, standard.export, "standard")
    assert asked == replace(standard, prompt="young", weights="community", seed=6, expressions=told.expressions)


def test_a_preset_leaves_whom_was_chosen_and_what_was_off():
    parser = argparse.ArgumentParser()
    add_generate(parser)
    told = HeadOptions(
        choice=ChoiceOptions(chosen=(0.5,)),
        rig=RigOptions(personal=False),
        carving=CarvingOptions(relief=0.0),
        material=MaterialOptions(translate=False),
    )
    asked = head_options(parser.parse_args(["--out", "x", "--preset", "standard"]), told)
    assert (asked.choice, asked.rig, asked.carving) == (told.choice, told.rig, told.carving)
    assert asked.material == replace(preset("standard").material, translate=False)


@pytest.mark.parametrize("beside", [["--resume"], ["--again", "head.glb"]])
def test_a_candidate_is_refused_where_a_head_has_its_face(tmp_path, capsys, beside):
    words = ["generate", *beside, "--candidate", str(tmp_path / "x.json"), "--out", str(tmp_path / "new")]
    assert cli.main(words) == 2 and "--candidate" in capsys.readouterr().err
