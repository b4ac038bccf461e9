"""A ball for tests of what photos show: round, its texture's square in two halves beside a seam, few vertices."""

from dataclasses import dataclass

import numpy as np

from idto3d.evidence.completion import symmetry_of
from idto3d.evidence.skin import SkinMap
from idto3d.head.paint.atlas import texels_of

RADIUS = 0.1  # metres
ROWS, COLUMNS = 48, 64  # so that no face is wider than SEAM on the texture
RIM = 0.1  # share of the square's height that is left free above and below


@dataclass(frozen=True, eq=False)
class Ball:
    """vertices [V, 3] metres, faces [F, 3] counter-clockwise seen from outside, uvs [F, 3, 2] with the seam behind."""

    vertices: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray

    @property
    def normals(self) -> np.ndarray:
        """[V, 3] unit."""
        return self.vertices / RADIUS

    def skin_map(self, size: int) -> SkinMap:
        """The ball as a skin with a texture of `size` pixels."""
        laid = texels_of(self.faces, self.uvs, size), self.faces, self.uvs, symmetry_of(self.vertices)
        return SkinMap(*laid, self.vertices, np.ones(len(self.vertices)))


def make_ball() -> Ball:
    """A belt of the ball without its poles; the front, +Z, is in the middle of the texture."""
    rows, columns = np.meshgrid(np.arange(ROWS), np.arange(COLUMNS + 1), indexing="ij")
    polar = np.pi * (0.08 + 0.84 * rows / (ROWS - 1))
    around = 2 * np.pi * columns / COLUMNS - np.pi
    places = RADIUS * np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1)
    uvs = np.stack([columns / COLUMNS, RIM + (1 - 2 * RIM) * rows / (ROWS - 1)], -1)
    row, column = (side.ravel() for side in np.meshgrid(np.arange(ROWS - 1), np.arange(COLUMNS), indexing="ij"))
    corners = np.stack([(row, column), (row + 1, column), (row, column + 1), (row + 1, column + 1)], -1)  # [2, F, 4]
    quads = np.concatenate([corners[..., [0, 1, 2]], corners[..., [2, 1, 3]]], 1)
    faces = quads[0] * COLUMNS + quads[1] % COLUMNS
    return Ball(places[:, :COLUMNS].reshape(-1, 3), faces, uvs[quads[0], quads[1]])
