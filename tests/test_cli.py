import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from idto3d import cli
from idto3d.config import (
    RenderOptions,
)
from idto3d.jobs.record import read_job

ROOT = Path(__file__).parents[1]
FAKE = ROOT / "tests" / "jobs"
SHORT = ("--set", "shape.steps=4", "--set", "material.steps=4")


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "anna.png"
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(path)
    return str(path)


def test_generate_makes_a_head_and_tells_its_progress(tmp_path, photo, fake, capsys):
    out = tmp_path / "run"
    asked = ["--preset", "standard", "--prompt", "young", "--expressions", "smile,anger", "--seed", "7"]
    assert cli.main(["generate", photo, "--out", str(out), *asked, *SHORT]) == 0
    options = read_job(out).options
    assert (options.preset, options.seed, options.shape.resolution, options.shape.steps) == ("standard", 7, 112, 4)
    assert options.expressions == ("neutral", "smile", "anger")
    printed = capsys.readouterr().err
    assert "likeness 0.71: fake takes the head for another person (one person from 0.90)" in printed
    assert "shape" in printed and "4/4" in printed and "head.glb" in printed


def test_export_makes_the_asset_of_a_finished_head_again_and_tells_its_progress(tmp_path, photo, fake, capsys):
    out = tmp_path / "run"
    assert cli.main(["generate", photo, "--out", str(out), "--prompt", "young", *SHORT]) == 0
    first, before = (out / "head.glb").read_bytes(), read_job(out)
    Path(photo).unlink()
    capsys.readouterr()
    assert cli.main(["export", str(out), "--set", "export.faces=500", "--set", "export.texture_size=64"]) == 0
    printed = capsys.readouterr().err
    assert "asset" in printed and "2/2" in printed and "done: " in printed and "Traceback" not in printed
    job = read_job(out)
    assert (job.status, job.options.export.faces, job.options.export.texture_size) == ("done", 500, 64)
    assert replace(job.options, export=before.options.export) == before.options
    assert (out / "head.glb").read_bytes() != first
    assert cli.main(["export", str(out), "--set", f"export.faces={before.options.export.faces}"]) == 0
    assert (out / "head.glb").read_bytes() == first
    assert cli.main(["generate", "--out", str(out), "--resume"]) == 2


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("shape.steps=5", "'shape.steps' cannot be set of a head that is finished"),
        ("seed=5", "'seed' cannot be set"),
        ("preset=paper", "'preset' cannot be set"),
        ("export=5", "'export' cannot be set"),
        ("export.colour=5", "no option 'export.colour'"),
        ("export.faces=many", "no value for export.faces"),
        ("export.faces=5", "export.faces cannot be 5"),
    ],
)
def test_what_cannot_be_set_of_a_finished_head_is_refused_and_changes_nothing(
    tmp_path, photo, fake, capsys, assignment, said
):
    out = tmp_path / "run"
    cli.main(["generate", photo, "--out", str(out), *SHORT])
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    capsys.readouterr()
    assert cli.main(["export", str(out), "--set", assignment]) == 2
    what, remedy = capsys.readouterr().err.strip().splitlines()
    assert said in what and remedy.endswith(".")
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("faces", "code"), [("REFUSED", 2), ("BROKEN", 1)])
def test_an_export_that_fails_leaves_the_run_done_as_it_was(tmp_path, photo, fake, capsys, faces, code):
    out = tmp_path / "run"
    cli.main(["generate", photo, "--out", str(out), *SHORT])
    before = {name: (out / name).read_bytes() for name in ("job.json", "head.glb", "head.safetensors")}
    assert cli.main(["export", str(out), "--set", f"export.faces={getattr(fake, faces)}"]) == code
    assert {name: (out / name).read_bytes() for name in before} == before
    assert cli.main(["export", str(out)]) == 0


def test_an_interrupted_export_is_cancelled_with_130_and_leaves_the_run_done_as_it_was(tmp_path, photo, fake):
    out = tmp_path / "run"
    cli.main(["generate", photo, "--out", str(out), *SHORT])
    before = (out / "job.json").read_bytes()
    words = ["export", str(out), "--set", f"export.faces={fake.STALLED}"]
    code, printed = interrupted(words, lambda: (out / "job.json").read_bytes() != before, signal.SIGTERM)
    assert code == 130 and "Traceback" not in printed
    assert (out / "job.json").read_bytes() == before and not (out / ".lock").exists()


