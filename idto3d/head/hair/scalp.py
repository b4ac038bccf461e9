"""The skin that hair grows on: this head against the mean head, where its scalp is, and where roots lie.

Every head has the same vertices, so that what holds for a vertex of the mean head holds for it on every head.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from idto3d.geometry.mesh import vertex_normals
from idto3d.head.hair.lattice import Field, Lattice, head_lattice, normalised
from idto3d.head.hair_volumes import EAR, hairline_height

COARSE = 0.015  # metres between the points where the way to the mean head is found
NEIGHBOURS = 16  # vertices that say how a point off the skin moves with it
GROWS = (0.001, 0.020)  # metres under and above the hairline between which hair gets dense
TINTED = (-0.004, 0.028)  # and between which the scalp's colour fades in: single hairs show skin
BAND = (-0.009, 0.003, 0.026, 0.012)  # and between which fine hair begins and ends
NEAR = 0.020  # metres from the skin within which its distance is measured finely
TEMPLE_DEG, RECEDES = (36.0, 11.0), 0.009  # azimuth of the temples and half their width; metres
SIDEBURN_DEG, LOWER = (71.0, 6.5), 0.026  # azimuth of the sideburns and half their width; metres
SLOPE_STEP = 0.004  # metres by which the hairline's course is measured
UNEVEN, RAGGED = (19, 31, 53), 0.0022  # waves around the head; metres
BESIDE = 0.05  # metres from the head's middle beyond which ears are
CLOSE = (0.80, 0.68)  # of the extents of EAR between which hair begins
TIP = 0.009  # metres by which the top of a pointed ear rises more than its middle
PLANE = 0.010  # metres off the skin within which its distance is that from its tangent plane


@dataclass(frozen=True, eq=False)
class Skin:
    """A head's skin and the mean head's: vertices, mean [V, 3] metres; faces [F, 3]."""

    vertices: np.ndarray
    mean: np.ndarray
    faces: np.ndarray

    @cached_property
    def normals(self) -> np.ndarray:
        """[V, 3] unit, outward."""
        vertices, faces = torch.from_numpy(self.vertices), torch.from_numpy(self.faces)
        return vertex_normals(vertices.float(), faces.long()).double().numpy()

    @cached_property
    def above(self) -> np.ndarray:
        """[V] metres above the usual hairline, on the mean head."""
        return above_hairline(self.mean)

    @cached_property
    def ears(self) -> np.ndarray:
        """[V] 0..1 how much a vertex belongs to an ear."""
        x = np.abs(self.mean[:, 0])
        return (smoothstep(x, 0.0755, 0.080) * smoothstep(self._around_ears, 1.15, 0.95)).astype(np.float64)

    @cached_property
    def hairless_ears(self) -> np.ndarray:
        """[V] 0..1 how much a vertex belongs to an ear, or to the skin close around it on which no hair grows."""
        return self.ears * smoothstep(self._around_ears, *CLOSE)

    @cached_property
    def pointed_ears(self) -> bool:
        """Whether the ears have tips that nobody's have, and that no hair shall hide."""
        risen = (self.vertices - self.mean)[self.ears > 0.5, 1]
        return len(risen) > 0 and float(risen.max() - np.median(risen)) > TIP

    @cached_property
    def _around_ears(self) -> np.ndarray:
        """[V] how far beside an ear's middle a vertex lies, in the extents of EAR."""
        (y, z), (high, deep) = EAR
        return np.hypot((self.mean[:, 1] - y) / high, (self.mean[:, 2] - z) / deep)

    def covered(self) -> np.ndarray:
        """[V] 0..1 how much of the skin hair hides that grows up to the usual hairline, fading there."""
        return smoothstep(self.above, *GROWS) * (1 - self.hairless_ears)

    def tinted(self) -> np.ndarray:
        """[V] 0..1 how much of the skin shows the colour of hair that grows up to the usual hairline, softer there."""
        return smoothstep(self.above, *TINTED) * (1 - self.hairless_ears)


