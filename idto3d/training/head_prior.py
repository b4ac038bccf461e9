"""Fit the head prior to ICT-FaceKit heads: `python -m idto3d.training.head_prior --ict MODEL --out FILE`.

The canonical head has its lips parted and its eyes wide open. Its surface is made a solid: the mouth socket is drawn
together into a shallow wall between the lips, the eye sockets into the eyeballs, the neck is capped.
"""

import argparse
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numba import njit
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.expressions import EXPRESSIONS, Expression
from idto3d.fields.head_prior import (
    BOX,
    CODE,
    FACE_BOX,
    HAIR_STYLES,
    HeadPrior,
    PriorSize,
    lattice,
    load_prior,
    read_description,
    save_prior,
)
from idto3d.training.ict import EYE_SOCKETS, EYEBALLS, FACE, MOUTH_SOCKET, IctModel, read_ict

log = logging.getLogger(__name__)
# Lips 9 mm apart and eyes wide: two cells of a coarse grid; every expression, neutral too, is a displacement from here.
PARTED = Expression("parted", "", {"jawOpen": 0.18, "mouthUpperUp": 0.22, "mouthLowerDown": 0.22, "eyeWide": 0.8})
SKIN = EYE_SOCKETS.stop  # vertices before this one are skin and sockets
SPREAD = 0.9  # standard deviation of ICT identity coefficients of natural-looking heads
EYE_RADIUS, CORNEA_RADIUS = 0.0141, 0.0095  # a millimetre less than the model's, so that lids stand out
CORNEA = np.array([[0.0006, 0, 0.0065], [-0.0006, 0, 0.0065]], np.float32)  # its centre from the eyeball's, left first
SMOOTHING = 0.0012  # of the distance on its lattices, metres
RIM_DROP = 0.012  # thickness given to the thin edge of the bust, metres
FOLDS = 5
RIDGES = tuple(10.0**k for k in range(-4, 4))
LID_PUSH = 0.0005  # how far the eyeball moves out under closing lids, metres
ALBEDO = {
    "skin": (0.45, 0.27, 0.19),
    "lip": (0.36, 0.13, 0.10),
    "brow": (0.10, 0.065, 0.045),
    "mouth": (0.16, 0.05, 0.045),
    "sclera": (0.72, 0.68, 0.64),
    "iris": (0.10, 0.05, 0.025),
    "pupil": (0.012, 0.01, 0.01),
}


@dataclass(frozen=True)
class Solid:
    """The canonical head's surface in correspondence over identities and expressions; metres.

    The vertices are the skin, the drawn-together sockets, the cap of the neck, and points of the exposed eyeballs,
    which belong to no face.
    """

    base: np.ndarray  # [V, 3]
    identity: np.ndarray  # [100, V, 3] deltas
    motion: np.ndarray  # [13, V, 3] displacement from the canonical pose to each expression
    faces: np.ndarray  # [F, 3] a closed surface
    hidden: np.ndarray  # [F] bool, faces inside the eyeballs
    eyeball: np.ndarray  # [V] bool
    eyes: np.ndarray  # [2, 3] centres of the eyeballs, left first
    albedo: np.ndarray  # [V, 3] linear

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """[V, 3] outward unit normals of a head's `vertices` [V, 3]."""
        a, b, c = (vertices[self.faces[:, i]] for i in range(3))
        crossed, normals = np.cross(b - a, c - a), np.zeros_like(vertices)
        for i in range(3):
            np.add.at(normals, self.faces[:, i], crossed)
        for side in range(2):
            ball = self.eyeball & ((self.base[:, 0] > 0) == (side == 0))
            normals[ball] = vertices[ball] - (self.eyes[side] + (vertices - self.base)[ball])
        normals[MOUTH_SOCKET] = (0, 0, 1)
        return _unit(normals)


