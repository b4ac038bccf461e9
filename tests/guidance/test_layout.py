"""Networks that lie channels last answer as they did, and their group norms have the right way back."""

import copy

import pytest
import torch
from torch import nn

from idto3d.guidance.networks.base import encode_images
from idto3d.guidance.networks.layout import FrozenGroupNorm, channels_last


def norm(dtype: torch.dtype = torch.float32) -> nn.GroupNorm:
    torch.manual_seed(0)
    plain = nn.GroupNorm(4, 12, eps=1e-6)
    nn.init.normal_(plain.weight)
    nn.init.normal_(plain.bias)
    return plain.requires_grad_(False).to(dtype)


def drawn(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures with unequal groups, and a gradient, channels last."""
    generator = torch.Generator().manual_seed(1)
    pictures = 2 * torch.randn(2, 12, 9, 7, generator=generator) + torch.linspace(-2, 2, 12)[:, None, None]
    gradient = torch.randn(2, 12, 9, 7, generator=generator) + 0.3
    last = {"dtype": dtype, "memory_format": torch.channels_last}
    return pictures.to(**last).requires_grad_(), gradient.to(**last)


def way_back(network: nn.Module, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    pictures, gradient = drawn(dtype)
    return torch.autograd.grad(network(pictures), pictures, gradient)[0]


def test_the_way_back_is_torchs_own_and_not_taken_where_it_learns():
    frozen = channels_last(copy.deepcopy(norm()))
    assert type(frozen) is FrozenGroupNorm and "GroupNormBackward" in type(frozen(drawn()[0]).grad_fn).__name__
    assert torch.equal(frozen(drawn()[0]), norm()(drawn()[0]))
    assert torch.allclose(way_back(frozen), way_back(norm()), atol=2e-6)
    learning = channels_last(copy.deepcopy(norm())).requires_grad_()
    learning(drawn()[0]).square().sum().backward()
    assert learning.weight.grad.abs().min() > 0 and learning.bias.grad.abs().min() > 0


def test_in_half_precision_it_is_as_exact_as_torchs():
    exact = way_back(norm())
    ours, theirs = (
        (way_back(one, torch.bfloat16).float() - exact).abs().mean()
        for one in (channels_last(norm(torch.bfloat16)), norm(torch.bfloat16))
    )
    assert ours < 1.5 * theirs


ODD = torch.as_strided(torch.randn(12 * 63), (1, 12, 9, 7), (1, 1, 84, 12))  # a single picture may lie as it likes


@pytest.mark.parametrize("given", [torch.randn(2, 12, 9), torch.randn(2, 12, 9, 7), ODD], ids=("flat", "rows", "odd"))
def test_pictures_that_lie_otherwise_take_torchs_way(given):
    given = given.detach().requires_grad_()
    found, expected = (
        torch.autograd.grad(one(given).square().sum(), given)[0] for one in (channels_last(norm()), norm())
    )
    assert torch.equal(found, expected)


@pytest.mark.parametrize("views", [1, 3])
def test_an_encoder_and_its_gradient_are_the_same_but_for_rounding(parts, views):
    def found(vae) -> tuple[torch.Tensor, torch.Tensor]:
        pictures = torch.rand(views, 3, 32, 32, generator=torch.Generator().manual_seed(2)).requires_grad_()
        latents = encode_images(vae, pictures)
        return latents.detach(), torch.autograd.grad(latents.square().sum(), pictures)[0]

    plain = parts.vae.requires_grad_(False).eval()
    last = channels_last(copy.deepcopy(plain))
    assert last.encoder.conv_in.weight.is_contiguous(memory_format=torch.channels_last)
    for one, other in zip(found(plain), found(last), strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5 * float(one.abs().max()))
