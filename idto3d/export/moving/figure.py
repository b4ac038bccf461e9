"""A head's parts as one mesh that is posed quickly: only what an expression moves is touched. Metres, float32."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numba import njit

from idto3d.export.gltf.load import Asset
from idto3d.export.gltf.mesh import visible
from idto3d.export.moving.neck import Neck

Moved = tuple[np.ndarray, np.ndarray]  # numbers of vertices [M], and what is added to each [M, 3]


@dataclass(frozen=True, eq=False)
class Figure:
    """positions and normals [V, 3] at rest, faces [F, 3] int32, shares [V, 3] of the joints, see Neck; and of each
    expression by name what it adds to positions and to normals.
    """

    positions: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    shares: np.ndarray
    neck: Neck
    expressions: Mapping[str, tuple[Moved, Moved]]

    def posed(self, weights: Mapping[str, float], turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Positions and unit normals [V, 3] with expressions at `weights` and the head turned by `turn` [3, 3]."""
        points, normals = self.positions.copy(), self.normals.copy()
        for name, weight in weights.items():
            for values, (rows, added) in zip((points, normals), self.expressions[name], strict=True):
                values[rows] += np.float32(weight) * added
        _skin(points, normals, self.shares, self.neck.matrices(turn))
        return points, normals


@njit(nogil=True, cache=True)
def _skin(points, normals, shares, joints):
    """Turn `points` and `normals` [V, 3] in place by their shares [V, 3] of `joints` [3, 4, 4]; normals become unit."""
    for v in range(len(points)):
        a, b, c = shares[v, 0], shares[v, 1], shares[v, 2]
        x, y, z = points[v, 0], points[v, 1], points[v, 2]
        i, j, k = normals[v, 0], normals[v, 1], normals[v, 2]
        length = 0.0
        for row in range(3):
            r = a * joints[0, row, 0] + b * joints[1, row, 0] + c * joints[2, row, 0]
            s = a * joints[0, row, 1] + b * joints[1, row, 1] + c * joints[2, row, 1]
            t = a * joints[0, row, 2] + b * joints[1, row, 2] + c * joints[2, row, 2]
            u = a * joints[0, row, 3] + b * joints[1, row, 3] + c * joints[2, row, 3]
            points[v, row] = r * x + s * y + t * z + u
            normals[v, row] = r * i + s * j + t * k
            length += (r * i + s * j + t * k) ** 2
        for row in range(3):
            normals[v, row] /= max(math.sqrt(length), 1e-9)


def figure_of(asset: Asset, neck: Neck) -> Figure:
    """The parts of an `asset`, one after the other."""
    parts = asset.mesh.parts
    starts = np.cumsum([0, *(len(part.positions) for part in parts[:-1])])
    places = [part.positions + part.pivot for part in parts]
    shares = [neck.shares(part.name, place) for part, place in zip(parts, places, strict=True)]
    moves = [np.concatenate(of_parts, 1) for of_parts in zip(*(visible(part) for part in parts), strict=True)]
    expressions = {
        name: tuple(_moved(values[number]) for values in moves) for number, name in enumerate(asset.mesh.names)
    }
    return Figure(
        np.concatenate(places).astype(np.float32),
        np.concatenate([part.normals for part in parts]).astype(np.float32),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]).astype(np.int32),
        np.concatenate(shares).astype(np.float32),
        neck,
        expressions,
    )


def _moved(added: np.ndarray) -> Moved:
    rows = np.flatnonzero(added.any(1))
    return rows, added[rows].astype(np.float32)
