"""Cameras: orbits around the head and the map from the world to clip space.

World: right-handed, +Y up, the face looks to +Z, metres. Camera: OpenGL, looks along its own -Z, +Y up.
Clip space: x right, y up, visible where -w <= x, y, z <= w; w is the distance along the viewing axis in metres.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

TARGET = (0.0, -0.017, 0.01)
FOV_Y_DEG = 21.5
DISTANCE = 1.0
NEAR, FAR = 0.05, 20.0


@dataclass(frozen=True)
class Camera:
    """One or more pinhole cameras with square pixels.

    c2w: [B, 4, 4] camera to world, OpenGL axes, metres.
    fov_y: vertical field of view, radians.
    """

    c2w: Tensor
    fov_y: float


def orbit(
    azimuth_deg: Tensor, elevation_deg: Tensor, distance: float = DISTANCE, target: tuple[float, ...] = TARGET
) -> Tensor:
    """Poses [B, 4, 4] (camera to world) of cameras on a sphere around `target`, upright and looking at it.

    azimuth_deg, elevation_deg: [B]; azimuth 0 is in front, positive towards +X (the person's left); elevation
    is positive from above. distance, target: metres.
    """
    azimuth, elevation = torch.deg2rad(azimuth_deg), torch.deg2rad(elevation_deg)
    zero = torch.zeros_like(azimuth)
    right = torch.stack([azimuth.cos(), zero, -azimuth.sin()], -1)
    back = torch.stack([elevation.cos() * azimuth.sin(), elevation.sin(), elevation.cos() * azimuth.cos()], -1)
    up = torch.linalg.cross(back, right)
    position = back * distance + back.new_tensor(target)
    c2w = torch.eye(4, dtype=back.dtype, device=back.device).repeat(len(back), 1, 1)
    c2w[:, :3] = torch.stack([right, up, back, position], -1)
    return c2w


def standard_cameras(azimuth_deg, elevation_deg) -> Camera:
    """Cameras [B] of the standard framing: a whole head, 1 m away, field of view 21.5 degrees.

    azimuth_deg, elevation_deg: numbers, sequences or tensors that broadcast against each other.
    """
    azimuth = torch.atleast_1d(torch.as_tensor(azimuth_deg, dtype=torch.float32))
    elevation = torch.atleast_1d(torch.as_tensor(elevation_deg, dtype=torch.float32, device=azimuth.device))
    return Camera(orbit(*torch.broadcast_tensors(azimuth, elevation)), math.radians(FOV_Y_DEG))


def camera_to(camera: Camera, device: torch.device) -> Camera:
    """The same camera on `device`."""
    return Camera(camera.c2w.to(device), camera.fov_y)


def world_to_camera(camera: Camera) -> Tensor:
    """[B, 4, 4], the inverse of the (rigid) camera-to-world matrices."""
    rotation = camera.c2w[:, :3, :3].transpose(1, 2)
    w2c = torch.zeros_like(camera.c2w)
    w2c[:, :3, :3] = rotation
    w2c[:, :3, 3:] = -rotation @ camera.c2w[:, :3, 3:]
    w2c[:, 3, 3] = 1.0
    return w2c


def projection(camera: Camera, aspect: float = 1.0) -> Tensor:
    """[4, 4] OpenGL perspective matrix; aspect is width over height."""
    scale = 1.0 / math.tan(camera.fov_y / 2)
    matrix = torch.zeros(4, 4, dtype=camera.c2w.dtype, device=camera.c2w.device)
    matrix[0, 0] = scale / aspect
    matrix[1, 1] = scale
    matrix[2, 2] = (FAR + NEAR) / (NEAR - FAR)
    matrix[2, 3] = 2 * FAR * NEAR / (NEAR - FAR)
    matrix[3, 2] = -1.0
    return matrix


def clip_positions(vertices: Tensor, camera: Camera, aspect: float = 1.0) -> Tensor:
    """Clip-space positions [B, V, 4] of world-space `vertices` [V, 3] or [B, V, 3], differentiable.

    One mesh [V, 3] is seen by all B cameras; a mesh [B, V, 3] may also be seen by one camera.
    """
    camera = camera_to(camera, vertices.device)
    matrix = projection(camera, aspect) @ world_to_camera(camera)
    points = vertices if vertices.dim() == 3 else vertices[None]
    return points @ matrix[:, :, :3].transpose(1, 2) + matrix[:, None, :, 3]


def view_directions(points: Tensor, camera_position: Tensor) -> Tensor:
    """Unit vectors [..., 3] from world-space `points` [..., 3] towards the camera."""
    return torch.nn.functional.normalize(camera_position - points, dim=-1)