def hairline_band(skin: Skin) -> np.ndarray:
    """[V] 0..1 the strip of skin along the hairline, strongest in front."""
    front = 0.25 + 0.75 * smoothstep(skin.mean[:, 2], -0.02, 0.05)
    return smoothstep(skin.above, *BAND[:2]) * smoothstep(skin.above, *BAND[2:]) * (1 - skin.ears) * front


def above_hairline(points: np.ndarray) -> np.ndarray:
    """[N] metres that `points` [N, 3] on the mean head lie above its hairline."""
    return _even_height(points) - recession(points)


def away_from_hairline(points: np.ndarray) -> np.ndarray:
    """[N, 3] unit, the way that leads up from the even course of the hairline at `points` [N, 3] of the mean head."""
    steps = SLOPE_STEP * np.eye(3)
    ways = [_even_height(points + step) - _even_height(points - step) for step in steps]
    return normalised(np.stack(ways, -1))


def _even_height(points: np.ndarray) -> np.ndarray:
    return points[:, 1] - hairline_height(torch.from_numpy(points)).numpy()


def recession(points: np.ndarray) -> np.ndarray:
    """[N] metres by which the hairline lies higher than its even course at `points` [N, 3] of the mean head.

    It recedes at the temples, runs down before the ears, and is nowhere a clean line.
    """
    turn = np.arctan2(points[:, 0], points[:, 2])
    side = np.degrees(np.abs(turn))
    temples, burns = (np.exp(-(((side - at) / half) ** 2)) for at, half in (TEMPLE_DEG, SIDEBURN_DEG))
    uneven = sum(np.sin(count * turn + count) for count in UNEVEN) / len(UNEVEN)
    front = smoothstep(points[:, 2], -0.02, 0.03) * smoothstep(points[:, 1], 0.135, 0.105)
    return front * (RECEDES * temples + RAGGED * uneven) - LOWER * burns * (points[:, 2] > 0)


