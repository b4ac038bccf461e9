"""Compiled networks answer as they did; where they cannot be compiled, that is said."""

import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from idto3d.config import COMPILE
from idto3d.errors import UserError
from idto3d.guidance.compiling import check_compiling, compile_networks
from idto3d.guidance.loading import load_bundle
from idto3d.guidance.prediction import Guidance

CPU = torch.device("cpu")


@pytest.fixture
def compiled(monkeypatch) -> list[tuple[nn.Module, str]]:
    """What was asked to be compiled, and in which mode; torch is not asked."""
    kept = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, mode, dynamic: kept.append((self, mode)))
    return kept


@pytest.mark.parametrize(("how", "mode"), [("kernels", "default"), ("graphs", "reduce-overhead")])
def test_each_network_is_compiled_once(bundle, compiled, how, mode):
    compile_networks(bundle, how)
    assert [network for network, _ in compiled] == [bundle.parts.vae.encoder, bundle.parts.unet]
    assert {said for _, said in compiled} == {mode} and isinstance(compiled[1][0], UNet2DConditionModel)


def test_off_compiles_nothing(bundle, compiled):
    compile_networks(bundle, "off")
    assert not compiled and COMPILE[0] == "off"


def test_what_cannot_be_compiled_is_said(monkeypatch):
    check_compiling("off", CPU)
    with pytest.raises(UserError, match="CUDA graphs need a CUDA device"):
        check_compiling("graphs", CPU)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(UserError, match="needs a C"):
        check_compiling("kernels", CPU)
    with pytest.raises(UserError, match="needs triton"):
        check_compiling("graphs", torch.device("cuda"))


def test_the_encoder_answers_alike_when_its_graph_is_taken(pristine_folder, guidance):
    """That of its first block, by torch's compiler without the part that writes kernels: the whole takes minutes."""
    taken = Guidance(load_bundle(pristine_folder, CPU, torch.float32))
    taken.bundle.parts.vae.encoder.down_blocks[0].compile(backend="aot_eager", dynamic=False)
    answers = []
    for one in (guidance, taken):
        pictures = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
        latents = one.encode(pictures)
        answers.append((latents.detach(), *torch.autograd.grad(latents.square().sum(), pictures)))
    for plain, other in zip(*answers, strict=True):
        assert torch.allclose(plain, other, rtol=1e-3, atol=1e-4 * float(plain.abs().max()))