def build_solid(model: IctModel) -> Solid:
    """The canonical surface of `model`, with every vertex's identity deltas, expression displacement and albedo."""
    average, count = np.zeros(len(model.identity)), len(EXPRESSIONS)
    parted = model.vertices(average, model.weights(PARTED))
    moved = np.stack([model.vertices(average, model.weights(expression)) for expression in EXPRESSIONS])
    fields = np.concatenate([parted[None], moved - parted, model.identity])
    centres = np.stack([ball.mean(1) for ball in np.split(fields[:, EYEBALLS], 2, axis=1)], 1)
    centres[0] += np.array([[-0.001, 0, -0.0045], [0.001, 0, -0.0045]])  # the iris's vertices pull the mean forward
    faces = model.faces[(model.faces < SKIN).all(1)]
    sockets = ((MOUTH_SOCKET, 0), (EYE_SOCKETS, 1), (EYE_SOCKETS, -1))
    rims = [_rim(model.neutral, faces, part, side) for part, side in sockets]
    fields = _fill_sockets(fields[:, :SKIN].copy(), rims, centres[0], model.neutral)
    hidden = ((faces >= EYE_SOCKETS.start) & (faces < EYE_SOCKETS.stop)).all(1)
    faces, fields = _cap_neck(faces, fields)
    balls = [_eyeball_points(fields, rims[1 + side], centres, side) for side in range(2)]
    fields = np.concatenate([fields, *balls], 1)
    eyeball = np.arange(fields.shape[1]) >= fields.shape[1] - sum(ball.shape[1] for ball in balls)
    colours = _albedo(np.concatenate([model.neutral[:SKIN], fields[0, SKIN:]]), eyeball)
    hidden = np.pad(hidden, (0, len(faces) - len(hidden)))
    return Solid(fields[0], fields[1 + count :], fields[1 : 1 + count], faces, hidden, eyeball, centres[0], colours)


def _eyeball_points(fields: np.ndarray, rim: tuple, centres: np.ndarray, side: int) -> np.ndarray:
    """[1 + 13 + 100, E, 3]: base, motion and identity of points on the eyeball between the lids.

    A point moves as the lids beside it do, by its height between them, and outward as they close: under shut lids
    the whole visible eyeball is pressed into the seam.
    """
    count, base = len(EXPRESSIONS), fields[0]
    x, height = (a.ravel() for a in np.meshgrid(np.linspace(0.02, 0.98, 110), np.linspace(0.01, 0.99, 40)))
    x = base[rim[0][0], 0] + x * (base[rim[0][-1], 0] - base[rim[0][0], 0])
    points = _between(base, rim, base, x, height)
    direction = _unit(points - centres[0, side])
    forward = direction @ CORNEA[side]
    cornea = forward + np.sqrt(np.maximum(forward**2 - (CORNEA[side] ** 2).sum() + CORNEA_RADIUS**2, 0))
    points = centres[0, side] + direction * np.maximum(EYE_RADIUS, cornea)[:, None]
    opened = _gap(base, rim, base, x)
    motion = np.stack([_between(field, rim, base, x, height) for field in fields[1 : 1 + count]])
    for field, moved in zip(fields[1 : 1 + count], motion, strict=True):
        closing = np.clip(-_gap(field, rim, base, x) / opened, 0, 1)
        moved += LID_PUSH * closing[:, None] * direction
    identity = np.broadcast_to(centres[1 + count :, side, None], (len(fields) - 1 - count, len(x), 3))
    return np.concatenate([points[None], motion, identity]).astype(np.float32)


