"""Our rasterisers: what is seen, against a slow twin, and how gradients flow inside and at the outline."""

import threading
import time

import numpy as np
import pytest
import torch

from idto3d.render.backends.kernel import rasterize
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.backends.torch_raster import TorchRasterizer
from idto3d.render.camera import clip_positions, standard_cameras
from idto3d.render.rasterizer import interpolate


@pytest.fixture(params=[NumbaRasterizer, TorchRasterizer])
def ours(request):
    """Each of the two that are ours, on the CPU."""
    return request.param()


def draw(vertices, faces, camera, rasterizer, size=24):
    clip = clip_positions(vertices, camera)
    return clip, rasterizer.fragments(clip, faces, (size, size))


def test_a_triangle_is_drawn_the_right_way_up(triangle, front, ours):
    vertices, faces = triangle
    _, fragments = draw(vertices + torch.tensor([0.05, 0.05, 0.0]), faces, front, ours, 32)
    row, column = fragments.covered[0].nonzero().float().mean(0)
    assert row < 13 and column > 18


def test_fragments_agree_with_asking_every_triangle_at_every_pixel(sphere, ours, slow_rasterize):
    vertices, faces = sphere(7)
    clip = clip_positions(vertices, standard_cameras([30.0], [20.0]))
    fragments = ours.fragments(clip, faces, (30, 24))
    face, barycentric, depth = slow_rasterize(clip[0], faces, 30, 24)
    same = face == fragments.face[0]
    assert same.float().mean() > 0.99 and (face >= 0).sum() > 100
    assert torch.allclose(fragments.barycentric[0][same].double(), barycentric[same], atol=1e-3)
    assert torch.allclose(fragments.depth[0, ..., 0].double(), depth, atol=1e-4)


def test_other_threads_go_on_while_a_mesh_is_drawn():
    corners = np.array([[-9, -9, 0, 1], [9, -9, 0, 1], [0, 9, 0, 1]], np.float32)
    rasterize(corners, np.array([[0, 1, 2]]), 8, 8)  # compiles
    many = np.tile(np.array([[0, 1, 2]]), (400, 1))
    drawing = threading.Thread(target=rasterize, args=(corners, many, 512, 512))
    drawing.start()
    turns = 0
    while drawing.is_alive():
        time.sleep(0.001)
        turns += 1
    assert turns > 20


def test_the_nearer_of_two_triangles_is_seen_in_either_order(triangle, front, ours):
    vertices, _ = triangle
    both = torch.cat([vertices, vertices + torch.tensor([0.0, 0.0, 0.1])])
    for faces, nearer in (([[0, 1, 2], [3, 4, 5]], 1), ([[3, 4, 5], [0, 1, 2]], 0)):
        _, fragments = draw(both, torch.tensor(faces), front, ours)
        assert fragments.face[0, 12, 12] == nearer


def test_what_is_behind_the_camera_is_not_drawn(triangle, front, ours):
    vertices, faces = triangle
    _, fragments = draw(vertices + torch.tensor([0.0, 0.0, 2.0]), faces, front, ours)
    assert not fragments.covered.any()


def test_interpolated_positions_project_to_their_own_pixels(sphere, ours):
    vertices, faces = sphere(8)
    camera = standard_cameras([25.0, 200.0], [-10.0, 30.0])
    clip, fragments = draw(vertices, faces, camera, ours)
    position = interpolate(clip, fragments, faces)
    row, column = torch.meshgrid(torch.arange(24), torch.arange(24), indexing="ij")
    center = torch.stack([(2 * column + 1) / 24 - 1, 1 - (2 * row + 1) / 24], -1)
    error = (position[..., :2] / position[..., 3:].clamp(min=1e-6) - center)[fragments.covered]
    assert error.abs().max() < 1e-3
    depth = position[..., 2:3] / position[..., 3:].clamp(min=1e-6)
    assert torch.allclose(depth[fragments.covered], fragments.depth[fragments.covered], atol=1e-5)


def test_attributes_of_one_mesh_or_of_each_view_interpolate_alike(sphere, ours):
    vertices, faces = sphere(5)
    _, fragments = draw(vertices, faces, standard_cameras([0.0, 90.0], 0.0), ours)
    shared = interpolate(vertices, fragments, faces)
    assert torch.equal(shared, interpolate(torch.stack([vertices, vertices]), fragments, faces))
    other = interpolate(torch.stack([vertices, vertices * 2]), fragments, faces)
    assert torch.allclose(other, shared * torch.tensor([1.0, 2.0])[:, None, None, None])


def test_asking_for_a_gradient_changes_no_value(sphere, ours):
    vertices, faces = sphere(6)
    camera = standard_cameras([10.0], [10.0])
    plain_clip, plain = draw(vertices, faces, camera, ours)
    clip, fragments = draw(vertices.clone().requires_grad_(), faces, camera, ours)
    assert torch.equal(plain.face, fragments.face)
    assert torch.equal(plain.barycentric, fragments.barycentric) and torch.equal(plain.depth, fragments.depth)
    mask = plain.covered[..., None].float()
    assert torch.equal(ours.antialias(mask, plain, plain_clip, faces), ours.antialias(mask, fragments, clip, faces))
    assert not plain.barycentric.requires_grad and fragments.barycentric.requires_grad


