"""Guide strands as values: curves in rows, each with the layer of the hair it lies in."""

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True, eq=False)
class Guides:
    """points, normals [N, T, 3] from root to tip, metres and unit; level [N] of the layer each lies in, 0..1.

    lock [N]: the number of the lock each belongs to. across [N, T, 3]: unit normals of the sheets that follow them,
    where these are not the normals that they are shaded by.
    """

    points: np.ndarray
    normals: np.ndarray
    level: np.ndarray
    lock: np.ndarray
    across: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.points)

    def __getitem__(self, rows) -> "Guides":
        across = None if self.across is None else self.across[rows]
        return replace(
            self,
            points=self.points[rows],
            normals=self.normals[rows],
            level=self.level[rows],
            lock=self.lock[rows],
            across=across,
        )

    @property
    def lengths(self) -> np.ndarray:
        """[N] metres."""
        return np.linalg.norm(np.diff(self.points, axis=1), axis=-1).sum(1)