def _albedo(neutral: np.ndarray, eyeball: np.ndarray) -> np.ndarray:
    """[V, 3] linear albedo by where a vertex of the mean head lies with its lips closed (metres)."""
    x, y, z = np.abs(neutral[:, 0]), neutral[:, 1], neutral[:, 2]
    side = np.clip(1 - (x / 0.0255) ** 2, 0, 1)
    bow = 0.0012 * np.exp(-((x / 0.0035) ** 2))
    front = (z > 0.085) & (x < 0.0255)
    lips = front & (y < -0.0345 + 0.0105 * side**0.8 - bow + 0.0008) & (y > -0.0345 - 0.0100 * side**0.7 - 0.0008)
    arch = np.interp(x, (0.009, 0.024, 0.038, 0.049, 0.058), (0.0575, 0.0615, 0.0625, 0.0600, 0.0530))
    thick = np.interp(x, (0.009, 0.014, 0.040, 0.058), (0.0032, 0.0042, 0.0036, 0.0012))
    brows = (z > 0.07) & (x > 0.010) & (x < 0.057) & (np.abs(y - arch) < thick)
    albedo = np.tile(np.float32(ALBEDO["skin"]), (len(neutral), 1))
    albedo[lips], albedo[brows] = ALBEDO["lip"], ALBEDO["brow"]
    albedo[MOUTH_SOCKET] = ALBEDO["mouth"]
    pupil = np.hypot(x - 0.0320, y - 0.0361)
    for name, radius in (("sclera", 1.0), ("iris", 0.0058), ("pupil", 0.0022)):
        albedo[eyeball & (pupil < radius)] = ALBEDO[name]
    return albedo


def _rim(neutral: np.ndarray, faces: np.ndarray, part: slice, side: int) -> tuple[np.ndarray, np.ndarray]:
    """(lower, upper) skin vertices next to the socket `part` on a side of the face (0: both), sorted by x."""
    inside = (faces >= part.start) & (faces < part.stop)
    border = np.unique(faces[inside.any(1)][~inside[inside.any(1)]])
    border = border[neutral[border, 0] * side >= 0]
    border = border[np.argsort(neutral[border, 0])]
    x, y = neutral[border, :2].T
    above = y >= y[0] + (x - x[0]) / (x[-1] - x[0]) * (y[-1] - y[0])
    ends = np.isin(np.arange(len(border)), (0, len(border) - 1))
    return border[~above | ends], border[above | ends]


def _between(field: np.ndarray, rim: tuple, base: np.ndarray, x: np.ndarray, height: np.ndarray) -> np.ndarray:
    """[N, C] of a vertex field [V, C] between the rims at `x` [N]; `height` [N] is 0 at the lower, 1 at the upper."""
    lower, upper = (np.stack([np.interp(x, base[part, 0], column) for column in field[part].T], -1) for part in rim)
    return lower + (upper - lower) * height[:, None]


def _gap(field: np.ndarray, rim: tuple, base: np.ndarray, x: np.ndarray) -> np.ndarray:
    """[N] how much higher a vertex field [V, 3] is on the upper than on the lower rim at `x` [N]."""
    ends = (_between(field, rim, base, x, np.full(len(x), end))[:, 1] for end in (1.0, 0.0))
    return next(ends) - next(ends)


