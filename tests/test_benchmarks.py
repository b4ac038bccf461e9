"""The benchmarks run, on the sizes of the tests, and say on what they ran."""

import ast
import json
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from torch import nn

from idto3d.errors import UserError
from idto3d.words.prompts import DOMAINS

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))


def test_a_step_at_the_size_of_stable_diffusion_is_timed_by_part(tmp_path, monkeypatch):
    from benchmarks import sd15_step

    compiled = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, mode, dynamic: compiled.append(type(self).__name__))
    words = ["--out", str(tmp_path / "step.json"), "--tiny", "--device", "cpu", "--steps", "3"]
    assert sd15_step.main([*words, "--dtype", "bfloat16", "--compile", "kernels"]) == 0
    found = json.loads((tmp_path / "step.json").read_text())
    for domain in DOMAINS:
        part = found[domain]["mean_seconds"]
        assert part["step"] + 2e-4 > part["vae_encode"] + part["unet"] + part["backward"] and min(part.values()) > 0
        assert found[domain]["iterations_per_second"] == pytest.approx(1 / part["step"], rel=0.1)
        assert found[domain]["finite"]
    assert found["dtype"] == "bfloat16" and found["compiled"] == "kernels"
    assert compiled == ["Encoder", "UNet2DConditionModel"]
    assert found["peak_bytes"]["stepped"] >= found["peak_bytes"]["written"] > 10_000_000
    assert re.fullmatch(r"[0-9a-f]{40}\+?|unknown", found["commit"])
    assert found["device"] == "cpu" and found["gpu"] is None and found["processor"]
    assert found["versions"]["torch"] == torch.__version__ and found["versions"]["diffusers"] == version("diffusers")
    with pytest.raises(UserError, match="--steps 0 measures nothing"):
        sd15_step.main([*words[:-1], "0"])


@pytest.mark.parametrize("path", sorted(ROOT.glob("benchmarks/*.py")), ids=lambda path: path.stem)
def test_every_benchmark_imports_what_there_is(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("idto3d"):
            room = import_module(node.module)
            for name in (alias.name for alias in node.names):
                assert hasattr(room, name) or import_module(f"{node.module}.{name}")


def test_outside_git_the_commit_is_unknown(tmp_path):
    from benchmarks.machine import commit

    assert commit(tmp_path) == "unknown"


@pytest.mark.parametrize(("choice", "share"), [("attention q, k, v", 0.00417), ("attention k, v", 0.00277)])
def test_the_lora_alone_is_counted_by_what_it_adapts(choice, share):
    from benchmarks import trained_share

    found = trained_share.row(choice, (16, 32))
    assert found["lora_share"] == pytest.approx(share, abs=5e-6) and found["base"] > 859_000_000
    assert f"| {choice} | 16/32 |" in trained_share.table([found]) and f"{share:.3%}" in trained_share.table([found])


def test_a_run_beside_another_is_measured_in_runs_of_the_build_before(monkeypatch, capsys, tmp_path):
    from benchmarks import two_at_once

    given = {(tmp_path, 1): [10.0, 30.0, 20.0], (ROOT, 1): [21.0, 21.0, 21.0], (ROOT, 2): [28.0, 30.0, 90.0]}
    monkeypatch.setattr(two_at_once, "seconds_of", lambda build, _words, count: given[build, count].pop(0))
    assert two_at_once.main(["photo.png", "--before", str(tmp_path), "--rounds", "3"]) == 0
    assert json.loads(capsys.readouterr().out)["shares"] == {"before": 1.0, "alone": 1.05, "two_at_once": 1.5}


def test_a_timed_run_that_fails_is_no_time(tmp_path):
    from benchmarks.two_at_once import seconds_of

    with pytest.raises(RuntimeError, match="ended with"):
        seconds_of(ROOT, [str(tmp_path / "missing.png")], 1)
