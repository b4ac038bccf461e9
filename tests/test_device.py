"""Device and precision are chosen once; what is not there is said plainly; the same numbers give the same bits."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from idto3d import cli, determinism, device, errors
from idto3d.errors import UserError
from idto3d.jobs import worker

ROOT = Path(__file__).parent.parent


def test_auto_takes_the_cpu_where_there_is_no_other(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.choose_device("auto") == torch.device("cpu")
    with pytest.raises(UserError, match="No CUDA device"):
        device.choose_device(device.CUDA)


def test_auto_takes_the_faster_device_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.choose_device("auto").type == device.choose_device(device.CUDA).type == device.CUDA
    assert device.choose_device("cpu").type == "cpu"


def test_an_unknown_device_is_refused():
    with pytest.raises(UserError, match="abacus"):
        device.choose_device("abacus")


@pytest.mark.parametrize(("amx", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
def test_a_cpu_computes_in_bf16_only_where_it_has_amx(monkeypatch, amx, dtype):
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert device.choose_dtype(torch.device("cpu")) == dtype


@pytest.mark.parametrize(("generation", "dtype"), [(9, torch.bfloat16), (8, torch.bfloat16), (7, torch.float16)])
def test_a_graphics_card_computes_in_the_half_precision_that_it_does_not_imitate(monkeypatch, generation, dtype):
    """Torch's own function answers, for a card of that generation: the one of before 8 can only imitate bf16."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(major=generation))
    monkeypatch.setattr(torch.cuda, "_check_bf16_tensor_supported", lambda _: True)
    assert torch.cuda.is_bf16_supported()
    assert device.choose_dtype(torch.device(device.CUDA)) == dtype


LAYER = """
import sys
if sys.argv[1] == "as the program does": from idto3d.determinism import repeatable; repeatable()
import torch
random = torch.Generator().manual_seed(0)
pictures, rows = torch.randn(8, 8, 16, generator=random), torch.randn(32, 64, generator=random)
weight, column = torch.randn(8, 8, generator=random), torch.randn(64, generator=random)
answers = set()
for learning in (False, True):  # torch makes one product of a batch where the weights learn, else many
    layer = torch.nn.Linear(8, 8, bias=False)
    layer.weight = torch.nn.Parameter(weight.clone(), requires_grad=learning)
    with torch.no_grad(): answers.add(layer(pictures.transpose(1, 2)).numpy().tobytes())
places = set()
for place in range(16):
    copy = torch.empty(rows.numel() + 64)[place:place + rows.numel()].view(rows.shape)
    places.add((copy.copy_(rows) @ column).numpy().tobytes())
print(torch.backends.mkl.is_available(), len(answers), len(places))
"""


@pytest.mark.parametrize("kernels", ["AVX2", "SSE4_2"])
def test_a_layer_gives_the_same_bits_wherever_its_weights_lie_and_whether_or_not_they_learn(kernels):
    """On kernels of MKL that otherwise do not: those with AVX2 in the second respect, with SSE 4.2 in the first.

    On processors of other makers than Intel it keeps the second promise alone, see `determinism.repeatable`.
    """
    settings = {name: value for name, value in os.environ.items() if not name.startswith("MKL_")}
    settings |= {"MKL_ENABLE_INSTRUCTIONS": kernels, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", LAYER, "as the program does"]
    answer = subprocess.run(words, capture_output=True, text=True, env=settings, timeout=300)
    if answer.stdout.startswith("False"):
        pytest.skip("this torch multiplies without MKL")
    of_intel = "GenuineIntel" in Path("/proc/cpuinfo").read_text()
    _, grouped, placed = answer.stdout.split()
    assert placed == "1" and (grouped == "1" or not of_intel), answer.stderr


def test_a_setting_of_the_user_stays(monkeypatch):
    monkeypatch.setenv(determinism.MKL_SETTING, "COMPATIBLE")
    determinism.repeatable()
    assert os.environ[determinism.MKL_SETTING] == "COMPATIBLE"
    monkeypatch.delenv(determinism.MKL_SETTING)
    determinism.repeatable()
    assert os.environ[determinism.MKL_SETTING] == "AUTO,STRICT"


def test_every_front_door_sets_it(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["app.py", "--help"])

    def page(_):
        runpy.run_path(str(ROOT / "app.py"), run_name="__main__")

    for door in (cli.main, worker.main, page, lambda _: errors.run_command(lambda words: 0)):
        monkeypatch.delenv(determinism.MKL_SETTING, raising=False)
        with pytest.raises(SystemExit):
            door(["--help"])
        assert os.environ[determinism.MKL_SETTING] == "AUTO,STRICT"
