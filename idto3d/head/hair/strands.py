"""Guide strands as values: curves in rows, each with the layer of the hair it lies in."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Guides:
    """points, normals [N, T, 3] from root to tip, metres and unit; level [N] of the layer each lies in, 0..1."""

    points: np.ndarray
    normals: np.ndarray
    level: np.ndarray

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows) -> "Guides":
        return Guides(self.points[rows], self.normals[rows], self.level[rows])

    @property
    def lengths(self) -> np.ndarray:
        """[N] metres."""
        return np.linalg.norm(np.diff(self.points, axis=1), axis=-1).sum(1)
