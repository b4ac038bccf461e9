"""Pictures: what normals, attributes and relit heads look like, and where their gradients go."""

import math

import numpy as np
import pytest
import torch

from idto3d.render.camera import standard_cameras
from idto3d.render.draw import (
    depth_maps,
    draw_normals,
    draw_relit,
    draw_surface,
    normal_maps,
    paint,
    sample,
    to_uint8,
)
from idto3d.render.environment import map_directions, prefilter, rotate
from idto3d.render.material import Material

SIZE = 32


@pytest.fixture
def ball(sphere):
    return sphere(16)


def plain(surface, albedo=0.5, roughness=0.6, metallic=0.0):
    count = len(surface.position)
    return Material(
        albedo=torch.full((count, 3), albedo),
        roughness=torch.full((count, 1), roughness),
        metallic=torch.full((count, 1), metallic),
    )


def test_normals_are_blue_towards_the_viewer_red_to_the_right_green_above_and_white_around(ball, front, cpu):
    image, mask = draw_normals(*ball, front, cpu, SIZE)
    assert image.shape == (1, SIZE, SIZE, 3) and mask.shape == (1, SIZE, SIZE, 1)
    assert torch.allclose(image[0, 15, 16], torch.tensor([0.5, 0.5, 1.0]), atol=0.1)
    assert image[0, 15, 22, 0] > 0.7 and image[0, 10, 16, 1] > 0.7
    assert (image[0, 0] == 1).all() and (mask[0, 0] == 0).all() and mask[0, 15, 16] == 1


def test_normals_belong_to_the_camera_so_a_ball_looks_alike_from_everywhere(ball, cpu):
    vertices, faces = ball
    cameras = standard_cameras([0.0, 90.0, 215.0], 0.0)
    centred = vertices + torch.tensor([0.0, -0.017, 0.01])
    front, left, back = draw_normals(centred, faces, cameras, cpu, SIZE)[0]
    assert (front - left).abs().mean() < 0.01 and (front - back).abs().mean() < 0.01


def test_meshes_of_a_batch_are_drawn_by_their_own_camera_as_if_alone(ball, cpu):
    vertices, faces = ball
    pair = torch.stack([vertices, vertices * torch.tensor([0.5, 1.0, 0.8])])
    both, masks = draw_normals(pair, faces, standard_cameras([10.0, 80.0], [0.0, 20.0]), cpu, SIZE)
    for one, azimuth, elevation in ((0, 10.0, 0.0), (1, 80.0, 20.0)):
        alone, mask = draw_normals(pair[one], faces, standard_cameras(azimuth, elevation), cpu, SIZE)
        assert torch.allclose(both[one], alone[0], atol=1e-5) and torch.allclose(masks[one], mask[0], atol=1e-5)


def test_the_picture_stays_in_range_and_its_outline_is_soft(ball, front, cpu):
    image, mask = draw_normals(*ball, front, cpu, SIZE)
    soft = (mask > 0.05) & (mask < 0.95)
    assert 20 < soft.sum() < 120 and image.min() > -0.3 and image.max() < 1.001


def test_normal_maps_pull_on_vertices_inside_and_at_the_outline(ball, front, cpu):
    vertices, faces = ball
    moving = vertices.clone().requires_grad_()
    image, mask = draw_normals(moving, faces, front, cpu, SIZE)
    (inside,) = torch.autograd.grad(image[:, 14:20, 14:20, 0].sum(), moving, retain_graph=True)
    (outline,) = torch.autograd.grad(mask.sum(), moving)
    assert inside.isfinite().all() and inside[vertices[:, 2] > 0.08].abs().sum() > 0
    towards = (outline * vertices).sum(-1)
    assert towards.sum() > 0 and outline[vertices[:, 2].abs() > 0.08].abs().sum() == 0


def test_a_loss_on_normals_flattens_a_ball_by_gradient_descent(ball, front, cpu):
    vertices, faces = ball
    wide = draw_normals(vertices * torch.tensor([1.2, 1.0, 1.0]), faces, front, cpu, SIZE)[0]
    width = torch.tensor(1.0, requires_grad=True)
    optimiser = torch.optim.Adam([width], 0.02)
    for _ in range(25):
        scaled = vertices * torch.stack([width, torch.ones(()), torch.ones(())])
        loss = (draw_normals(scaled, faces, front, cpu, SIZE)[0] - wide).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert abs(width.item() - 1.2) < 0.02


def test_attributes_show_on_the_chosen_background(ball, front, cpu):
    vertices, faces = ball
    surface = draw_surface(vertices, faces, front, cpu, SIZE)
    image, _ = paint(surface, sample(surface, torch.full((len(vertices), 2), 0.25)), 0.75)
    assert torch.allclose(image[0, 16, 16], torch.tensor(0.25)) and torch.equal(image[0, 0, 0], torch.full((2,), 0.75))
    assert torch.allclose(surface.position.norm(dim=-1), torch.tensor(0.1), atol=2e-3)