def test_a_refusal_is_two_sentences_and_exit_code_2(tmp_path, photo, fake, capsys):
    out = tmp_path / "run"
    assert cli.main(["generate", photo, "--out", str(out), "--prompt", "refuse", *SHORT]) == 2
    assert os.listdir(out) == ["job.json"]
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[-2:] == ["No face was found in any photo.", "Use a photo in which the face is larger."]


def test_a_fault_of_ours_shows_its_traceback_and_exits_with_1(tmp_path, photo, fake, capsys):
    out = tmp_path / "run"
    assert cli.main(["generate", photo, "--out", str(out), "--prompt", "break", *SHORT]) == 1
    assert "RuntimeError: a toy broke" in capsys.readouterr().err
    assert "RuntimeError: a toy broke" in json.loads((out / "job.json").read_text())["error"]["traceback"]


def interrupted(words, begun, sign):
    """Exit code and messages of a command that gets the signal `sign` once `begun()` holds."""
    code = (
        f"import sys; sys.path.insert(0, {str(FAKE)!r}); import fake_pipeline; "
        "sys.modules['idto3d.pipeline'] = fake_pipeline; from idto3d.cli import entry; entry()"
    )
    command = [sys.executable, "-c", code, *words]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        while not begun():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.02)
        process.send_signal(sign)
        return process.wait(30), process.stderr.read()


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_cancelled_with_130_and_can_be_resumed(tmp_path, photo, fake, capsys, sign):
    out = tmp_path / "run"
    words = ["generate", photo, "--out", str(out), "--prompt", "slow checkpoint"]
    code, printed = interrupted(words, lambda: list(out.glob("checkpoints/*_3.json")), sign)
    assert code == 130 and "cancelled" in printed and "Traceback" not in printed
    assert read_job(out).status == "cancelled"
    job = json.loads((out / "job.json").read_text())
    job["options"]["prompt"] = "checkpoint"
    job["options"]["shape"]["steps"] = job["options"]["material"]["steps"] = 6
    (out / "job.json").write_text(json.dumps(job))
    assert cli.main(["generate", "--out", str(out), "--resume", "--seed", "9"]) == 2
    assert "other options" in capsys.readouterr().err
    other = tmp_path / "berta.png"
    other.write_bytes(Path(photo).read_bytes() + b" ")
    assert cli.main(["generate", str(other), "--out", str(out), "--resume"]) == 2
    assert "other photos" in capsys.readouterr().err
    assert cli.main(["generate", photo, str(other), "--out", str(out), "--resume"]) == 2
    assert "other photos" in capsys.readouterr().err
    copy = Path(photo).rename(tmp_path / "copy.png")
    Path(photo).write_bytes(copy.read_bytes())
    assert cli.main(["generate", str(copy), "--out", str(out), "--resume"]) == 0
    assert "Continued after step" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["generate", "--out", "{new}"], "nothing to make a head from"),
        (["generate", "nobody.jpg", "--out", "{new}"], "cannot be read"),
        (["generate", "{photo}", "--out", "{old}"], "holds other files"),
        (["generate", "{photo}", "--out", "{new}", "--expressions", "wink"], "no expression named 'wink'"),
        (["generate", "{photo}", "--out", "{new}", "--set", "shape.step=5"], "no option 'shape.step'"),
        (["generate", "{photo}", "--out", "{new}", "--set", "shape.steps=many"], "no value for shape.steps"),
        (["generate", "{photo}", "--out", "{new}", "--set", "guidance.form=best"], "no value of guidance.form"),
        (["generate", "{photo}", "--out", "{new}", "--expressions", ","], "No expression is named"),
        *(
            (["generate", "{photo}", "--out", "{new}", "--set", assignment], said)
            for assignment, said in (
                ("expressions=", "No expression is named"),
                ("expressions=wink", "no expression named 'wink'"),
                ("preset=paper", "A preset is many options"),
                ("weights=", "No weights are named"),
                ("shape.views=0", "shape.views cannot be 0"),
                ("preview_every=0", "preview_every cannot be 0"),
                ("material.steps=-5", "material.steps cannot be -5"),
                ("material.lit_share=2", "material.lit_share cannot be 2"),
                ("shape.learning_rate=nan", "shape.learning_rate cannot be nan"),
                ("guidance.lambda_id=inf", "guidance.lambda_id cannot be inf"),
                ("shape.early_timesteps=700,200", "shape.early_timesteps runs backwards"),
                ("material.joint_timesteps=50,1000", "material.joint_timesteps cannot be 1000"),
                ("material.joint_timesteps=50", "'50' is no value for material.joint_timesteps"),
                ("material.hash_grid.levels=0", "material.hash_grid.levels cannot be 0"),
            )
        ),
        (["generate", "--out", "{new}", "--resume"], "no run in"),
        (["export", "{old}"], "no run in"),
        (["export", "{new}"], "no run in"),
        (["render", "{old}", "--out", "view.png"], "no finished head"),
        (["render", "{old}", "--out", "view.gif"], "no known ending"),
        (["render", "{old}", "--out", "view.png", "--turntable"], "turntable is a video"),
        (["render", "{old}", "--out", "view.png", "--expression", "smile=2"], "no weight"),
        (["render", "{old}", "--out", "view.png", "--light", "candle"], "no light named 'candle'"),
        (["render", "{old}", "--out", "view.png", "--size", "8"], "size cannot be 8"),
        (["render", "{old}", "--out", "view.png", "--azimuth-deg", "nan"], "azimuth_deg cannot be nan"),
    ],
)
def test_what_the_user_can_fix_is_refused_without_loading_torch(tmp_path, photo, capsys, monkeypatch, words, said):
    monkeypatch.delitem(sys.modules, "idto3d.pipeline", raising=False)
    names = {"new": tmp_path / "new", "old": tmp_path, "photo": photo}
    assert cli.main([word.format(**names) for word in words]) == 2
    what, remedy = capsys.readouterr().err.strip().splitlines()
    assert said in what and remedy.endswith(".")
    assert not (tmp_path / "new").exists() and "idto3d.pipeline" not in sys.modules


