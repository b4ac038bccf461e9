"""Glasses: a thin frame of tubes around the eyes, a bridge over the nose, and temples to the ears. No lenses."""

import numpy as np

from idto3d.head.template import LANDMARKS
from idto3d.training.people.hair_tied import outward
from idto3d.training.people.scalp import grid_faces
from idto3d.training.people.skin import FRAMES

TUBE_SIDES, TUBE_RADIUS = 8, 0.0017  # vertices around a tube, its radius in metres
HALF_HEIGHT = 0.020
CLEARANCE = 0.011  # of the rims in front of the corners of the eyes, metres


def wear(frame: str, rest: np.ndarray):
    """Vertices [W, 3], faces and linear colours of glasses on a head at rest, `rest` [V, 3] metres; None for ""."""
    if not frame:
        return None
    curves = _curves(rest)
    meshes = [_tube(points, closed) for points, closed in curves]
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes)])
    vertices = np.concatenate([vertices for vertices, _ in meshes]).astype(np.float32)
    faces = np.concatenate([faces + start for (_, faces), start in zip(meshes, starts, strict=False)]).astype(np.int32)
    return vertices, faces, np.broadcast_to(np.array(FRAMES[frame], np.float32), vertices.shape)


def _curves(rest: np.ndarray) -> list[tuple[np.ndarray, bool]]:
    """Centre lines [P, 3] of both rims, both temples and the bridge, and whether each is closed."""
    marks = rest[list(LANDMARKS)]
    bridge = marks[27] + [0, 0.0, 0.004]
    curves = []
    for side, inner, outer in ((1, marks[42], marks[45]), (-1, marks[39], marks[36])):
        centre, half = (inner + outer) / 2, np.abs(outer[0] - inner[0]) / 2 + 0.0105
        ahead, back = max(inner[2] + CLEARANCE, bridge[2]), outer[2] + CLEARANCE
        rim = _rim(centre, half, side, ahead, back)
        hinge = rim[np.argmax(side * rim[:, 0])]
        curves += [(rim, True), (_temple(rest, hinge, side), False)]
        curves.append((np.linspace(rim[np.argmin(side * rim[:, 0])], bridge, 4), False))
    return curves


def _rim(centre, half: float, side: int, ahead: float, back: float) -> np.ndarray:
    turn = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    round_ = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.75, np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.75
    outwards = (side * round_[0] * side + 1) / 2
    x = centre[0] + side * half * round_[0]
    return np.stack([x, centre[1] - 0.002 + HALF_HEIGHT * round_[1], ahead + (back - ahead) * outwards], 1)


def _temple(rest: np.ndarray, hinge: np.ndarray, side: int) -> np.ndarray:
    """[P, 3] from the hinge back to the ear, never inside the head."""
    depth = np.linspace(hinge[2], 0.008, 10)
    level = rest[np.abs(rest[:, 1] - hinge[1]) < 0.008]
    widths = [np.abs(level[np.abs(level[:, 2] - max(z, 0.022)) < 0.006, 0]).max(initial=0.0) for z in depth]
    x = np.maximum.accumulate(np.maximum(np.array(widths) + 0.0025, abs(hinge[0])))
    return np.stack([side * x, np.full_like(x, hinge[1]), depth], 1)


def _tube(points: np.ndarray, closed: bool):
    ahead = np.roll(points, -1, 0) - np.roll(points, 1, 0) if closed else np.gradient(points, axis=0)
    side = np.cross(ahead, [0.02, 0.1, 1.0])
    side /= np.linalg.norm(side, axis=1, keepdims=True) + 1e-9
    other = np.cross(ahead, side)
    other /= np.linalg.norm(other, axis=1, keepdims=True) + 1e-9
    turn = np.linspace(0, 2 * np.pi, TUBE_SIDES, endpoint=False)[None, :, None]
    tube = points[:, None] + TUBE_RADIUS * (np.cos(turn) * side[:, None] + np.sin(turn) * other[:, None])
    tube = np.concatenate([tube, tube[:1]]) if closed else tube
    faces = grid_faces(len(tube), TUBE_SIDES)
    return tube.reshape(-1, 3), outward(tube.reshape(-1, 3) - points.mean(0), faces)
