"""Hair cards: strips along guide strands, each with a tile of the atlas of wisps."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.strands import Guides

TAPER = (0.55, 0.6)  # width at the root and at the tip, of that in the middle
ROLL = 0.15  # standard deviation of a card's turn about its strand, radians


@dataclass(frozen=True, eq=False)
class Strips:
    """Cards of one length in rows: vertices [C, T, 2, 3] metres, left and right of the strand; normals [C, T, 3].

    level [C]: that of each card's guide.
    """

    vertices: np.ndarray
    normals: np.ndarray
    level: np.ndarray

    def faces(self) -> np.ndarray:
        """[F, 3] triangles of all cards, counter-clockwise from outside; card by card, from root to tip."""
        count, rows = self.vertices.shape[:2]
        corner = np.arange(rows - 1) * 2
        strip = np.stack([corner, corner + 1, corner + 2, corner + 1, corner + 3, corner + 2], -1).reshape(-1, 3)
        return (strip[None] + (np.arange(count) * rows * 2)[:, None, None]).reshape(-1, 3)

    def uvs(self, tiles: np.ndarray) -> np.ndarray:
        """[F, 3, 2] of the faces' corners; tiles [C, 4]: left, top, right, bottom in the atlas, roots on top."""
        rows = self.vertices.shape[1]
        down = np.linspace(0, 1, rows)
        left, top, right, bottom = (tiles[:, k, None] for k in range(4))
        v = top + (bottom - top) * down
        grid = np.stack([np.stack([left + 0 * v, v], -1), np.stack([right + 0 * v, v], -1)], 2)
        return grid.reshape(-1, 2)[self.faces()]


def make_strips(guides: Guides, width: float | np.ndarray, random: np.random.Generator) -> Strips:
    """A card `width` metres wide, one number or [N], along each of N guides, turned a little about it."""
    count, rows = guides.points.shape[:2]
    ahead = normalised(np.gradient(guides.points, axis=1))
    side = normalised(np.cross(ahead, guides.normals if guides.across is None else guides.across))
    normal = normalised(np.cross(side, ahead))
    roll = random.normal(0, ROLL, (count, 1, 1))
    side = side * np.cos(roll) + normal * np.sin(roll)
    share = np.linspace(0, 1, rows)
    profile = np.where(share < 0.4, TAPER[0] + (1 - TAPER[0]) * share / 0.4, 1 - (1 - TAPER[1]) * (share - 0.4) / 0.6)
    half = 0.5 * np.reshape(width, (-1, 1, 1)) * random.uniform(0.75, 1.25, (count, 1, 1)) * profile[None, :, None]
    vertices = np.stack([guides.points - half * side, guides.points + half * side], 2)
    return Strips(vertices, guides.normals, guides.level)
