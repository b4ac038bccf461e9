"""Hollows of a head, into which little light comes: nostrils, ears, where lips meet. Measured on the mean head.

Light that comes from afar is drawn without shadows, by ours as by others' viewers. Without a shade of their own,
nostrils would glow.
"""

import numpy as np
import torch

from idto3d.geometry.mesh import vertex_normals
from idto3d.render.backends.kernel import rasterize

DIRECTIONS = 72
SIDE = 320  # pixels of the picture from each of them
SLACK_M = 0.0015  # how far behind the nearest surface a place may lie and still be seen
GRAZING = 0.05  # cosine from which a direction counts
DEEP = (0.45, 0.85)  # hidden shares of the sky between which a place becomes a hollow
DARKER = np.array([1.70, 1.95, 1.95])  # of the logarithms of red, green and blue that a hollow loses: it is lit by skin
DULLED = (0.30, 0.80)  # hidden shares between which a place stops shining
LEAST_SHINE, MATT = 0.12, 0.95  # share of the reflectance, and roughness, that are left of it


def hidden_share(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V] 0..1 how much of the sky over each vertex `points` [V, 3] metres its surface of `faces` [F, 3] itself hides.

    By the cosine, over DIRECTIONS from which it is drawn.
    """
    normals = vertex_normals(torch.from_numpy(points), torch.from_numpy(faces)).numpy()
    middle, reach = (points.min(0) + points.max(0)) / 2, np.linalg.norm(np.ptp(points, axis=0)) / 2
    local, faces = (points - middle) / reach, faces.astype(np.int32)
    hidden, whole = np.zeros(len(points)), np.full(len(points), 1e-9)
    for way in _sphere(DIRECTIONS):
        facing = normals @ way
        rows = np.flatnonzero(facing > GRAZING)
        drawn = local @ _frame(way).T
        clip = np.concatenate([drawn * [1, 1, -1], np.ones((len(drawn), 1))], 1)
        nearest = rasterize(clip.astype(np.float32), faces, SIDE, SIDE)[2]
        column, row = ((1 + side * drawn[rows, axis]) / 2 * SIDE for axis, side in ((0, 1), (1, -1)))
        seen = nearest[row.astype(int).clip(0, SIDE - 1), column.astype(int).clip(0, SIDE - 1)]
        behind = -drawn[rows, 2] > seen + SLACK_M / reach
        whole[rows] += facing[rows]
        hidden[rows] += facing[rows] * behind
    return hidden / whole


def hollow(hidden: np.ndarray) -> np.ndarray:
    """[V] 0..1 how far places are hollows, by the share of their sky that is `hidden` [V]."""
    return _step(hidden, *DEEP)


def dulled(rough: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """[V] roughness, `rough` [V] but in hollows matt: what reflects at a grazing angle has no other measure in glTF."""
    return rough + (1 - shine(hidden)) * (np.maximum(rough, MATT) - rough)


def shine(hidden: np.ndarray) -> np.ndarray:
    """[V] what is left of the reflectance of places of which so much sky is `hidden` [V]."""
    return 1 - (1 - LEAST_SHINE) * _step(hidden, *DULLED)


def _step(values: np.ndarray, low: float, high: float) -> np.ndarray:
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)


def _sphere(count: int) -> np.ndarray:
    """[count, 3] unit directions, evenly over the sphere along a spiral (Swinbank and Purser 2006)."""
    height = 1 - (2 * np.arange(count) + 1) / count
    around = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    level = np.sqrt(1 - height**2)
    return np.stack([level * np.cos(around), height, level * np.sin(around)], 1)


def _frame(way: np.ndarray) -> np.ndarray:
    """[3, 3] rows: to the right, up, and towards who looks from `way` [3]."""
    side = np.cross([0.0, 1.0, 0.0] if abs(way[1]) < 0.9 else [1.0, 0.0, 0.0], way)
    side /= np.linalg.norm(side)
    return np.stack([side, np.cross(way, side), way])
