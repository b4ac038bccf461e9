"""The outline of a face in a photo: where the template's own lies, and how far from it the skin really ends.

The outline of a smooth surface is where its normals are at right angles to the view. Only where the photo's masks go
from bare skin to background once, across a point beyond which the drawn head has nothing, does the photo say where it
should be: not in hair, and not where the jaw lies before the neck. Lengths are metres, places pixels of the photo.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from idto3d.evidence.camera import PhotoCamera
from idto3d.evidence.projection import Posed
from idto3d.render.backends.kernel import rasterize

REACH_M, STEP_M = 0.012, 0.0005  # how far to both sides the photo's outline is looked for, and how closely
GAP_M, BAND_M = 0.0015, 0.005  # from and to which distance of a crossing both sides must be clear
SURE = 0.85  # mean share of skin inside, and of background outside, of a clear crossing
BEYOND_M = 0.004  # beyond the outline by which the drawn head must have ended
EDGE_M, SNAP_M = 0.0015, 0.002  # width of either side of an edge of colours, and how far from a crossing it may be
SIDE, AROUND = 320, 1.1  # of the picture by which that is judged: pixels, sizes of the head

# Places [N, 2] in a photo to shares of bare skin and background, and sRGB [N, 5].
Shows = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Rim:
    """N points of a head's outline, each within a face: its corners [N, 3], and the point's shares of them [N, 3].

    length [N]: metres of outline that each stands for. outward [N, 2]: unit normals in the picture, x right, y down.
    """

    corners: np.ndarray
    shares: np.ndarray
    length: np.ndarray
    outward: np.ndarray

    def read(self, values: np.ndarray) -> np.ndarray:
        """[N, ...] of what vertices have, [V, ...]."""
        return np.einsum("nk...,nk->n...", values[self.corners], self.shares)

    def __getitem__(self, rows: np.ndarray) -> "Rim":
        return Rim(self.corners[rows], self.shares[rows], self.length[rows], self.outward[rows])


def rim_of(posed: Posed, camera: PhotoCamera, faces: np.ndarray) -> Rim:
    """The outline of the smooth surface `faces` [F, 3] of a `posed` head, hidden or not."""
    facing = (posed.normals * (camera.position - posed.positions)).sum(1)
    towards = facing[faces] > 0
    mixed = towards.any(1) & ~towards.all(1)
    towards = towards[mixed]
    lone = (towards == (towards.sum(1) == 1)[:, None]).argmax(1)  # the corner that faces another way than both others
    corners = np.take_along_axis(faces[mixed], (lone[:, None] + [0, 1, 2]) % 3, 1)
    of = facing[corners]
    along = of[:, :1] / (of[:, :1] - of[:, 1:])  # [N, 2] where the outline cuts the two edges from the lone corner
    shares = np.concatenate([1 - along.mean(1, keepdims=True), along / 2], 1)
    ends = posed.positions[corners]
    cuts = ends[:, :1] + along[..., None] * (ends[:, 1:] - ends[:, :1])
    normals = np.einsum("nkc,nk->nc", posed.normals[corners], shares) @ camera.rotation.T
    outward = normals[:, :2] * [1, -1]
    outward /= np.linalg.norm(outward, axis=1, keepdims=True) + 1e-12
    return Rim(corners, shares, np.linalg.norm(cuts[:, 0] - cuts[:, 1], axis=1), outward)


def off_outline(posed: Posed, camera: PhotoCamera, rim: Rim, shows: Shows) -> tuple[Rim, np.ndarray]:
    """Those points of a `rim` [N] at which a photo says where the skin ends, and by how far it lies beyond them [N]."""
    points = rim.read(posed.positions)
    place, scale = camera.project(points), camera.focal / -camera.seen(points)[:, 2]
    step = rim.outward * scale[:, None]
    last = _nothing_at(posed, camera, place + BEYOND_M * step)
    rim, place, step = rim[last], place[last], step[last]
    reach = np.arange(-REACH_M, REACH_M + STEP_M / 2, STEP_M)
    shown = shows((place[:, None] + reach[:, None] * step[:, None]).reshape(-1, 2))
    seen = shown.reshape(len(place), len(reach), shown.shape[1])
    beyond, clear = _crossings(reach, seen[..., 0], seen[..., 1])
    return rim[clear], _at_edge(reach, seen[clear][..., 2:], beyond[clear])


def _nothing_at(posed: Posed, camera: PhotoCamera, place: np.ndarray) -> np.ndarray:
    """[N] bool, at which places [N, 2] the drawn head does not lie."""
    drawn = camera.project(posed.positions)
    low, high = drawn.min(0), drawn.max(0)
    side = AROUND * (high - low).max()
    left, top = (low + high - side) / 2
    face, _, _ = rasterize(camera.clip(posed.positions, (left, top, side)), posed.faces, SIDE, SIDE)
    cell = ((place - [left, top]) / side * SIDE).astype(int).clip(0, SIDE - 1)
    return face[cell[:, 1], cell[:, 0]] < 0


def _crossings(reach: np.ndarray, skin: np.ndarray, back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where along `reach` [T] skin [N, T] ends best, [N], and whether it is background [N, T] there, [N] bool."""
    wrong = np.cumsum(1 - skin, 1) + (1 - back).sum(1, keepdims=True) - np.cumsum(1 - back, 1)
    best = reach[wrong.argmin(1)]
    away = reach - best[:, None]
    near = np.abs(away) < BAND_M
    centre = best + STEP_M * (np.where(near & (away <= 0), skin - 1, 0) + np.where(near & (away > 0), skin, 0)).sum(1)
    away = reach - centre[:, None]
    inside, outside = (away < -GAP_M) & (away > -BAND_M), (away > GAP_M) & (away < BAND_M)
    clear = (_mean(skin, inside) > SURE) & (_mean(back, outside) > SURE) & (np.abs(centre) < REACH_M - BAND_M / 2)
    return centre, clear


def _at_edge(reach: np.ndarray, colours: np.ndarray, about: np.ndarray) -> np.ndarray:
    """[N] where along `reach` [T] `colours` [N, T, 3] change most, near the places `about` [N] that masks say."""
    width = round(EDGE_M / STEP_M)
    summed = np.cumsum(np.pad(colours, ((0, 0), (1, 0), (0, 0))), 1)
    mean = (summed[:, width:] - summed[:, :-width]) / width  # of the `width` places from each on
    change = np.linalg.norm(mean[:, width:] - mean[:, :-width], axis=2)
    at = reach[width : width + change.shape[1]] - STEP_M / 2
    share = change**2 * np.exp(-0.5 * ((at - about[:, None]) / SNAP_M) ** 2)
    best = at[share.argmax(1)]
    share = share * (np.abs(at - best[:, None]) < EDGE_M)
    return (share * at).sum(1) / np.maximum(share.sum(1), 1e-12)


def _mean(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    return (values * where).sum(1) / np.maximum(where.sum(1), 1)
