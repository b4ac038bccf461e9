"""The scalp as a grid over azimuth (around the head) and a path from the crown past the hairline.

A grid point is a place on a skin triangle, so that it lies on the skin of every head of the model.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.spatial import cKDTree

from idto3d.head.features.face_masks import HAIRLINE_DEG, HAIRLINE_Y

AZIMUTHS, RINGS = 224, 72
CENTRE = np.array([0.0, 0.03, 0.0], np.float32)  # inside the skull, metres
PATH_START, PATH_END = 0.02, 1.1  # of the rings, in units of the way from the crown to the hairline
PLAN_RADIUS = 0.105  # metres of arc per radian of polar angle in the flat map of the scalp
NEARBY = 16  # triangles tried for each ray


@dataclass(frozen=True)
class Scalp:
    """For each grid direction, the skin triangle it leaves the head through; directions are unit, from CENTRE."""

    vertices: np.ndarray  # [R, A, 3] indices
    weights: np.ndarray  # [R, A, 3] barycentric
    directions: np.ndarray  # [R, A, 3] unit
    azimuth: np.ndarray  # [A] radians, 0 in front, positive to the person's left
    plan: np.ndarray  # [R, A, 2] metres: the scalp unrolled about the crown, x to the left, y to the front

    def on(self, vertices: np.ndarray) -> np.ndarray:
        """[R, A, 3] the grid on a head's `vertices` [V, 3], metres."""
        return np.einsum("rakc,rak->rac", vertices[self.vertices], self.weights)


def read_scalp(neutral: np.ndarray, faces: np.ndarray) -> Scalp:
    """Fix the grid, once, on the mean head. `neutral` [V, 3] metres; `faces` [F, 3] of the skin."""
    azimuth = np.linspace(-np.pi, np.pi, AZIMUTHS, endpoint=False, dtype=np.float32)
    offsets = neutral - CENTRE
    polar = ring_path()[:, None] * _hairline_polar(offsets[np.unique(faces)], azimuth)[None]
    directions = _directions(polar, np.broadcast_to(azimuth, polar.shape))
    vertices, weights = _pierced(offsets, faces, directions.reshape(-1, 3))
    plan = PLAN_RADIUS * polar[..., None] * np.stack([np.sin(azimuth), np.cos(azimuth)], -1)[None]
    shape = (*polar.shape, 3)
    return Scalp(vertices.reshape(shape), weights.reshape(shape), directions, azimuth, plan.astype(np.float32))


def ring_path() -> np.ndarray:
    """[R] how far along the way from the crown (0) to the hairline (1) each ring lies."""
    return np.linspace(PATH_START, PATH_END, RINGS, dtype=np.float32)


def _directions(polar: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    sine = np.sin(polar)
    return np.stack([sine * np.sin(azimuth), np.cos(polar), sine * np.cos(azimuth)], -1).astype(np.float32)


def _hairline_polar(offsets: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    tree = cKDTree(offsets / np.linalg.norm(offsets, axis=1, keepdims=True))
    wanted = np.interp(np.abs(np.degrees(azimuth)), HAIRLINE_DEG, HAIRLINE_Y) - CENTRE[1]
    polar = np.linspace(0.1, 2.6, 200, dtype=np.float32)
    directions = _directions(polar[:, None] + 0 * azimuth, np.broadcast_to(azimuth, (200, len(azimuth))))
    _, nearest = tree.query(directions.reshape(-1, 3))
    height = np.linalg.norm(offsets[nearest], axis=1).reshape(200, -1) * np.cos(polar)[:, None]
    return gaussian_filter1d(polar[np.argmax(height < wanted, axis=0)], 2.5, mode="wrap")


def _pierced(offsets: np.ndarray, faces: np.ndarray, rays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The triangle [N, 3] that each of `rays` [N, 3] from the origin leaves through, and its weights [N, 3]."""
    centres = offsets[faces].mean(1)
    tree = cKDTree(centres / np.linalg.norm(centres, axis=1, keepdims=True))
    _, near = tree.query(rays, k=min(NEARBY, len(faces)))
    corners = offsets[faces[near]]  # [N, K, corner, 3]
    parts = np.stack([_volume(rays, corners[:, :, (i + 1) % 3], corners[:, :, (i + 2) % 3]) for i in range(3)], -1)
    total = parts.sum(-1, keepdims=True)
    weights = parts / np.where(np.abs(total) < 1e-12, 1e-12, total)
    missed = np.maximum(-weights.min(-1), 0)  # 0 where the ray goes through
    distance = np.einsum("nkic,nki->nkc", corners, weights.clip(0, 1))
    choice = (100 * missed + np.linalg.norm(distance, axis=-1)).argmin(1)  # the innermost: the skull, not the ear
    rows = np.arange(len(rays))
    picked = weights[rows, choice].clip(0, 1)
    return faces[near[rows, choice]], (picked / picked.sum(1, keepdims=True)).astype(np.float32)


def _volume(rays: np.ndarray, second: np.ndarray, third: np.ndarray) -> np.ndarray:
    return np.einsum("nc,nkc->nk", rays, np.cross(second, third))


def grid_faces(rings: int = RINGS, around: int = AZIMUTHS) -> np.ndarray:
    """[F, 3] triangles, outward, of a grid of `rings` closed rings of `around` vertices."""
    row, column = np.meshgrid(np.arange(rings - 1), np.arange(around), indexing="ij")
    a, b = row * around + column, row * around + (column + 1) % around
    c, d = a + around, b + around
    triangles = [np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]
    return np.concatenate(triangles).astype(np.int32)


def along(grid: np.ndarray, path: np.ndarray) -> np.ndarray:
    """A grid [R, A, C] read at `path` [R', A] in units of the way to the hairline: [R', A, C], linear between rings."""
    row = np.clip((path - PATH_START) / (PATH_END - PATH_START), 0, 1) * (RINGS - 1)
    low = np.minimum(np.floor(row).astype(int), RINGS - 2)
    column, blend = np.arange(grid.shape[1])[None], (row - low)[..., None]
    return grid[low, column] * (1 - blend) + grid[low + 1, column] * blend


def smooth(x, low: float, high: float):
    """0 below `low`, 1 above `high`, a smooth step between."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
