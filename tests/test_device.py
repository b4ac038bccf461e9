"""Device and precision are chosen once, and said plainly when they are not there."""

import pytest
import torch

from idto3d import device
from idto3d.errors import UserError


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


@pytest.mark.parametrize(("bf16", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_a_graphics_card_computes_in_the_half_precision_it_has(monkeypatch, bf16, dtype):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)
    assert device.choose_dtype(torch.device(device.CUDA)) == dtype
