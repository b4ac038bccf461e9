"""Soft noise through the space of the mean head, of which the skin is a cut: alike in every direction on it.

Texels of the neck are five times as high as wide: noise that is laid on the texture would run there in streaks.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from idto3d.head.paint.atlas import Texels

MM = 1000.0
TILE = 48  # places of the noise to every side before it comes again, turned so that no row of the skin meets it twice
CELLS = 2.0  # of these that a cloud is wide
SOFT = 0.8  # deviation of what smooths it, places
SHOWN = (0.6, 1.2)  # widths of clouds, in sides of a texel, between which the texture begins to show them


@dataclass(frozen=True, eq=False)
class Ground:
    """N texels as places in space: places [N, 3] on the mean head and the longer side [N] of each texel, mm."""

    texels: Texels
    places: np.ndarray
    side: np.ndarray


def ground_of(texels: Texels, faces: np.ndarray, uvs: np.ndarray, positions: np.ndarray) -> Ground:
    """Where `texels` of a skin of faces [F, 3] with corners at uvs [F, 3, 2] lie; positions [V, 3] metres."""
    points = MM * np.asarray(positions, np.float64)
    side = longer_sides(points, faces, uvs) / len(texels.covered)
    return Ground(texels, texels.read(points), texels.read(side[:, None])[:, 0])


def longer_sides(points: np.ndarray, faces: np.ndarray, uvs: np.ndarray) -> np.ndarray:
    """[V] millimetres that the texture's side would be long, at the scale of each vertex, where it stretches most.

    points: [V, 3] mm. The larger singular value of the map from the texture to space, over the faces by their area.
    """
    sides, flat = points[faces[:, 1:]] - points[faces[:, :1]], (uvs[:, 1:] - uvs[:, :1]).astype(np.float64)
    area = np.linalg.norm(np.cross(sides[:, 0], sides[:, 1]), axis=1)
    even = np.abs(np.linalg.det(flat)) > 1e-12
    slopes = np.swapaxes(sides[even], 1, 2) @ np.linalg.inv(np.swapaxes(flat[even], 1, 2))
    most = np.sqrt(np.linalg.eigvalsh(np.swapaxes(slopes, 1, 2) @ slopes)[:, 1])
    say = np.repeat(area[even], 3)
    total = np.bincount(faces[even].ravel(), say, len(points))
    return np.bincount(faces[even].ravel(), say * np.repeat(most, 3), len(points)) / np.maximum(total, 1e-12)


def clouds(places: np.ndarray, width: float, random: np.random.Generator) -> np.ndarray:
    """[N] noise of about deviation 1 at `places` [N, 3] mm: bright and dark spots about `width` mm wide."""
    tile = gaussian_filter(random.standard_normal((TILE,) * 3), SOFT, mode="wrap")
    turn = np.linalg.qr(random.standard_normal((3, 3)))[0]
    at = places @ turn * (CELLS / width) + random.uniform(0, TILE, 3)
    return map_coordinates(tile / tile.std(), at.T, order=1, mode="grid-wrap")


def shown_clouds(ground: Ground, width: float, random: np.random.Generator) -> np.ndarray:
    """[N] `clouds` on a skin, of deviation 1 but for where its texture is too coarse for them."""
    low, high = SHOWN
    made = clouds(ground.places, width, random)
    return made / max(made.std(), 1e-9) * np.clip((width / np.maximum(ground.side, 1e-6) - low) / (high - low), 0, 1)
