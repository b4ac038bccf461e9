import ast
import importlib.util
import io
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
from idto3d.checks import checked
from idto3d.config import (
    PRESETS,
    HeadOptions,
    RenderOptions,
    ShapeOptions,
    as_json,
    from_json,
    option_names,
    with_option,
)
from idto3d.errors import UserError
from idto3d.jobs.record import read_job

ROOT = Path(__file__).parents[1]
FAKE = ROOT / "tests" / "jobs"
SHORT = ("--set", "shape.steps=4", "--set", "material.steps=4")


@pytest.fixture
def fake(monkeypatch):
    """The toy pipeline in place of ours."""
    monkeypatch.syspath_prepend(str(FAKE))
    import fake_pipeline

    import idto3d

    monkeypatch.setitem(sys.modules, "idto3d.pipeline", fake_pipeline)
    monkeypatch.setattr(idto3d, "pipeline", fake_pipeline, raising=False)
    yield fake_pipeline
    sys.modules.pop("fake_pipeline", None)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


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
    assert "likeness 0.71 (fake; one person from 0.90)" in printed
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


def test_what_every_preset_asks_for_can_be_met_and_so_can_what_is_set_of_it():
    for name in PRESETS:
        assert checked(PRESETS[name]) is PRESETS[name]
    asked = cli.make_parser().parse_args(["generate", "x.png", "--out", "new", "--set", "expressions=smile,anger"])
    assert cli.head_options(asked).expressions == ("neutral", "smile", "anger")
    for wrong in (("smile",), ("neutral", "smile", "smile")):
        with pytest.raises(UserError, match="must hold neutral"):
            checked(HeadOptions(expressions=wrong))
    for wrong in ((200,), (200.0, 700), [200, 700], 300):
        with pytest.raises(UserError, match="shape.early_timesteps is no pair of whole numbers. Give one like 200,700"):
            checked(HeadOptions(shape=ShapeOptions(early_timesteps=wrong)))


@pytest.mark.parametrize("verb", cli.FORWARDED)
def test_the_training_verbs_are_handed_their_own_words(verb, monkeypatch):
    import types

    seen = []
    module = types.ModuleType(verb)
    module.main = lambda argv: seen.append(argv)
    name = f"idto3d.training.{cli.FORWARDED[verb][0]}"
    assert importlib.util.find_spec(name)
    monkeypatch.setitem(sys.modules, name, module)
    assert cli.main([verb, "geometry", "--steps", "5", "--help"]) == 0
    assert seen == [["geometry", "--steps", "5", "--help"]]


def test_the_doctor_names_what_is_there_and_what_is_not(monkeypatch, tmp_path, capsys):
    from idto3d.jobs import doctor

    monkeypatch.setattr(doctor, "EMBEDDED", tmp_path)
    monkeypatch.setattr(doctor, "ASK_DEVICE", "print('a toy')")
    assert cli.main(["doctor"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("OK") and "numpy" in line for line in lines)
    assert any(line.startswith("FAIL") and "embedded bundle" in line for line in lines)
    assert any("device" in line and "a toy" in line for line in lines)
    assert any("community" in line and "0 of " in line and "--weights community" in line for line in lines)


def imported(path, everywhere):
    """Names of the foreign packages that a module imports, at its top or `everywhere` in it."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]


def test_the_doctor_knows_every_package_that_a_head_is_made_with():
    from idto3d.jobs.doctor import NEEDED, OPTIONAL

    called = {"PIL": "pillow", "dlib": "dlib-bin", "skimage": "scikit-image"}
    passed = {*sys.stdlib_module_names, "idto3d", "starlette"}  # the last comes with gradio
    plain = lambda names: {called.get(name, name).replace("_", "-") for name in names if name not in passed}  # noqa: E731
    rooms = [path for path in (ROOT / "idto3d").rglob("*.py") if "training" not in path.parts]
    tops, all_ = (plain({name for path in rooms for name in imported(path, deep)}) for deep in (False, True))
    assert tops <= plain(NEEDED) and all_ <= plain((*NEEDED, *OPTIONAL))
    assert plain(NEEDED) - all_ == {"accelerate", "face-recognition-models"}  # peft's, and files that are not imported


def test_a_dlib_of_the_users_own_is_found(monkeypatch):
    from idto3d.jobs import doctor

    def version(name):
        if name == "dlib":
            return "19.24"
        raise doctor.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(doctor.metadata, "version", version)
    assert doctor._package("dlib-bin", "absent") == doctor.Finding("dlib", "19.24")
    assert not doctor._package("numba", "absent").fine


def test_a_broken_torch_is_reported_not_raised(monkeypatch):
    from idto3d.jobs import doctor

    monkeypatch.setattr(doctor, "ASK_DEVICE", "raise ImportError('libtoy.so is missing')")
    assert not doctor.device().fine and "libtoy.so is missing" in doctor.device().text


def test_help_of_every_verb_and_the_module_door_work_without_torch():
    code = (
        "import sys, runpy; sys.argv = ['idto3d', 'generate', '--help']\n"
        "try: runpy.run_module('idto3d', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code and 'torch' not in sys.modules; print('fine')"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert answer.stdout.endswith("fine\n") and "--negative-prompt" in answer.stdout, answer.stderr


def test_every_option_can_be_set_by_its_dotted_name():
    options = HeadOptions()
    assert "shape.steps" in option_names(options)
    options = with_option(options, "shape.early_timesteps", "300,800")
    options = with_option(options, "guidance.lambda_id", "0.5")
    options = with_option(options, "shape.prior", "no")
    assert (options.shape.early_timesteps, options.guidance.lambda_id, options.shape.prior) == ((300, 800), 0.5, False)
    for wrong in ("shape", "steps", "shape.early_timesteps.x", "nothing"):
        with pytest.raises(UserError, match="no option"):
            with_option(options, wrong, "1")
    assert from_json(HeadOptions, json.loads(json.dumps(as_json(options)))) == options
    options = with_option(options, "shape.early_timesteps", "none")
    assert options.shape.early_timesteps is None
    for text in ("1,2,3", ""):
        with pytest.raises(UserError, match="no value"):
            with_option(options, "shape.late_timesteps" if "," in text else "shape.learning_rate", text)


def test_a_terminal_gets_one_line_that_is_redrawn(tmp_path):
    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self):
            return True

    from idto3d.events import StageStarted, StepDone
    from idto3d.jobs.event_log import EventLog
    from idto3d.jobs.narrator import Narrator, clock

    terminal = Terminal()
    narrator, log = Narrator(tmp_path, terminal), EventLog(tmp_path)
    for event in (StageStarted("shape", 2), StepDone("shape", 1, 2)):
        log.append(event)
        narrator.tell(event)
    assert (
        "\rshape" in terminal.getvalue().replace("\033[K", "") and "############............ 1/2" in terminal.getvalue()
    )
    assert "\n" not in terminal.getvalue()
    assert clock(59.6) == "1:00" and clock(3725) == "1:02:05"
