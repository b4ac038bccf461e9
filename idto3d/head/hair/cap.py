"""The cap: a closed-looking surface a little under the hair's outside, so that no skull shows between the cards."""

from dataclasses import dataclass

import numpy as np
import torch

from idto3d.geometry.dmtet import narrow_band
from idto3d.geometry.tet_grid import TetGrid
from idto3d.head.hair.lattice import head_lattice, normalised, resampled
from idto3d.head.hair.scalp import smoothstep
from idto3d.head.hair.volume import HairVolume

SPACING = 0.009  # metres between the points that the cap is drawn from
INSET = (0.5, 0.007)  # how far it lies under the hair's outside: a share of the thickness, and metres at most
SUNK = 0.005  # metres under the skin where it ends
FREE = 0.0  # height under which hair hangs beside the face, metres
FALLS = -0.03  # height under which all hair hangs, metres
EAR_GAP = 0.013  # metres that it keeps off free ears: farther than the cards before it
SHORTER = 0.025  # metres above the lower end of hanging hair where it ends
SMOOTHING = 4  # rounds in which vertices move to the middle of their neighbours
CENTRE = np.array([0.0, 0.02, 0.0])  # of its texture's sphere, metres


@dataclass(frozen=True, eq=False)
class Cap:
    """vertices, normals [V, 3] metres and unit; faces [F, 3]; uvs [F, 3, 2] in its own square, 0..1."""

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray


def make_cap(volume: HairVolume) -> Cap:
    """The cap of a volume; it dives under the skin at the hairline, where it ends."""
    lattice = head_lattice(SPACING)
    skin, hair = (resampled(field, lattice) for field in (volume.skin, volume.hair))
    inset = np.clip(INSET[0] * (skin.values - hair.values), 0, INSET[1])
    values = torch.from_numpy(hair.values + inset).reshape(-1)
    points = torch.from_numpy(lattice.points)
    grid = TetGrid(points, lattice.shape, lattice.spacing)
    band = narrow_band(grid, values, 0.0)
    crossing = band.march(points[band.points], values[band.points])
    vertices, faces = crossing.vertices.numpy(), crossing.faces.numpy()
    vertices = _smooth(vertices, faces)
    vertices, faces = _kept(vertices, faces, volume)
    return Cap(vertices, _normals(volume, vertices), faces, _uvs(vertices, faces))


def _smooth(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    number = np.maximum(np.bincount(pairs[:, 0], minlength=len(vertices)), 1)[:, None]
    for _ in range(SMOOTHING):
        middle = np.stack([np.bincount(pairs[:, 0], vertices[pairs[:, 1], k], len(vertices)) for k in range(3)], -1)
        vertices = 0.5 * vertices + 0.5 * middle / number
    return vertices


def _kept(vertices: np.ndarray, faces: np.ndarray, volume: HairVolume) -> tuple[np.ndarray, np.ndarray]:
    """The faces that hair covers, without those deep under the skin and those that close hanging hair from below."""
    depth, thickness = volume.skin.at(vertices), volume.thickness(vertices)
    level = normalised((vertices - CENTRE) * [1, 0, 1])
    outward = (normalised(volume.hair.slope(vertices)) * level).sum(1)
    chosen = (thickness > -SUNK) & (depth > -SUNK)
    chosen &= ~((outward < 0.4) & (vertices[:, 1] < FREE))
    lower = vertices - [0, SHORTER, 0]
    chosen &= (vertices[:, 1] > FALLS) | ((volume.hair.at(lower) < 0) & (volume.skin.at(lower) > 0))
    if volume.ears is not None:
        chosen &= volume.ears.at(vertices) > EAR_GAP
    kept = faces[chosen[faces].all(1)]
    used, faces = np.unique(kept, return_inverse=True)
    return vertices[used], faces.reshape(-1, 3)


def _normals(volume: HairVolume, vertices: np.ndarray) -> np.ndarray:
    return volume.outward(vertices, np.ones(len(vertices)))


def _uvs(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Around the head and down it; the seam is behind, and corners beyond it are brought to their face's side."""
    x, y, z = (vertices - CENTRE).T
    around = np.arctan2(x, z) / (2 * np.pi) + 0.5
    down = smoothstep(np.arccos(np.clip(y / np.sqrt(x**2 + y**2 + z**2), -1, 1)) / np.pi, -0.5, 1.5) * 2 - 0.5
    u, v = around[faces], np.clip(down, 0, 1)[faces]
    torn = u.max(1) - u.min(1) > 0.5
    u = np.where(torn[:, None] & (u < 0.5), 1.0, u)
    return np.stack([u, v], -1)
