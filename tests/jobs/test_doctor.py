"""The doctor says what is there and what is missing."""

import ast
import sys
from pathlib import Path

from idto3d import cli

ROOT = Path(__file__).parents[2]


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


def test_the_doctor_says_what_torch_is_built_for():
    import torch

    from idto3d.jobs.doctor import device

    made = f"CUDA {torch.version.cuda}" if torch.version.cuda else "the CPU alone"
    assert device().fine and device().text.endswith(f"this torch is built for {made}")


WITH_GRADIO = ("starlette", "uvicorn", "pydantic", "gradio_client", "python_multipart")


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

    called = {"PIL": "pillow", "dlib": "dlib-bin", "skimage": "scikit-image", "pxr": "usd-core"}
    passed = {*sys.stdlib_module_names, "idto3d", *WITH_GRADIO}
    plain = lambda names: {called.get(name, name).replace("_", "-") for name in names if name not in passed}  # noqa: E731
    rooms = [path for path in (ROOT / "idto3d").rglob("*.py") if "training" not in path.parts]
    early = [path for path in rooms if path.name != "usdz.py"]  # which is loaded where a USDZ is asked for
    tops = plain({name for path in early for name in imported(path, False)})
    all_ = plain({name for path in rooms for name in imported(path, True)})
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
