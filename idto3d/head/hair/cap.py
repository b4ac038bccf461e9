"""The cap: a closed-looking surface a little under the hair's outside, so that no skull shows between the cards."""

from dataclasses import dataclass

import numpy as np
import torch

from idto3d.geometry.dmtet import narrow_band
from idto3d.geometry.tet_grid import TetGrid
from idto3d.head.hair.lattice import head_lattice, normalised, resampled
from idto3d.head.hair.volume import HairVolume

SPACING = 0.009  # metres between the points that the cap is drawn from
INSET = (0.5, 0.007)  # how far it lies under the hair's outside: a share of the thickness, and metres at most
CLOSE = 0.003  # metres that a vertex moves at most in a round that brings it back to its surface
SUNK = 0.005  # metres under the skin where it ends
OUTWARD = 0.10  # how far hanging hair looks to the side at least: before the face it ends in single strands
FREE = 0.0  # height under which hair hangs beside the face, metres
FALLS = -0.03  # height under which all hair hangs, metres
EAR_GAP = 0.013  # metres that it keeps off free ears: farther than the cards before it
SHORTER = 0.025  # metres above the lower end of hanging hair where it ends
SMOOTHING = 4  # rounds in which vertices move to the middle of their neighbours
CENTRE, RADIUS = np.array([0.0, 0.03, -0.005]), 0.11  # of the dome that its texture is laid over, metres


@dataclass(frozen=True, eq=False)
class Cap:
    """vertices, normals [V, 3] metres and unit; faces [F, 3]; uvs [F, 3, 2] in its own square, 0..1.

    reach: metres down the texture, see `unrolled`.
    """

    vertices: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    uvs: np.ndarray
    reach: float


NO_CAP = Cap(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3), int), np.zeros((0, 3, 2)), 0.0)


def make_cap(volume: HairVolume, inset: tuple[float, float] = INSET) -> Cap:
    """The cap of a volume; it dives under the skin at the hairline, where it ends.

    inset: how far it lies under the hair's outside, a share of the thickness, and metres at most.
    """
    lattice = head_lattice(SPACING)
    skin, hair = (resampled(field, lattice) for field in (volume.skin, volume.hair))
    under = np.clip(inset[0] * (skin.values - hair.values), 0, inset[1])
    values = torch.from_numpy(hair.values + under).reshape(-1)
    points = torch.from_numpy(lattice.points)
    grid = TetGrid(points, lattice.shape, lattice.spacing)
    band = narrow_band(grid, values, 0.0)
    crossing = band.march(points[band.points], values[band.points])
    vertices, faces = crossing.vertices.numpy(), crossing.faces.numpy()
    vertices = _settled(_smooth(vertices, faces), volume, inset)
    vertices, faces = _kept(vertices, faces, volume)
    if not len(faces):
        return NO_CAP
    top = _pole(vertices)
    if top >= 0:
        vertices[top, [0, 2]] = CENTRE[[0, 2]]  # the texture's pole is a corner, not inside a triangle
    reach = float(_down(vertices).max())
    return Cap(vertices, _normals(volume, vertices, faces), faces, _uvs(vertices, faces, reach, top), reach)


def _pole(vertices: np.ndarray) -> int:
    """The vertex next to the texture's pole; -1 where the cap leaves the crown free."""
    away = np.hypot(*(vertices - CENTRE)[:, [0, 2]].T)
    near = np.flatnonzero((away < SPACING) & (vertices[:, 1] > CENTRE[1]))
    return int(near[np.argmin(away[near] - vertices[near, 1])]) if len(near) else -1


def _settled(vertices: np.ndarray, volume: HairVolume, inset: tuple[float, float]) -> np.ndarray:
    """The vertices back on their surface, which smoothing left, by Newton's steps."""
    for _ in range(3):
        under = np.clip(inset[0] * volume.thickness(vertices), 0, inset[1])
        step = np.clip(volume.hair.at(vertices) + under, -CLOSE, CLOSE)
        vertices = vertices - step[:, None] * normalised(volume.hair.slope(vertices))
    return vertices


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
    chosen &= ~((outward < OUTWARD) & (vertices[:, 1] < FREE))
    lower = vertices - [0, SHORTER, 0]
    chosen &= (vertices[:, 1] > FALLS) | ((volume.hair.at(lower) < 0) & (volume.skin.at(lower) > 0))
    if volume.ears is not None:
        chosen &= volume.ears.at(vertices) > EAR_GAP
    kept = faces[chosen[faces].all(1)]
    used, faces = np.unique(kept, return_inverse=True)
    return vertices[used], faces.reshape(-1, 3)


def _normals(volume: HairVolume, vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    return normalised(_smooth(volume.outward(vertices, np.ones(len(vertices))), faces))


def unrolled(cap_reach: float, points: np.ndarray) -> np.ndarray:
    """[N, 2] where the texture of a cap shows what lies at `points` [N, 3]: around the head, and down it.

    Over a dome of RADIUS about CENTRE, then straight down; cap_reach: metres from the top to the texture's lower end.
    The seam is behind.
    """
    x, _, z = (points - CENTRE).T
    return np.stack([np.arctan2(x, z) / (2 * np.pi) + 0.5, np.clip(_down(points) / max(cap_reach, 1e-6), 0, 1)], -1)


def _down(points: np.ndarray) -> np.ndarray:
    x, y, z = (points - CENTRE).T
    return RADIUS * np.arctan2(np.hypot(x, z), np.maximum(y, 0)) + np.maximum(-y, 0)


def _uvs(vertices: np.ndarray, faces: np.ndarray, reach: float, top: int) -> np.ndarray:
    """See `unrolled`; corners beyond the seam are brought to their face's side, the pole is below its face."""
    uvs = unrolled(reach, vertices)[faces]
    u, pole = uvs[..., 0], faces == top
    u[pole] = np.nan
    torn = np.nanmax(u, 1) - np.nanmin(u, 1) > 0.5
    u = np.where(torn[:, None] & (u < 0.5), 1.0, u)
    uvs[..., 0] = np.where(pole, np.nanmean(u, 1)[:, None], u)
    return uvs