def _fill_sockets(fields: np.ndarray, rims: list, eyes: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """Socket vertices drawn together: the mouth's to a wall across its rim, the eyes' into the eyeballs."""
    mouth, x = np.arange(MOUTH_SOCKET.start, MOUTH_SOCKET.stop), neutral[MOUTH_SOCKET, 0]
    low, high = (_between(neutral, rims[0], neutral, x, np.full(len(x), end))[:, 1] for end in (0.0, 1.0))
    height = np.clip((neutral[mouth, 1] - low) / np.maximum(high - low, 1e-4), 0, 1)
    fields[:, mouth] = np.stack([_between(field, rims[0], neutral, x, height) for field in fields])
    for side in range(2):
        ball = np.arange(EYE_SOCKETS.start, EYE_SOCKETS.stop)
        ball = ball[(neutral[ball, 0] > 0) == (side == 0)]
        fields[0, ball] = eyes[side] + 0.6 * EYE_RADIUS * _unit(fields[0, ball] - eyes[side])
    return fields


def _cap_neck(faces: np.ndarray, fields: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Close the neck: a short wall down from its open edge, then a fan to one vertex as low as the edge's front."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    rim = edges[~np.isin(edges[:, 0] * SKIN + edges[:, 1], edges[:, 1] * SKIN + edges[:, 0])]
    ring = np.unique(rim)
    lowered, centre = fields[:, ring].copy(), fields[:, ring].mean(1, keepdims=True)
    lowered[0, :, 1] -= RIM_DROP
    centre[0, 0, 1] = lowered[0, :, 1].min()
    a, b = rim.T
    below_a, below_b = (SKIN + np.searchsorted(ring, end) for end in (a, b))
    fan = np.stack([below_b, below_a, np.full(len(rim), SKIN + len(ring))], 1)
    wall = np.concatenate([np.stack([b, a, below_a], 1), np.stack([b, below_a, below_b], 1)])
    return np.concatenate([faces, wall, fan]).astype(faces.dtype), np.concatenate([fields, lowered, centre], 1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


@njit(cache=True)
def _winding(points, triangles, low, cell, start, listed, columns):
    """[N] signed crossings of a ray to +X: 1 inside a closed surface. Triangles are listed by (y, z) cell."""
    inside = np.zeros(len(points), np.int32)
    for n in range(len(points)):
        row, column = int((points[n, 1] - low[1]) / cell), int((points[n, 2] - low[2]) / cell)
        if row < 0 or column < 0 or column >= columns or row * columns + column >= len(start) - 1:
            continue
        for k in range(start[row * columns + column], start[row * columns + column + 1]):
            a, b, c = triangles[listed[k]]
            area = (b[1] - a[1]) * (c[2] - a[2]) - (b[2] - a[2]) * (c[1] - a[1])
            if area == 0.0:
                continue
            u = ((b[1] - points[n, 1]) * (c[2] - points[n, 2]) - (b[2] - points[n, 2]) * (c[1] - points[n, 1])) / area
            v = ((c[1] - points[n, 1]) * (a[2] - points[n, 2]) - (c[2] - points[n, 2]) * (a[1] - points[n, 1])) / area
            if u < 0 or v < 0 or u + v > 1:
                continue
            if u * a[0] + v * b[0] + (1 - u - v) * c[0] > points[n, 0]:
                inside[n] += 1 if area > 0 else -1
    return inside


def winding_number(points: np.ndarray, vertices: np.ndarray, faces: np.ndarray, cell: float = 0.003) -> np.ndarray:
    """[N] how often the closed surface winds around each of `points` [N, 3]; 0 outside, 1 inside."""
    triangles = vertices[faces].astype(np.float64)
    low, high = vertices.min(0).astype(np.float64) - cell, vertices.max(0) + cell
    columns = int((high[2] - low[2]) / cell) + 1
    first = ((triangles.min(1)[:, 1:] - low[1:]) / cell).astype(int)
    last = ((triangles.max(1)[:, 1:] - low[1:]) / cell).astype(int)
    pairs = [
        (row * columns + column, n)
        for n, ((r0, c0), (r1, c1)) in enumerate(zip(first, last, strict=True))
        for row in range(r0, r1 + 1)
        for column in range(c0, c1 + 1)
    ]
    cells, listed = np.array(sorted(pairs)).T
    start = np.searchsorted(cells, np.arange((int((high[1] - low[1]) / cell) + 1) * columns + 1))
    return _winding(points.astype(np.float64) + 1e-7, triangles, low, cell, start, listed, columns)


@dataclass(frozen=True)
class FitOptions:
    """How much is sampled and how long each network learns (Adam steps)."""

    points: int = 160_000
    heads: int = 250
    head_points: int = 1200
    motion_steps: int = 2200
    colour_steps: int = 1500
    batch: int = 2048
    seed: int = 0


@dataclass(frozen=True)
class Samples:
    """Points of the surface, as corners and weights, so that any head or field can be read at them."""

    corners: np.ndarray  # [N, 3] vertex indices
    weights: np.ndarray  # [N, 3]

    def read(self, field: np.ndarray) -> np.ndarray:
        """[..., N, C] from a vertex field [..., V, C]."""
        return sum(field[..., self.corners[:, i], :] * self.weights[:, i, None] for i in range(3))


@dataclass(frozen=True)
class Targets:
    """What the networks should say at N points, float32 tensors; metres and linear albedo."""

    points: Tensor  # [N, 3]
    sdf: Tensor  # [N] of the mean head
    flow: Tensor  # [N, K, 3] movement of the surface per unit of z
    motion: Tensor  # [N, 13, 3]
    albedo: Tensor  # [N, 3]


@dataclass(frozen=True)
class HeadPoints:
    """Points on and near the surfaces of random heads."""

    points: Tensor  # [N, 3]
    origin: Tensor  # [N, 3] the same place on the mean head
    head: Tensor  # [N] int64 row of `z`
    z: Tensor  # [heads, K]


def shape_modes(solid: Solid, count: int) -> np.ndarray:
    """[100, K] map from identity coefficients to z: principal directions of the movement along the normal.

    z is about unit normal for natural heads. Vertices weigh as their area does, those of the face three times.
    """
    normals, weight = solid.normals(solid.base), _vertex_weight(solid)
    along = np.einsum("kvc,vc->vk", solid.identity, normals) * np.sqrt(weight)[:, None]
    _, vectors = np.linalg.eigh(along.T @ along)
    return (vectors[:, ::-1][:, :count] / SPREAD).astype(np.float32)


def _vertex_weight(solid: Solid) -> np.ndarray:
    a, b, c = (solid.base[solid.faces[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * ~solid.hidden * _importance((a + b + c) / 3)
    weight = np.bincount(solid.faces.ravel(), np.repeat(area, 3), len(solid.base))
    weight[MOUTH_SOCKET] = 0.0
    return weight


def _importance(points: np.ndarray) -> np.ndarray:
    """[N] sampling density: the face and the ears count more than skull and shoulders."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    face = (z > 0.04) & (y > -0.09) & (y < 0.09)
    lips_or_eyes = face & (((x < 0.03) & (y < -0.02) & (y > -0.055)) | ((x < 0.055) & (y > 0.02) & (y < 0.07)))
    ears = (x > 0.066) & (np.abs(y) < 0.07) & (z < 0.04)
    return 1.0 + 2.0 * face + 5.0 * lips_or_eyes + 2.0 * ears


def sample_surface(solid: Solid, count: int, random: np.random.Generator) -> Samples:
    """`count` random points of the visible surface, denser where `_importance` is high; one in twelve on an eyeball."""
    a, b, c = (solid.base[solid.faces[:, i]] for i in range(3))
    chance = np.linalg.norm(np.cross(b - a, c - a), axis=1) * ~solid.hidden * _importance((a + b + c) / 3)
    on_eyes = count // 12
    corners = solid.faces[random.choice(len(chance), count - on_eyes, p=chance / chance.sum())]
    u, v = np.sqrt(random.random(len(corners))), random.random(len(corners))
    weights = np.stack([1 - u, u * (1 - v), u * v], -1)
    eye = random.choice(np.flatnonzero(solid.eyeball), on_eyes)
    single = np.broadcast_to(np.array([1.0, 0.0, 0.0]), (on_eyes, 3))
    corners = np.concatenate([corners, np.repeat(eye[:, None], 3, 1)])
    return Samples(corners, np.concatenate([weights, single]).astype(np.float32))


def make_targets(solid: Solid, coefficient_map: np.ndarray, options: FitOptions) -> Targets:
    """Distance, flow, motion and albedo of the mean head at points dense near its surface."""
    random = np.random.default_rng(options.seed)
    cloud = sample_surface(solid, 2 * options.points, random)
    points = _scatter(cloud.read(solid.base), options.points, random)
    sdf, nearest = signed_distance(solid, cloud, points)
    near = Samples(cloud.corners[nearest], cloud.weights[nearest])
    # For z of unit variance the expected identity coefficients are SPREAD^2 * coefficient_map @ z.
    fields = np.tensordot(SPREAD**2 * coefficient_map.T, solid.identity, 1).astype(np.float32)
    flow = near.read(fields).transpose(1, 0, 2)
    fade = np.exp(-((sdf / 0.03) ** 2))
    motion = near.read(solid.motion).transpose(1, 0, 2) * fade[:, None, None]
    return Targets(*map(_tensor, (points, sdf, flow, motion, near.read(solid.albedo))))


def signed_distance(solid: Solid, cloud: Samples, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(signed distance [N] metres of the mean head, nearest sample [N] of its `cloud`) at `points` [N, 3]."""
    surface, normal = cloud.read(solid.base), _unit(cloud.read(solid.normals(solid.base)))
    distance, nearest = cKDTree(surface).query(points)
    height = np.abs(((points - surface[nearest]) * normal[nearest]).sum(1))
    beside = np.sqrt(np.maximum(distance**2 - height**2, 0))
    distance = np.where(
        beside < 0.0012, height, distance
    )  # almost overhead the sample's plane is better than the sample
    return np.where(_inside(solid, points), -distance, distance), nearest


def _fill_lattices(prior: HeadPrior, solid: Solid, options: FitOptions) -> None:
    cloud = sample_surface(solid, 2 * options.points, np.random.default_rng(options.seed))
    for values, box, spacing in ((prior.coarse, BOX, prior.size.coarse), (prior.fine, FACE_BOX, prior.size.fine)):
        points = lattice(box, spacing).view(-1, 3).numpy()
        distances = signed_distance(solid, cloud, points)[0].reshape(values.shape)
        values.copy_(_tensor(gaussian_filter(distances, SMOOTHING / spacing)))


def _scatter(surface: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """[count, 3]: surface points with small, middle and large jitter, and some anywhere in the box."""
    anywhere = random.uniform(BOX[0], BOX[1], (count // 7, 3))
    chosen = surface[random.choice(len(surface), count - len(anywhere))]
    jitter = random.choice((0.0005, 0.002, 0.005, 0.015), len(chosen), p=(0.35, 0.3, 0.2, 0.15))
    return np.concatenate([chosen + jitter[:, None] * random.standard_normal(chosen.shape), anywhere])


def _inside(solid: Solid, points: np.ndarray) -> np.ndarray:
    inside = winding_number(points, solid.base, solid.faces) > 0
    for centre, cornea in zip(solid.eyes, CORNEA, strict=True):
        inside |= np.linalg.norm(points - centre, axis=1) < EYE_RADIUS
        inside |= np.linalg.norm(points - centre - cornea, axis=1) < CORNEA_RADIUS
    return inside


def make_head_points(solid: Solid, coefficient_map: np.ndarray, options: FitOptions) -> HeadPoints:
    """Surface points of random heads, half of them moved up to 3 mm along the normal."""
    random = np.random.default_rng(options.seed + 1)
    points, origins = [], []
    coefficients = SPREAD * random.standard_normal((options.heads, len(solid.identity)))
    for row in coefficients:
        vertices = solid.base + np.tensordot(row.astype(np.float32), solid.identity, 1)
        samples = sample_surface(solid, options.head_points, random)
        shift = random.uniform(-0.003, 0.003, (options.head_points, 1)) * random.integers(
            0, 2, (options.head_points, 1)
        )
        points.append(samples.read(vertices) + shift * _unit(samples.read(solid.normals(vertices))))
        origins.append(samples.read(solid.base) + shift * _unit(samples.read(solid.normals(solid.base))))
    head = torch.arange(options.heads).repeat_interleave(options.head_points)
    stacked = (_tensor(np.concatenate(part)) for part in (points, origins))
    return HeadPoints(*stacked, head, _tensor(coefficients @ coefficient_map))


def _tensor(values: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def fit(solid: Solid, size: PriorSize, options: FitOptions) -> HeadPrior:
    """A prior fitted to `solid`; its regression from embeddings is left at zero."""
    prior = HeadPrior(size)
    coefficient_map = shape_modes(solid, size.modes)
    prior.coefficient_map.copy_(torch.from_numpy(coefficient_map))
    targets, heads = (make(solid, coefficient_map, options) for make in (make_targets, make_head_points))
    log.info("sampled %d points and %d heads", len(targets.points), options.heads)
    _fill_lattices(prior, solid, options)
    motion = (*prior.motion.parameters(), prior.codes)
    _descend(motion, options.motion_steps, options, lambda g: _motion_loss(prior, targets, heads, options, g))
    _descend(
        prior.colour.parameters(), options.colour_steps, options, lambda g: _colour_loss(prior, targets, options, g)
    )
    return prior.requires_grad_(False)


def _descend(parameters, steps: int, options: FitOptions, loss_of: Callable[[torch.Generator], Tensor]) -> None:
    generator = torch.Generator().manual_seed(options.seed)
    optimizer = torch.optim.Adam(parameters, 3e-3, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps + 1, pct_start=0.05)
    for step in range(steps):
        loss = loss_of(generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(steps // 8, 1) == 0 or step == steps - 1:
            log.info("step %d of %d, loss %.5f", step + 1, steps, loss.item())


def _motion_loss(prior, targets: Targets, heads: HeadPoints, options: FitOptions, generator: torch.Generator) -> Tensor:
    """Squared error in centimetres^2 of the thirteen displacements and of the flow, per mode and over random heads."""
    pick = torch.randint(len(targets.points), (options.batch,), generator=generator)
    nearness = 0.004 / (targets.sdf[pick].abs() + 0.004)
    modes, flow = _split(prior.motion(targets.points[pick]))
    motion = torch.einsum("nkc,ek->nec", modes, prior.codes) / CODE**0.5
    error = 2.0 * (motion - targets.motion[pick] * 100.0).square().sum((1, 2))
    error = error + (flow - targets.flow[pick] * 100.0).square().sum((1, 2))
    pick = torch.randint(len(heads.points), (options.batch // 2,), generator=generator)
    _, flow = _split(prior.motion(heads.points[pick]))
    moved = torch.einsum("nkc,nk->nc", flow, heads.z[heads.head[pick]])
    wanted = (heads.points[pick] - heads.origin[pick]) * 100.0
    return (error * nearness).mean() + (moved - wanted).square().sum(1).mean()


def _split(values: Tensor) -> tuple[Tensor, Tensor]:
    """(expression modes [N, 32, 3], flow [N, K, 3]) in centimetres from the motion network's output."""
    return values[:, : 3 * CODE].unflatten(1, (-1, 3)), values[:, 3 * CODE :].unflatten(1, (-1, 3))


def _colour_loss(prior, targets: Targets, options: FitOptions, generator: torch.Generator) -> Tensor:
    pick = torch.randint(len(targets.points), (options.batch,), generator=generator)
    nearness = 0.002 / (targets.sdf[pick].abs() + 0.002)
    found = torch.sigmoid(prior.colour(targets.points[pick]))
    return ((found.sqrt() - targets.albedo[pick].sqrt()).square().sum(1) * nearness).mean() * 10.0


def surface_error(prior: HeadPrior, solid: Solid, heads: int, seed: int = 1000) -> dict[str, float]:
    """Mean distance in metres of `heads` unseen faces from the zero level: linear at true z, carried, at z = 0."""
    random, errors = np.random.default_rng(seed), []
    face = np.flatnonzero((solid.base[FACE, 2] > 0.04) & (solid.base[FACE, 1] > -0.09))
    for _ in range(heads):
        coefficients = (SPREAD * random.standard_normal(len(solid.identity))).astype(np.float32)
        points = _tensor(solid.base[face] + np.tensordot(coefficients, solid.identity[:, face], 1))
        z, basis = torch.from_numpy(coefficients) @ prior.coefficient_map, prior.basis(points)
        found = (basis.mean + basis.modes @ z, prior.distance(points, z), basis.mean)
        errors.append([float(distance.abs().mean()) for distance in found])
    return dict(zip(("linear", "carried", "mean_head"), np.mean(errors, axis=0).tolist(), strict=True))


def fit_regression(prior: HeadPrior, embeddings: dict[str, np.ndarray]) -> dict[str, float]:
    """Set the maps from a face embedding to z and to hair scores; returns the share of variance each explains.

    embeddings: `embedding` [n, D], `coefficients` [n, 100] ICT identity, `hair` [n] index into HAIR_STYLES. The ridge
    strength is the best of a ladder over five folds, a person's rows always in one; the shares are the left-out folds'.
    """
    inputs = embeddings["embedding"].astype(np.float64)
    mean = inputs.mean(0)
    codes = embeddings["coefficients"].astype(np.float64) @ prior.coefficient_map.double().numpy()
    styles = np.eye(len(HAIR_STYLES))[embeddings["hair"]]
    _, person = np.unique(embeddings["coefficients"], axis=0, return_inverse=True)
    shares = {}
    for name, wanted in (("shape", codes), ("style", styles)):
        tried = {s: _left_out_share(inputs - mean, wanted, s, person.ravel() % FOLDS) for s in RIDGES}
        strength = max(tried, key=tried.get)
        weights, bias = _ridge(inputs - mean, wanted, strength)
        shares[name] = tried[strength]
        setattr(prior, f"{name}_map", _tensor(weights))
        setattr(prior, f"{name}_bias", _tensor(bias))
    prior.embedding_mean = _tensor(mean)
    prior.size = replace(prior.size, embedding=inputs.shape[1])
    return shares


def _ridge(inputs: np.ndarray, wanted: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """(weights [D, C], bias [C]) of ridge regression; `strength` is relative to the inputs' mean variance."""
    centre, bias = inputs.mean(0), wanted.mean(0)
    centred = inputs - centre
    gram = centred.T @ centred
    penalty = strength * np.trace(gram) / len(gram) * np.eye(len(gram))
    weights = np.linalg.solve(gram + penalty, centred.T @ (wanted - bias))
    return weights, bias - centre @ weights


def _left_out_share(inputs: np.ndarray, wanted: np.ndarray, strength: float, fold: np.ndarray) -> float:
    residual = np.zeros_like(wanted)
    for k in np.unique(fold):
        weights, bias = _ridge(inputs[fold != k], wanted[fold != k], strength)
        residual[fold == k] = wanted[fold == k] - inputs[fold == k] @ weights - bias
    return float(1 - residual.var(0).sum() / wanted.var(0).sum())


def main(arguments: list[str] | None = None) -> None:
    """The command line; see --help."""
    parser = argparse.ArgumentParser(description="Fit the head prior to ICT-FaceKit heads.")
    parser.add_argument("--ict", type=Path, help="packed ICT-FaceKit .npz or a checkout's folder")
    parser.add_argument("--out", type=Path, required=True, help="where to write the prior (.safetensors)")
    parser.add_argument("--embeddings", type=Path, help=".npz of embedding, coefficients and hair, for the regression")
    parser.add_argument("--refit-regression", type=Path, metavar="PRIOR", help="only refit the regression of PRIOR")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    prior, provenance = _fitted(parser, chosen)
    if chosen.embeddings:
        with np.load(chosen.embeddings, allow_pickle=False) as data:
            shares = fit_regression(prior, dict(data))
            provenance |= {"regression_heads": len(data["hair"]), "explained_variance": shares}
        log.info("the regression explains %.3f of z and %.3f of hair styles", shares["shape"], shares["style"])
    save_prior(prior, chosen.out, provenance)


def _fitted(parser: argparse.ArgumentParser, chosen: argparse.Namespace) -> tuple[HeadPrior, dict]:
    if chosen.refit_regression:
        if not chosen.embeddings:
            parser.error("--refit-regression needs --embeddings")
        return load_prior(chosen.refit_regression), read_description(chosen.refit_regression)["provenance"]
    if not chosen.ict:
        parser.error("give --ict, or --refit-regression with a fitted prior")
    solid, options = build_solid(read_ict(chosen.ict)), FitOptions()
    prior = fit(solid, PriorSize(), options)
    errors = surface_error(prior, solid, heads=20)
    log.info("mean face distance of 20 unseen heads, metres: %s", errors)
    source = "ICT-FaceKit identities and expressions (MIT licence, github.com/ICT-VGL/ICT-FaceKit)"
    return prior, {"source": source, "fit": asdict(options), "face_error_metres": errors}


if __name__ == "__main__":
    main()
