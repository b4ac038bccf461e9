"""A small lumpy head with three expressions, and a stand-in for the field."""

import numpy as np
import pytest
import torch
import trimesh

from idto3d.head.parts import HeadShape
from idto3d.render.material import Material

NAMES = ("neutral", "mouth stretch", "brow raised")


def lumpy_ball(subdivisions: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] in metres and faces [F, 3] of an egg about as large as a head, with a lump for a nose."""
    ball = trimesh.creation.icosphere(subdivisions=subdivisions)
    lump = np.exp(-20.0 * (1.0 - ball.vertices @ np.array([0.0, 0.0, 1.0])))
    return ball.vertices * (1.0 + 0.2 * lump[:, None]) * [0.075, 0.12, 0.095], np.asarray(ball.faces, np.int64)


@pytest.fixture
def lumpy():
    """`lumpy_ball`."""
    return lumpy_ball


@pytest.fixture
def head() -> HeadShape:
    vertices, faces = lumpy_ball()
    chin = np.exp(-(((vertices - [0.0, -0.08, 0.06]) / 0.03) ** 2).sum(1))[:, None] * [0.0, -0.02, 0.0]
    brow = np.exp(-(((vertices - [0.0, 0.08, 0.06]) / 0.03) ** 2).sum(1))[:, None] * [0.0, 0.008, 0.002]
    expressions = np.stack([vertices, vertices + chin, vertices + brow])
    return HeadShape(
        canonical=torch.tensor(vertices, dtype=torch.float32),
        faces=torch.tensor(faces),
        names=NAMES,
        expressions=torch.tensor(expressions, dtype=torch.float32),
    )


@pytest.fixture
def sample():
    """A material that is green to the person's left and red to the right, bluer in later expressions."""

    def material(points, expression):
        left = (points[:, :1] > 0).float()
        albedo = torch.cat([1.0 - left, left, torch.full_like(left, 0.25 * expression)], dim=1)
        return Material(albedo=albedo, roughness=torch.full_like(left, 0.6), metallic=torch.full_like(left, 0.1))

    return material
