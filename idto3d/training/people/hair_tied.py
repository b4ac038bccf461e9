"""What is tied behind a head: the tail of a ponytail and the knot of a bun, as closed tubes with strands."""

import numpy as np

from idto3d.training.people.scalp import grid_faces, smooth

RINGS, RING_VERTICES = 40, 28


def tail_mesh(knot: np.ndarray, outward: np.ndarray, end: np.ndarray, random: np.random.Generator):
    """A tail from `knot` [3] that leaves the head along `outward` [3] and hangs to `end` [3], metres.

    Returns vertices [H, 3], faces [F, 3] and the brightness of the strands [H].
    """
    t = np.linspace(0, 1, RINGS, dtype=np.float32)[:, None]
    points = _bezier(t, knot - 0.004 * outward, knot + 0.075 * outward + [0, 0.015, 0], end * [0.9, 0, 1.1], end)
    swell = random.uniform(0.025, 0.034)
    profile = 0.011 + (swell - 0.011) * smooth(t, 0.02, 0.4) - (swell - 0.003) * smooth(t, 0.55, 1.0)
    turn = _turns()
    ridge = 1 + 0.10 * np.sin(int(random.integers(6, 9)) * turn + 3 * t) + 0.05 * np.sin(11 * turn - 2 * t)
    side, other = _frame(points)
    radius = (profile * ridge)[..., None]
    tube = points[:, None] + radius * (np.cos(turn)[..., None] * side + 0.8 * np.sin(turn)[..., None] * other)
    shade = np.broadcast_to(0.9 + 1.2 * (ridge - 1), tube.shape[:2])
    return _closed(tube, shade)


def knot_mesh(centre: np.ndarray, outward: np.ndarray, radius: float, random: np.random.Generator):
    """A coil of hair of `radius` metres around `centre` [3], flat along `outward` [3]; see tail_mesh."""
    polar = np.linspace(0.02, np.pi - 0.02, RINGS, dtype=np.float32)[:, None]
    turn = _turns()
    coil = np.sin(random.uniform(5, 7) * polar + random.choice((-1, 1)) * 2 * turn + random.uniform(0, 6))
    strands = np.sin(15 * polar + 5 * turn)
    size = radius * (1 + (0.085 * coil + 0.02 * strands) * np.sin(polar))
    side = np.cross(outward, [1.0, 0.0, 0.0])
    side /= np.linalg.norm(side)
    other = np.cross(outward, side)
    ring = np.cos(turn)[..., None] * side + np.sin(turn)[..., None] * other
    ball = centre + (size * np.sin(polar))[..., None] * ring + 0.85 * (size * np.cos(polar))[..., None] * outward
    return _closed(ball, 0.95 + 0.2 * coil + 0.05 * strands)


def _bezier(t, a, b, c, d) -> np.ndarray:
    return (1 - t) ** 3 * a + 3 * (1 - t) ** 2 * t * b + 3 * (1 - t) * t**2 * c + t**3 * d


def _turns() -> np.ndarray:
    return np.linspace(0, 2 * np.pi, RING_VERTICES, endpoint=False, dtype=np.float32)[None]


def _frame(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two unit directions [P, 1, 3] across a curve [P, 3]; the first lies level."""
    ahead = np.gradient(points, axis=0)
    side = np.cross(ahead, [1.0, 0.0, 0.001])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    other = np.cross(ahead, side)
    return side[:, None], other[:, None] / (np.linalg.norm(other, axis=1)[:, None, None] + 1e-9)


def _closed(grid: np.ndarray, shade: np.ndarray):
    faces = grid_faces(*grid.shape[:2])
    return grid.reshape(-1, 3), outward(grid.reshape(-1, 3), faces), shade.ravel()


def outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """`faces` of a closed mesh wound so that they enclose a positive volume."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return faces if (a * np.cross(b, c)).sum() > 0 else faces[:, ::-1]
