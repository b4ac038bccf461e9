"""Cameras: where they stand, what is left and right, and that projecting keeps its gradient."""

import math

import pytest
import torch

from idto3d.render.camera import FOV_Y_DEG, TARGET, Camera, clip_positions, orbit, standard_cameras


def ndc(point, camera):
    clip = clip_positions(torch.tensor([point]), camera)
    return (clip[..., :3] / clip[..., 3:])[:, 0]


def test_the_front_camera_stands_before_the_face_and_looks_at_the_target():
    camera = standard_cameras([0.0], [0.0])
    assert torch.allclose(camera.c2w[0, :3, 3], torch.tensor([TARGET[0], TARGET[1], TARGET[2] + 1.0]))
    assert torch.allclose(ndc(TARGET, camera)[0, :2], torch.zeros(2), atol=1e-6)
    assert math.isclose(camera.fov_y, math.radians(FOV_Y_DEG))


def test_the_persons_left_appears_on_the_right_of_a_front_view_and_up_is_up():
    x, y, _ = ndc((0.1, 0.1, 0.0), standard_cameras([0.0], [0.0]))[0]
    assert x > 0.3 and y > 0.3


def test_a_positive_azimuth_goes_to_the_persons_left_and_a_positive_elevation_up():
    positions = orbit(torch.tensor([90.0, 0.0]), torch.tensor([0.0, 60.0]))[:, :3, 3] - torch.tensor(TARGET)
    expected = torch.tensor([[1.0, 0.0, 0.0], [0.0, math.sin(math.pi / 3), math.cos(math.pi / 3)]])
    assert torch.allclose(positions, expected, atol=1e-6)


@pytest.mark.parametrize("elevation", [-90.0, -20.0, 90.0])
def test_poses_are_rotations_even_straight_above_and_below(elevation):
    rotation = orbit(torch.tensor([37.0]), torch.tensor([elevation]))[0, :3, :3]
    assert torch.allclose(rotation @ rotation.T, torch.eye(3), atol=1e-6)
    assert torch.allclose(torch.linalg.det(rotation), torch.tensor(1.0), atol=1e-6)


def test_w_is_the_distance_along_the_view_in_metres():
    clip = clip_positions(torch.tensor([[TARGET[0], TARGET[1], TARGET[2] + 0.25]]), standard_cameras([0.0], [0.0]))
    assert torch.allclose(clip[0, 0, 3], torch.tensor(0.75))


def test_the_top_of_the_picture_is_half_the_field_of_view_away():
    height = math.tan(math.radians(FOV_Y_DEG) / 2)
    assert torch.allclose(
        ndc((TARGET[0], TARGET[1] + height, TARGET[2]), standard_cameras([0.0], [0.0]))[0, 1], torch.tensor(1.0)
    )


def test_one_mesh_under_two_cameras_equals_two_copies_and_one_camera_sees_two_meshes():
    vertices = torch.tensor([[0.0, 0.1, 0.0], [0.1, 0.0, 0.05]])
    cameras = standard_cameras([0.0, 40.0], 10.0)
    assert torch.equal(clip_positions(vertices, cameras), clip_positions(torch.stack([vertices] * 2), cameras))
    assert clip_positions(torch.stack([vertices] * 2), standard_cameras(0.0, 0.0)).shape == (2, 2, 4)


def test_a_wider_picture_squeezes_x_alone():
    camera = standard_cameras(0.0, 0.0)
    narrow, wide = (clip_positions(torch.tensor([[0.1, 0.1, 0.0]]), camera, aspect) for aspect in (1.0, 2.0))
    assert torch.allclose(wide[0, 0], narrow[0, 0] * torch.tensor([0.5, 1.0, 1.0, 1.0]))


def test_gradients_reach_vertices_and_camera():
    c2w = orbit(torch.tensor([10.0]), torch.tensor([5.0])).double().requires_grad_()
    vertices = torch.rand(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(lambda v, c: clip_positions(v, Camera(c, 0.4)), (vertices, c2w))