def test_given_normals_replace_the_smooth_ones(ball, front, cpu):
    vertices, faces = ball
    up = torch.tensor([0.0, 1.0, 0.0]).expand(len(vertices), 3)
    assert torch.allclose(draw_surface(vertices, faces, front, cpu, SIZE, up).normal, up[:1])


def test_light_from_the_persons_left_brightens_the_right_of_a_front_view(ball, front, cpu):
    surface = draw_surface(*ball, front, cpu, SIZE)
    beam = prefilter(((map_directions(16, 32)[..., 2:]) > 0.8).float().expand(16, 32, 3) * 8)
    image, _ = draw_relit(surface, plain(surface), rotate(beam, math.pi / 2), 0.0)
    assert image[0, 17, 20:26].mean() > 2 * image[0, 17, 6:12].mean()
    assert image.min() >= 0 and image.max() <= 1.0 + 1e-5


def test_relighting_has_gradients_for_albedo_and_outline(ball, front, cpu):
    vertices = ball[0].clone().requires_grad_()
    surface = draw_surface(vertices, ball[1], front, cpu, SIZE)
    material = plain(surface)
    material.albedo.requires_grad_()
    draw_relit(surface, material, prefilter(torch.ones(8, 16, 3)))[0].square().sum().backward()
    assert (material.albedo.grad > 0).all() and vertices.grad.isfinite().all() and vertices.grad.abs().sum() > 0


def test_an_empty_view_is_all_background(ball, cpu, front):
    vertices, faces = ball
    image, mask = draw_normals((vertices + 5.0).requires_grad_(), faces, front, cpu, SIZE)
    assert (image == 1).all() and (mask == 0).all()


def test_uint8_pictures_are_rounded_and_clamped():
    assert np.array_equal(to_uint8(torch.tensor([-1.0, 0.5, 2.0])), np.array([0, 128, 255], np.uint8))


def test_normals_lie_on_the_background_that_is_asked_for(ball, front, cpu):
    surface = draw_surface(*ball, front, cpu, SIZE)
    black, mask = normal_maps(surface, 0.0)
    white, _ = normal_maps(surface)
    assert (black[0, 0] == 0).all() and (white[0, 0] == 1).all()
    assert torch.allclose(white - black, (1 - mask).expand_as(white), atol=1e-6)


def test_depth_is_one_over_the_distance_from_each_pictures_nearest_to_its_farthest_point(ball, cpu):
    vertices, faces = ball
    cameras = standard_cameras([0.0, 130.0], [0.0, 20.0])
    pair = torch.stack([vertices, 0.5 * vertices])
    surface = draw_surface(pair, faces, cameras, cpu, SIZE)
    image, mask = depth_maps(surface)
    assert image.shape == (2, SIZE, SIZE, 3) and torch.equal(image[..., 0], image[..., 2])
    view = surface.fragments.covered.nonzero()[:, 0]
    distance = _w(surface)[:, 0]
    for one in (0, 1):
        inverse, inside = 1 / distance[view == one], surface.fragments.covered[one] & (mask[one, ..., 0] == 1)
        wanted = torch.zeros(SIZE, SIZE)
        wanted[surface.fragments.covered[one]] = (inverse - inverse.min()) / (inverse.max() - inverse.min())
        assert torch.allclose(image[one, ..., 0][inside], wanted[inside], atol=1e-4)
        assert image[one, ..., 0].max() > 0.99 and (image[one, 0] == 0).all()
        soft = (mask[one] > 0.05) & (mask[one] < 0.95)
        assert soft.sum() > 10


def _w(surface):
    """[P, 1] the clip-space w of the covered pixels, which is metres along the viewing axis."""
    return sample(surface, surface.clip[..., 3:])


def test_depth_pulls_on_vertices_inside_and_at_the_outline_and_a_flat_picture_is_finite(ball, triangle, front, cpu):
    vertices, faces = ball
    moving = vertices.clone().requires_grad_()
    image, mask = depth_maps(draw_surface(moving, faces, front, cpu, SIZE))
    (pull,) = torch.autograd.grad(image[0, 15, 16].sum(), moving, retain_graph=True)
    assert pull.isfinite().all() and pull[:, 2].sum() > 0  # nearer is brighter
    (outline,) = torch.autograd.grad(mask.sum(), moving)
    assert outline.abs().sum() > 0
    flat, _ = depth_maps(draw_surface(*triangle, front, cpu, SIZE))
    assert flat.isfinite().all() and flat.min() > -0.01 and flat.max() < 1.01
    nothing, _ = depth_maps(draw_surface(vertices + 5.0, faces, front, cpu, SIZE))
    assert (nothing == 0).all()
