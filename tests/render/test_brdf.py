"""Shading keeps to the energy it gets and behaves like skin, plastic and metal."""

import pytest
import torch

from idto3d.render.brdf import shade, shade_lamp, specular_share
from idto3d.render.environment import map_directions, prefilter

WHITE = prefilter(torch.ones(16, 32, 3))


def hemisphere(count=64):
    """Unit normals [N, 3] that face a viewer on +Z, and the view [N, 3]."""
    normal = torch.nn.functional.normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(0)), dim=-1)
    normal = torch.cat([normal[:, :2], normal[:, 2:].abs()], -1)
    return normal, torch.tensor([0.0, 0.0, 1.0]).expand(count, 3)


@pytest.mark.parametrize("roughness", [0.0, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("metallic", [0.0, 0.5, 1.0])
def test_in_a_white_furnace_no_surface_sends_back_more_than_it_gets(roughness, metallic):
    normal, view = hemisphere()
    column = torch.ones(len(normal), 1)
    radiance = shade(normal, view, torch.ones_like(normal), roughness * column, metallic * column, WHITE)
    assert radiance.max() <= 1.02 and radiance.min() > 0.4


def test_a_matt_white_surface_in_a_white_furnace_is_nearly_white():
    normal, view = hemisphere()
    column = torch.ones(len(normal), 1)
    assert shade(normal, view, torch.ones_like(normal), column, 0 * column, WHITE).min() > 0.97


def test_black_paint_reflects_about_four_percent_straight_on_and_more_at_grazing_angles():
    straight, grazing = specular_share(torch.tensor(0.04), torch.tensor([[0.2]]), torch.tensor([[1.0], [0.05]]))
    assert 0.03 < straight < 0.05 and grazing > 4 * straight


def test_metal_colours_its_reflection_and_has_no_diffuse_part():
    normal, view = hemisphere(4)
    gold, column = torch.tensor([1.0, 0.7, 0.3]).expand(4, 3), torch.ones(4, 1)
    sky = prefilter((map_directions(16, 32)[..., 1:2] > 0).float().expand(16, 32, 3))
    down = torch.tensor([[0.0, -0.8, 0.6]]).expand(4, 3)
    assert shade(down, view, gold, 0.1 * column, column, sky).max() < 0.01
    mirror = shade(normal, view, gold, 0.1 * column, column, WHITE)
    assert (mirror[:, 0] > mirror[:, 1]).all() and (mirror[:, 1] > mirror[:, 2]).all()


def test_gradients_reach_every_part_of_the_material_and_the_normal():
    normal, view = hemisphere(8)
    light = prefilter(torch.rand(16, 32, 3, generator=torch.Generator().manual_seed(1)))
    column = torch.full((8, 1), 0.5)
    leaves = [t.clone().requires_grad_() for t in (normal, torch.full((8, 3), 0.5), column, column)]
    shade(leaves[0], view, leaves[1], leaves[2], leaves[3], light).square().sum().backward()
    assert all(leaf.grad.isfinite().all() and leaf.grad.abs().sum() > 0 for leaf in leaves)


def test_brighter_albedo_means_more_light_by_its_slope():
    normal, view = hemisphere(8)
    column = torch.full((8, 1), 0.6)
    dark, mid, light = (shade(normal, view, torch.full((8, 3), a), column, 0 * column, WHITE) for a in (0.2, 0.4, 0.6))
    assert torch.allclose(light - mid, mid - dark, atol=1e-5) and (mid > dark).all()


@pytest.mark.parametrize("roughness", [0.35, 0.5, 0.9])
def test_lamps_from_everywhere_are_the_white_furnace(roughness):
    normal, view = torch.tensor([[0.3, 0.2, 0.93]]), torch.tensor([[0.0, 0.0, 1.0]])
    normal = torch.nn.functional.normalize(normal, dim=-1)
    albedo, column = torch.tensor([[0.6, 0.4, 0.3]]), torch.ones(1, 1)
    height, around = 1 - (2 * torch.arange(1500) + 1) / 1500, torch.pi * (1 + 5**0.5) * torch.arange(1500)
    ring = (1 - height**2).sqrt()
    places = torch.stack([ring * around.cos(), ring * around.sin(), height], 1)  # spread evenly
    material = (albedo, roughness * column, 0 * column)
    lamps = torch.cat([shade_lamp(normal, view, *material, towards) for towards in places])
    assert 4 * lamps.mean(0).numpy() == pytest.approx(shade(normal, view, *material, WHITE)[0].numpy(), rel=0.06)


def test_a_matt_white_surface_that_faces_a_lamp_sends_out_about_one():
    straight, column = torch.tensor([[0.0, 0.0, 1.0]]), torch.ones(1, 1)
    aside = torch.nn.functional.normalize(torch.tensor([[0.6, 0.0, 0.8]]), dim=-1)
    sent = shade_lamp(straight, aside, torch.ones(1, 3), column, 0 * column, straight[0])
    assert sent.numpy() == pytest.approx(1.0, abs=0.03)
    assert shade_lamp(straight, aside, torch.ones(1, 3), column, 0 * column, -straight[0]).max() == 0


def test_what_reflects_less_shows_more_of_its_colour_and_less_of_the_light():
    normal, view = hemisphere()
    column, black = torch.ones(len(normal), 1), torch.zeros_like(normal)
    towards = torch.tensor([0.0, 0.6, 0.8])
    for shine, light in ((shade, WHITE), (shade_lamp, towards)):
        full, half = (
            shine(normal, view, black, 0.4 * column, 0 * column, light, share) for share in (1.0, 0.5 * column)
        )
        plain = shine(normal, view, black, 0.4 * column, 0 * column, light)
        assert torch.equal(full, plain) and (half <= full + 1e-6).all() and half.sum() < 0.9 * full.sum()
        white = [shine(normal, view, black + 1, column, 0 * column, light, share) for share in (1.0, 0.5)]
        assert (white[1] - white[0]).abs().max() < 0.03