def test_inside_gradients_match_finite_differences(triangle, ours):
    vertices, faces = triangle
    camera = standard_cameras([20.0], [10.0])
    attribute = torch.tensor([[1.0], [-2.0], [0.5]])

    def loss(points):
        _, fragments = draw(points, faces, camera, ours, 16)
        picture = interpolate(attribute, fragments, faces)[:, 7:9, 7:9] + 5 * fragments.depth[:, 7:9, 7:9]
        return picture.square().sum()

    moving = vertices.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(moving), moving)
    for vertex in range(3):
        for axis in range(3):
            step = torch.zeros(3, 3)
            step[vertex, axis] = 2e-3
            difference = (loss(vertices + step) - loss(vertices - step)) / 4e-3
            assert torch.allclose(gradient[vertex, axis], difference, rtol=0.03, atol=0.05)


def area(vertices, faces, camera, rasterizer, size):
    clip, fragments = draw(vertices, faces, camera, rasterizer, size)
    return rasterizer.antialias(fragments.covered[..., None].float(), fragments, clip, faces).mean()


CHANGES = {
    "growing": lambda points, amount: points * (1 + amount),
    "widening": lambda points, amount: points * (1 + amount * torch.tensor([1.0, 0.0, 0.0])),
    "bulging above": lambda points, amount: points * (1 + amount * (0.1 + points[:, 1:2]) / 0.2),
    "coming nearer": lambda points, amount: points + amount * torch.tensor([0.0, 0.0, 1.0]),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("rings", [6, 40])
def test_the_area_of_a_sphere_has_the_gradient_of_finite_differences(sphere, ours, change, rings):
    vertices, faces = sphere(rings)
    camera = standard_cameras([20.0], [15.0])
    amount = torch.zeros((), requires_grad=True)
    changed = CHANGES[change](vertices, amount)
    (gradient,) = torch.autograd.grad(area(changed, faces, camera, ours, 48), amount)
    ends = [area(CHANGES[change](vertices, torch.tensor(a)), faces, camera, ours, 256) for a in (0.03, -0.03)]
    assert torch.allclose(gradient, (ends[0] - ends[1]) / 0.06, rtol=0.06)


def test_the_area_of_a_triangle_has_the_gradient_of_finite_differences_in_every_corner(triangle, front, ours):
    vertices, faces = triangle
    moving = vertices.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(area(moving, faces, front, ours, 64), moving)
    for vertex in range(3):
        for axis in range(2):
            step = torch.zeros(3, 3)
            step[vertex, axis] = 0.01
            ends = [area(vertices + sign * step, faces, front, ours, 256) for sign in (1, -1)]
            assert torch.allclose(gradient[vertex, axis], (ends[0] - ends[1]) / 0.02, rtol=0.06, atol=0.01)


def test_moving_one_thing_over_another_has_a_gradient_at_the_depth_step(sphere, triangle, front, ours):
    ball, ball_faces = sphere(10, 0.04)
    card, card_faces = triangle

    def brightness(shift, size):
        points = torch.cat([ball * (1 + shift) + torch.tensor([0.0, -0.02, 0.1]), card * 3])
        faces = torch.cat([ball_faces, card_faces + len(ball)])
        clip, fragments = draw(points, faces, front, ours, size)
        picture = (fragments.face < len(ball_faces))[..., None].float() * fragments.covered[..., None]
        return ours.antialias(picture, fragments, clip, faces).mean()

    shift = torch.zeros((), requires_grad=True)
    (gradient,) = torch.autograd.grad(brightness(shift, 48), shift)
    difference = (brightness(torch.tensor(0.05), 256) - brightness(torch.tensor(-0.05), 256)) / 0.1
    assert torch.allclose(gradient, difference, rtol=0.06)


def test_hidden_outlines_and_the_inside_are_left_alone(sphere, triangle, front, ours):
    hidden, hidden_faces = sphere(10, 0.03)
    card, card_faces = triangle
    points = torch.cat([card, hidden - torch.tensor([0.0, 0.02, 0.2])])
    faces = torch.cat([card_faces, hidden_faces + 3])
    noise = torch.rand(1, 32, 32, 3, generator=torch.Generator().manual_seed(1))
    together, alone = (
        ours.antialias(noise, draw(p, f, front, ours, 32)[1], clip_positions(p, front), f)
        for p, f in ((points, faces), (card, card_faces))
    )
    assert torch.equal(together, alone) and not torch.equal(alone, noise)


def test_antialiasing_softens_a_mask_towards_its_true_area(sphere, front, ours):
    vertices, faces = sphere(24)
    fine = area(vertices, faces, front, ours, 512)
    assert torch.allclose(area(vertices, faces, front, ours, 24), fine, rtol=0.01)


def test_slivers_and_points_pass_no_broken_gradient(front, ours):
    vertices = torch.tensor([[0.0, 0.1, 0.0], [1e-7, -0.1, 0.0], [0.0, -0.1, 0.05], [0.05, 0.0, 0.0]]).requires_grad_()
    faces = torch.tensor([[0, 1, 2], [1, 1, 1], [0, 2, 3], [0, 1, 3]])
    clip, fragments = draw(vertices, faces, front, ours, 33)
    image = ours.antialias(interpolate(vertices, fragments, faces), fragments, clip, faces)
    (image.square().sum() + fragments.depth.sum()).backward()
    assert vertices.grad.isfinite().all() and vertices.grad.abs().sum() > 0
