"""Colour curves."""

import torch

from idto3d.render.color import linear_from_srgb, luminance, srgb_from_linear, tone_map


def test_srgb_and_linear_are_inverse_and_pass_known_points():
    values = torch.linspace(0, 1, 101)
    assert torch.allclose(srgb_from_linear(linear_from_srgb(values)), values, atol=1e-6)
    assert torch.allclose(linear_from_srgb(torch.tensor(0.5)), torch.tensor(0.21404), atol=1e-4)


def test_the_gradient_of_srgb_is_finite_at_black():
    black = torch.zeros(3, requires_grad=True)
    srgb_from_linear(black).sum().backward()
    assert torch.allclose(black.grad, torch.full((3,), 12.92))


def test_tone_mapping_keeps_dark_colours_and_bounds_bright_ones():
    dim, bright = torch.tensor([0.3, 0.2, 0.1]), torch.tensor([[40.0, 5.0, 2.0], [1.0, 1.0, 1.0]])
    assert torch.allclose(tone_map(dim), dim - 0.04, atol=1e-6)
    assert tone_map(bright).max() <= 1 and tone_map(bright)[0, 1] > 0.5
    ramp = tone_map(torch.linspace(0, 5, 500)[:, None].expand(-1, 3))
    assert (ramp.diff(dim=0) >= -1e-7).all()


def test_luminance_of_white_is_one():
    assert torch.allclose(luminance(torch.ones(1, 3)), torch.ones(1, 1))
