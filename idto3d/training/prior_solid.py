"""The canonical head as a solid: lips parted, eyes wide open, sockets drawn together, neck capped."""

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from torch import Tensor

from idto3d.expressions import EXPRESSIONS, Expression
from idto3d.training.ict import EYE_SOCKETS, EYEBALLS, MOUTH_SOCKET, IctModel

# Lips 9 mm apart and eyes wide: two cells of a coarse grid; every expression, neutral too, is a displacement from here.
PARTED = Expression("parted", "", {"jawOpen": 0.18, "mouthUpperUp": 0.22, "mouthLowerDown": 0.22, "eyeWide": 0.8})
SKIN = EYE_SOCKETS.stop  # vertices before this one are skin and sockets
EYE_RADIUS, CORNEA_RADIUS = 0.0141, 0.0095  # a millimetre less than the model's, so that lids stand out
CORNEA = np.array([[0.0006, 0, 0.0065], [-0.0006, 0, 0.0065]], np.float32)  # its centre from the eyeball's, left first
RIM_DROP = 0.012  # thickness given to the thin edge of the bust, metres
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
        return unit(normals)


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
    direction = unit(points - centres[0, side])
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
        fields[0, ball] = eyes[side] + 0.6 * EYE_RADIUS * unit(fields[0, ball] - eyes[side])
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


def unit(vectors: np.ndarray) -> np.ndarray:
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


def tensor_of(values: np.ndarray) -> Tensor:
    """A float32 tensor of an array."""
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def inside(solid: Solid, points: np.ndarray) -> np.ndarray:
    inside = winding_number(points, solid.base, solid.faces) > 0
    for centre, cornea in zip(solid.eyes, CORNEA, strict=True):
        inside |= np.linalg.norm(points - centre, axis=1) < EYE_RADIUS
        inside |= np.linalg.norm(points - centre - cornea, axis=1) < CORNEA_RADIUS
    return inside
