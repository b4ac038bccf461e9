"""What one photo shows of the skin: its colour, without the light, at the texels of the skin's texture."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from idto3d.evidence.camera import FAR, NEAR, PhotoCamera
from idto3d.evidence.warp import Warp
from idto3d.head.paint.atlas import Texels
from idto3d.render.backends.kernel import rasterize

DEPTH_SIDE = 640  # of the picture by which is judged what hides what, pixels
SLACK_M = 0.003  # how far behind the nearest surface a place may lie and still be seen, metres
GRAZING, FACING = 0.15, 0.65  # cosines to the camera at which a place is not seen, and seen best
EDGE_M = 0.008  # metres from the edge of a photo over which it stops counting: there is no seam where it ends
AROUND = 1.15  # side of the square around the head in its own sizes


@dataclass(frozen=True, eq=False)
class View:
    """How a photo shows the world: its camera, and the last pixels of correction."""

    camera: PhotoCamera
    warp: Warp

    def place(self, points: np.ndarray) -> np.ndarray:
        """Where in the photo (x, y) [N, 2] it shows the points [N, 3] of the world, pixels."""
        return self.warp(self.camera.project(points))


@dataclass(frozen=True, eq=False)
class Posed:
    """The head as a photo caught it: positions [V, 3] metres of all parts, and faces [F, 3] over them; normals [V, 3].

    The skin's vertices come first. creased: [V] 0..1, how far the expression folds the skin, see `light.creases`.
    """

    positions: np.ndarray
    normals: np.ndarray
    faces: np.ndarray
    creased: np.ndarray


@dataclass(frozen=True, eq=False)
class Look:
    """N texels as one photo shows them: linear RGB [N, 3], and how well each is seen [N], 0..1; normals [N, 3].

    creased: [N] 0..1, how far the photo's expression folds the skin there. grown: [N] 0..1, how far a beard covers it.
    density: [N] pixels of the photo per metre of skin, along the way in which they are sparser.
    """

    colours: np.ndarray
    share: np.ndarray
    normals: np.ndarray
    creased: np.ndarray
    grown: np.ndarray
    density: np.ndarray


def look(
    pixels: np.ndarray, shows: Callable[[np.ndarray], np.ndarray], view: View, posed: Posed, texels: Texels
) -> Look:
    """What a photo, pixels [H, W, 3] linear RGB, shows at the texels.

    shows: from places (x, y) [N, 2] in the photo to how far it shows skin there, and beard on it: [N, 2], 0..1.
    """
    camera = view.camera
    positions, normals = texels.read(posed.positions), texels.read(posed.normals)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True) + 1e-9
    towards = camera.position - positions
    away = np.linalg.norm(towards, axis=1)
    facing = (normals * towards).sum(1) / away
    share, grown, colours = np.zeros(len(positions)), np.zeros(len(positions)), np.zeros((len(positions), 3))
    rows = np.flatnonzero(facing > GRAZING)
    rows = rows[_unhidden(camera, posed, positions[rows])]
    place = view.place(positions[rows])
    colours[rows] = read_pixels(pixels, place)
    share[rows], grown[rows] = shows(place).T
    edge = EDGE_M * camera.focal / away[rows]
    share[rows] *= ramp(facing[rows], GRAZING, FACING) * ramp(_inside(place, pixels.shape) / edge, 0.0, 1.0)
    creased, density = texels.read(posed.creased[:, None])[:, 0], camera.focal / away * np.maximum(facing, 0)
    return Look(colours, share, normals, creased, grown, density)


def _unhidden(camera: PhotoCamera, posed: Posed, points: np.ndarray) -> np.ndarray:
    """[N] bool, which of `points` [N, 3] on the head no other part of it hides."""
    drawn = camera.project(posed.positions)
    low, high = drawn.min(0), drawn.max(0)
    side = AROUND * (high - low).max()
    left, top = (low + high - side) / 2
    clip = camera.clip(posed.positions, (left, top, side))
    _, _, depth = rasterize(clip, posed.faces.astype(np.int32), DEPTH_SIDE, DEPTH_SIDE)
    nearest = 2 * FAR * NEAR / ((FAR + NEAR) - depth * (FAR - NEAR))
    cell = ((camera.project(points) - [left, top]) / side * DEPTH_SIDE).astype(int).clip(0, DEPTH_SIDE - 1)
    return -camera.seen(points)[:, 2] < nearest[cell[:, 1], cell[:, 0]] + SLACK_M


def read_pixels(pixels: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Bilinear values [N, C] of a picture [H, W, C] at (x, y) [N, 2], whose first pixel has its centre at 0.5."""
    at = place[:, ::-1].T - 0.5
    return np.stack([map_coordinates(one, at, order=1, mode="nearest") for one in np.moveaxis(pixels, -1, 0)], 1)


def _inside(place: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """[N] pixels from `place` [N, 2] to the next edge of a picture of that shape; 0 and less outside of it."""
    return np.minimum(place, [shape[1], shape[0]] - place).min(1)


def ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a smooth step between."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return share * share * (3 - 2 * share)
