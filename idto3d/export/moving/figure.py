"""A head's parts as one mesh that is posed quickly: only what an expression moves is touched. Metres, float32."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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
        joints = self.neck.matrices(turn).astype(np.float32)
        points = sum(s[:, None] * (points @ j[:3, :3].T + j[:3, 3]) for s, j in zip(self.shares.T, joints, strict=True))
        normals = sum(s[:, None] * (normals @ j[:3, :3].T) for s, j in zip(self.shares.T, joints, strict=True))
        return points, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), np.float32(1e-9))


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
