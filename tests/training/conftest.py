"""A stand-in for ICT-FaceKit with its vertex layout: an egg with small bumps for identities and expressions."""

import numpy as np
import pytest
import training.small
from accelerate.state import AcceleratorState
from scipy.spatial import ConvexHull

from idto3d.words.expressions import EXPRESSIONS


@pytest.fixture(scope="session")
def small():
    """The module small.py beside this file: a tiny model and its data."""
    return training.small


@pytest.fixture
def own_accelerator():
    """Accelerate's state, which is one for a whole process, as if no test had run before; it comes back."""
    kept = dict(AcceleratorState._shared_state)
    AcceleratorState._reset_state()
    yield
    AcceleratorState._reset_state()
    AcceleratorState._shared_state.update(kept)


def egg(count: int) -> np.ndarray:
    """`count` points spread over an egg the size of a head, centimetres."""
    index = np.arange(count) + 0.5
    height = 1 - 2 * index / count
    turn = np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - height**2)
    return np.stack([8 * ring * np.sin(turn), 12 * height - 1, 9.5 * ring * np.cos(turn)], 1)


@pytest.fixture(scope="session")
def small_ict(tmp_path_factory):
    """Path of the packed stand-in."""
    random = np.random.default_rng(0)
    skin = egg(11248)[random.permutation(11248)]
    inside = egg(26719 - 11248) * 0.4
    neutral = np.concatenate([skin, inside]).astype(np.float32)
    triangles = ConvexHull(skin).simplices
    centre = skin[triangles].mean(1)
    a, b, c = (skin[triangles[:, i]] for i in range(3))
    inward = (np.cross(b - a, c - a) * (centre - skin.mean(0))).sum(1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    names = sorted({f"{name}{side}" for e in EXPRESSIONS for name in e.recipe for side in ("_L", "_R")})
    path = tmp_path_factory.mktemp("ict") / "ict.npz"
    bumps = [random.normal(size=(1, 3)) * np.sin(neutral @ random.normal(size=(3, 1)) * 0.3) for _ in range(4)]
    identity = np.zeros((100, len(neutral), 3), np.float16)
    identity[:4] = np.stack(bumps) * 0.3
    expression = np.zeros((len(names), len(neutral), 3), np.float16)
    expression[:, :11248, 1] = -0.3 * (neutral[:11248, 2] > 3)
    np.savez(
        path,
        neutral=neutral,
        quads=np.concatenate([triangles, np.full((len(triangles), 1), -1)], 1).astype(np.int32),
        face_material=np.full(len(triangles), "M_Face"),
        identity=identity,
        expression=expression,
        expression_names=np.array(names),
    )
    return path