def smoothstep(x: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 at `low`, 1 at `high`, a smooth step between; low may be the greater."""
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def distance_field(skin: Skin, lattice: Lattice, ears: bool = True) -> Field:
    """Signed distance in metres from the skin, negative inside the head; without `ears` from the skull beneath them.

    Near the skin it is measured at every point of the lattice, farther away at every second one.
    """
    samples, normals = _samples(skin, ears)
    tree = cKDTree(samples)
    rough = Lattice(lattice.low, 2 * lattice.spacing, tuple(n // 2 + 1 for n in lattice.shape))
    field = Field(rough, _signed(rough.points, tree, samples, normals).reshape(rough.shape))
    values = field.at(lattice.points)
    near = np.abs(values) < NEAR
    values[near] = _signed(lattice.points[near], tree, samples, normals)
    if not ears:  # the rim of the hole that an ear leaves says of what is outside that it is inside
        doubtful = (values < 0) & (np.abs(lattice.points[:, 0]) > BESIDE)
        samples, normals = _samples(skin, True)
        closed = _signed(lattice.points[doubtful], cKDTree(samples), samples, normals)
        values[doubtful] = np.maximum(values[doubtful], closed)
    return Field(lattice, gaussian_filter(values.reshape(lattice.shape), 0.6))


def _signed(points: np.ndarray, tree: cKDTree, samples: np.ndarray, normals: np.ndarray) -> np.ndarray:
    gap, nearest = tree.query(points)
    plane = ((points - samples[nearest]) * normals[nearest]).sum(1)
    far = smoothstep(gap, PLANE, 2 * PLANE)
    return plane * (1 - far) + np.sign(plane) * gap * far


def _samples(skin: Skin, ears: bool) -> tuple[np.ndarray, np.ndarray]:
    """Points on the skin and unit normals there, [N, 3] each: corners and middles of its triangles."""
    kept = skin.faces if ears else skin.faces[skin.ears[skin.faces].max(1) < 0.05]
    middles, normals = skin.vertices[kept].mean(1), skin.normals[kept].mean(1)
    used = np.unique(kept)
    points = np.concatenate([skin.vertices[used], middles])
    directions = np.concatenate([skin.normals[used], normals])
    return points, directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)


class MeanSpace:
    """Carries points from a head to the mean head and back, on and off the skin, smoothly."""

    def __init__(self, skin: Skin):
        """The way is found once, on a coarse lattice."""
        self._to, self._back = _way(skin.vertices, skin.mean), _way(skin.mean, skin.vertices)

    def to_mean(self, points: np.ndarray) -> np.ndarray:
        """[N, 3] on the mean head of `points` [N, 3] on this one, metres."""
        return points + np.stack([field.at(points) for field in self._to], -1)

    def from_mean(self, points: np.ndarray) -> np.ndarray:
        """[N, 3] on this head of `points` [N, 3] on the mean one, metres."""
        return points + np.stack([field.at(points) for field in self._back], -1)


def _way(source: np.ndarray, target: np.ndarray) -> list[Field]:
    """How the points around `source` move to those around `target`, [V, 3] each: three fields, metres."""
    lattice = head_lattice(COARSE)
    gap, near = cKDTree(source).query(lattice.points, k=NEIGHBOURS)
    reach = 0.012 + 0.5 * gap[:, :1]
    weight = np.exp(-0.5 * ((gap - gap[:, :1]) / reach) ** 2)
    moved = np.einsum("nk,nkc->nc", weight / weight.sum(1, keepdims=True), (target - source)[near])
    grids = moved.reshape(*lattice.shape, 3)
    return [Field(lattice, gaussian_filter(grids[..., axis], 0.8)) for axis in range(3)]


@dataclass(frozen=True, eq=False)
class Roots:
    """Where hair leaves the skin: points, normals [N, 3] metres and unit, and their faces' vertices and weights."""

    points: np.ndarray
    normals: np.ndarray
    corners: np.ndarray
    weights: np.ndarray

    def read(self, attribute: np.ndarray) -> np.ndarray:
        """[N, ...] a value per vertex [V, ...] at the roots."""
        return np.einsum("nk,nk...->n...", self.weights, attribute[self.corners])

    def __getitem__(self, rows) -> "Roots":
        return Roots(self.points[rows], self.normals[rows], self.corners[rows], self.weights[rows])


def spread_roots(skin: Skin, density: np.ndarray, count: int, random: np.random.Generator) -> Roots:
    """`count` roots, evenly spread where `density` [V], 0..1, is not small. Fewer where there is no room."""
    share = density[skin.faces].mean(1)
    corners = skin.vertices[skin.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1) * share
    if area.sum() <= 0:
        return _roots(skin, np.zeros(0, int), np.zeros((0, 3)))
    candidates = 10 * count
    face = random.choice(len(skin.faces), candidates, p=area / area.sum())
    root = np.sqrt(random.uniform(size=candidates))
    along = random.uniform(size=candidates)
    found = _roots(skin, face, np.stack([1 - root, root * (1 - along), root * along], -1))
    return found[_evenly(found.points, count)]


def _roots(skin: Skin, face: np.ndarray, weights: np.ndarray) -> Roots:
    corners = skin.faces[face]
    points = np.einsum("nk,nkc->nc", weights, skin.vertices[corners])
    normals = np.einsum("nk,nkc->nc", weights, skin.normals[corners])
    return Roots(points, normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9), corners, weights)


def _evenly(points: np.ndarray, count: int, rounds: int = 5) -> np.ndarray:
    """`count` of `points` [N, 3], about equally far apart: Lloyd's rounds, then the point nearest to each centre."""
    centres = points[:count].copy()
    for _ in range(rounds):
        _, owner = cKDTree(centres).query(points)
        total = np.maximum(np.bincount(owner, minlength=count), 1)[:, None]
        sums = np.stack([np.bincount(owner, points[:, axis], count) for axis in range(3)], -1)
        centres = np.where(np.bincount(owner, minlength=count)[:, None] > 0, sums / total, centres)
    return np.unique(cKDTree(points).query(centres)[1])
