"""Tiny meshes, the CPU rasteriser and its slow twin."""

import pytest
import torch
from slow_raster import brute_force

from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import standard_cameras


@pytest.fixture
def cpu():
    return make_rasterizer("cpu")


@pytest.fixture
def front():
    return standard_cameras(0.0, 0.0)


@pytest.fixture
def triangle():
    """One triangle [3, 3] in the plane z = 0, about 16 cm wide, and its face."""
    return torch.tensor([[-0.08, -0.09, 0.0], [0.09, -0.06, 0.0], [0.01, 0.1, 0.0]]), torch.tensor([[0, 1, 2]])


@pytest.fixture
def sphere():
    """`make_sphere`."""
    return make_sphere


@pytest.fixture
def slow_rasterize():
    """`brute_force`."""
    return brute_force


def make_sphere(rings: int, radius: float = 0.1):
    """A closed, outward-wound latitude-longitude sphere about the origin: vertices [V, 3], faces [F, 3]."""
    polar = torch.arange(1, rings) * torch.pi / rings
    around = torch.arange(2 * rings) * torch.pi / rings
    middle = torch.stack(
        [
            polar.sin()[:, None] * around.sin(),
            polar.cos()[:, None].expand(-1, 2 * rings),
            polar.sin()[:, None] * around.cos(),
        ],
        -1,
    ).reshape(-1, 3)
    vertices = torch.cat([torch.tensor([[0.0, 1.0, 0.0]]), middle, torch.tensor([[0.0, -1.0, 0.0]])]) * radius
    return vertices, torch.tensor(_sphere_faces(rings))


def _sphere_faces(rings: int) -> list[tuple[int, int, int]]:
    width, last = 2 * rings, (rings - 1) * 2 * rings + 1
    faces = []
    for column in range(width):
        after = (column + 1) % width
        faces.append((0, 1 + column, 1 + after))
        faces.append((last, last - width + after, last - width + column))
        for row in range(rings - 2):
            a, b = 1 + row * width + column, 1 + row * width + after
            faces += [(a, a + width, b), (b, a + width, b + width)]
    return faces
