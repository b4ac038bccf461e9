"""The check of GPU hosts runs dry on the CPU, and whatever befalls a part is told without stopping the others."""

import json
import os
import time
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch

from idto3d.bundle.info import read_info
from idto3d.config import COMMUNITY, HashGridOptions
from idto3d.errors import UserError
from idto3d.fields.hash_grid import TorchHashGrid
from idto3d.render.backends.numba_raster import NumbaRasterizer

ROOT = Path(__file__).parents[1]
COMPILED = ("step_compiled", "step_graphs", "small_encoder_compiled")


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(ROOT))


@pytest.fixture
def here(tmp_path):
    from benchmarks.gpu.part import Host

    return Host(torch.device("cpu"), tmp_path, tiny=True)


def checked(tmp_path, *words: str) -> tuple[int, dict]:
    """The exit code and the report of a dry run."""
    from benchmarks import gpu_check

    out = tmp_path / "report.json"
    code = gpu_check.main(["--out", str(out), "--device", "cpu", "--tiny", *words])
    return code, json.loads(out.read_text())


def test_a_dry_run_goes_through_to_the_glb(tmp_path, monkeypatch):
    from benchmarks.gpu import steps

    asked = []
    slow = "compile_networks"  # it would take minutes
    monkeypatch.setattr(steps, slow, lambda bundle, how: asked.append((how, bundle.info)))
    code, report = checked(tmp_path, "--here", "--skip", "small_encoder_compiled")
    parts = report["parts"]
    assert code == 0 and {part["verdict"] for part in parts.values()} == {"fine", "absent"}, parts
    assert {name for name, part in parts.items() if part["verdict"] == "absent"} >= {"nvdiffrast", "tiny_cuda_nn"}
    assert [how for how, _ in asked] == ["off", "off", "kernels", "kernels", "off"]
    published = read_info(COMMUNITY)
    assert all((info.asking, info.prompts) == (published.asking, published.prompts) for _, info in asked)
    for name in ("step", "step_rows_first", "step_compiled", "step_graphs", "small_encoder"):
        assert parts[name]["views_1"]["steps_per_second"] > 0 and parts[name]["views_1"]["peak_bytes"] > 1e7
        assert set(parts[name]["by_part"]["mean_seconds"]) == {"vae_encode", "unet", "backward", "step"}
    assert parts["step"]["views_4"]["finite"] and parts["small_encoder"]["target"] > parts["step"]["target"]
    assert parts["head"]["glb_bytes"] > 10_000 and {"shape", "material"} <= set(parts["head"]["stages"])
    assert report["device"] == "cpu" and report["versions"]["torch"] == torch.__version__


def broken(_here):
    raise RuntimeError("no such kernel")


def test_a_part_that_fails_or_dies_is_named_and_the_others_go_on(tmp_path, monkeypatch, capfd):
    from benchmarks import gpu_check
    from benchmarks.gpu import host

    monkeypatch.setitem(gpu_check.PARTS, "step", ("no_such_module.plain", 30))
    monkeypatch.setattr(host, "host", broken)
    code, report = checked(tmp_path, "--here", "--only", "host", "step", "torch_rasteriser")
    assert code == 1 and report["parts"]["host"]["verdict"] == report["parts"]["step"]["verdict"] == "failed"
    assert report["parts"]["host"]["fault"].endswith("RuntimeError: no such kernel")
    assert "no_such_module" in capfd.readouterr().err


def test_a_process_that_ends_by_itself_or_takes_too_long_is_told(here, monkeypatch):
    from benchmarks import gpu_check

    context = get_context("fork")
    monkeypatch.setattr(gpu_check, "_as_file", _ends)
    answer = gpu_check.apart("host", here, 60, context)
    assert answer.verdict == "failed" and answer.fault == "Its process ended with 9.\nXid 31"
    monkeypatch.setattr(gpu_check, "_as_file", _waits)
    answer = gpu_check.apart("host", here, 1, context)
    assert answer.verdict == "failed" and answer.fault.startswith("It took more than 1 s.")


def test_where_a_forked_process_cannot_use_the_device_each_part_loads_for_itself(monkeypatch):
    from benchmarks import gpu_check

    monkeypatch.setattr(gpu_check, "LOADED_ONCE", [])
    monkeypatch.setattr(gpu_check, "_touch", os._exit)
    assert gpu_check.processes(torch.device("cpu")).get_start_method() == "spawn"


def _ends(_name, _here, log, _answer):
    log.write_text("Xid 31")
    os._exit(9)


def _waits(*_):
    time.sleep(600)


def test_without_time_parts_are_left_out_and_without_a_gpu_the_real_sizes_are_refused(tmp_path, monkeypatch):
    code, report = checked(tmp_path, "--here", "--minutes", "0", "--only", "host", "head")
    assert code == 0 and {part["verdict"] for part in report["parts"].values()} == {"left out"}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    from benchmarks import gpu_check

    with pytest.raises(UserError, match="no CUDA device to check"):
        gpu_check.main(["--out", str(tmp_path / "report.json")])


class Shifted(NumbaRasterizer):
    """A rasteriser that draws one row too low."""

    def fragments(self, clip, faces, size):
        return super().fragments(clip - clip.new_tensor([0, 2 / size[0], 0, 0]) * clip[..., 3:], faces, size)


def test_a_rasteriser_is_right_only_if_it_draws_the_same(here):
    from benchmarks.gpu.rasterisers import compared

    right, wrong = compared(NumbaRasterizer(), here, 0.9999), compared(Shifted(), here, 0.99)
    assert all(right.checks.values()) and right.figures["random_meshes"]["same"] == 1
    assert not wrong.checks["same_faces"] and not wrong.checks["random_meshes_same"]


class Halved(TorchHashGrid):
    """A hash grid whose gradient passes through numbers of half precision, as a fused one's may."""

    def forward(self, positions01):
        features = super().forward(positions01)
        if features.requires_grad:
            features.register_hook(lambda gradient: gradient.half().float())
        return features


def test_a_hash_grid_is_right_only_if_small_gradients_live(here):
    from benchmarks.gpu.hash_grids import compared

    options = HashGridOptions(levels=3, log2_size=10)
    ours, theirs, halved = (
        kind(options, torch.Generator().manual_seed(seed))
        for kind, seed in ((TorchHashGrid, 0), (TorchHashGrid, 1), (Halved, 2))
    )
    assert all(compared(ours, theirs, here).checks.values())
    found = compared(ours, halved, here).checks
    assert found["same_features"] and not found["small_gradients_live"]