def test_render_writes_the_picture_that_was_asked_for(tmp_path, photo, fake, monkeypatch):
    out = tmp_path / "run"
    cli.main(["generate", photo, "--out", str(out), *SHORT])
    asked = []
    real = fake.render_view
    monkeypatch.setattr(fake, "render_view", lambda folder, options: asked.append(options) or real(folder, options))
    view = ["--mode", "clay", "--azimuth-deg", "-30", "--size", "64", "--expression", "mouth stretch=0.5"]
    assert cli.main(["render", str(out), "--out", str(tmp_path / "view.png"), *view]) == 0
    assert asked == [RenderOptions(mode="clay", azimuth_deg=-30.0, size=64, expressions=(("mouth stretch", 0.5),))]
    assert Image.open(tmp_path / "view.png").size == (64, 64)
    assert cli.main(["render", str(out), "--out", str(tmp_path / "turn.mp4"), "--turntable"]) == 0
    assert (tmp_path / "turn.mp4").read_bytes() == b"mp4"


@pytest.mark.parametrize("verb", cli.FORWARDED)
def test_verbs_of_other_rooms_are_handed_their_own_words(verb, monkeypatch):
    import types

    seen = []
    module = types.ModuleType(verb)
    module.main = lambda argv: seen.append(argv)
    name = f"idto3d.{cli.FORWARDED[verb][0]}"
    assert importlib.util.find_spec(name)
    monkeypatch.setitem(sys.modules, name, module)
    assert cli.main([verb, "geometry", "--steps", "5", "--help"]) == 0
    assert seen == [["geometry", "--steps", "5", "--help"]]


def test_help_of_every_verb_and_the_module_door_work_without_torch():
    code = (
        "import sys, runpy; sys.argv = ['idto3d', 'generate', '--help']\n"
        "try: runpy.run_module('idto3d', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code and 'torch' not in sys.modules; print('fine')"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.stdout.endswith("fine\n") and "--negative-prompt" in answer.stdout, answer.stderr
