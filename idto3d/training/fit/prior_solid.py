"""The canonical head as a solid: lips parted, eyes wide open, sockets drawn together, neck capped."""

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from scipy.ndimage import gaussian_filter, grey_opening
from torch import Tensor

from idto3d.head.prior import SKIN_ALBEDO
from idto3d.head.template import EYE_SOCKETS, EYEBALLS, MOUTH_SOCKET
from idto3d.training.people.ict import IctModel
from idto3d.words.expressions import EXPRESSIONS, Expression

# Lips 9 mm apart and eyes wide: two cells of a coarse grid; every expression, neutral too, is a displacement from here.
PARTED = Expression("parted", "", {"jawOpen": 0.18, "mouthUpperUp": 0.22, "mouthLowerDown": 0.22, "eyeWide": 0.8})
SKIN_AND_SOCKETS = EYE_SOCKETS.stop  # vertices before this one are skin and sockets
EYE_RADIUS, CORNEA_RADIUS = 0.0141, 0.0095  # a millimetre less than the model's, so that lids stand out
CORNEA = np.array([[0.0006, 0, 0.0065], [-0.0006, 0, 0.0065]], np.float32)  # its centre from the eyeball's, left first
RIM_DROP = 0.012  # thickness given to the thin edge of the bust, metres
LID_RINGS = 2  # rings of skin between the eye socket's border and the edges of the lids
BLINK_WEIGHT = 1.2  # times the full blink: a coarse mesh cuts the corner at the lid's edge, which must hide the eye
LID_DEPTH = 0.002  # how far the eyeball draws back behind shut lids, metres
SMOOTHING = 0.0012  # of the distance on its lattices, metres
# Ears and nostrils are finer than a coarse grid's cells: the ears are smoothed more and thickened, the nostrils closed
# to shallow dips.
EAR_SMOOTHING, EAR_THICKENING = 0.0025, 0.0012  # metres
NOSTRIL, NOSTRIL_SMOOTHING, NOSTRIL_WIDTH = (0.009, -0.001, 0.111), 0.002, 0.009  # centre of the left one; metres
ALBEDO = {
    "skin": SKIN_ALBEDO,
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
    identity: np.ndarray  # [100 + M, V, 3] deltas
    motion: np.ndarray  # [13, V, 3] displacement from the canonical pose to each expression
    faces: np.ndarray  # [F, 3] a closed surface
    hidden: np.ndarray  # [F] bool, faces inside the eyeballs
    eyeball: np.ndarray  # [V] bool
    eyes: np.ndarray  # [2, 3] centres of the eyeballs, left first
    albedo: np.ndarray  # [V, 3] linear
    words: tuple[str, ...] = ()  # of the last identity modes

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
    moved = np.stack([model.vertices(average, _shut(model, model.weights(each))) for each in EXPRESSIONS])
    fields = np.concatenate([parted[None], moved - parted, model.identity])
    centres = np.stack([ball.mean(1) for ball in np.split(fields[:, EYEBALLS], 2, axis=1)], 1)
    centres[0] += np.array([[-0.001, 0, -0.0045], [0.001, 0, -0.0045]])  # the iris's vertices pull the mean forward
    faces = model.faces[(model.faces < SKIN_AND_SOCKETS).all(1)]
    sockets = ((MOUTH_SOCKET, 0, 0), (EYE_SOCKETS, 1, LID_RINGS), (EYE_SOCKETS, -1, LID_RINGS))
    rims = [_rim(model.neutral, faces, *socket) for socket in sockets]
    fields = _fill_sockets(fields[:, :SKIN_AND_SOCKETS].copy(), rims, centres[0], model.neutral)
    hidden = _grown(faces, EYE_SOCKETS, LID_RINGS)[faces].all(1)
    faces, fields = _cap_neck(faces, fields)
    balls = [_eyeball_points(fields, rims[1 + side], centres, _growth(model, side), side) for side in range(2)]
    fields = np.concatenate([fields, *balls], 1)
    eyeball = np.arange(fields.shape[1]) >= fields.shape[1] - sum(ball.shape[1] for ball in balls)
    colours = _albedo(np.concatenate([model.neutral[:SKIN_AND_SOCKETS], fields[0, SKIN_AND_SOCKETS:]]), eyeball)
    hidden = np.pad(hidden, (0, len(faces) - len(hidden)))
    motion, identity = fields[1 : 1 + count], fields[1 + count :]
    return Solid(fields[0], identity, motion, faces, hidden, eyeball, centres[0], colours, model.words)


def _shut(model: IctModel, weights: np.ndarray) -> np.ndarray:
    """Blendshape weights [57] with the blink carried past closing."""
    blink = np.array([name.startswith("eyeBlink") for name in model.expression_names])
    return np.where(blink, BLINK_WEIGHT * weights, weights)


def _eyeball_points(fields: np.ndarray, rim: tuple, centres: np.ndarray, growth: np.ndarray, side: int) -> np.ndarray:
    """[1 + 13 + 100 + M, E, 3]: base, motion and identity of points on the eyeball between the lids.

    A point moves as the lids beside it do, by its height between them, and inward as they close: the whole visible
    eyeball is pressed into the seam and lies behind shut lids.
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
        moved -= LID_DEPTH * closing[:, None] * direction
    identity = centres[1 + count :, side, None] + growth[:, None, None] * (points - centres[0, side])
    return np.concatenate([points[None], motion, identity]).astype(np.float32)


def _growth(model: IctModel, side: int) -> np.ndarray:
    """[100 + M] by what share an eyeball (0: the left one) grows with each identity mode."""
    ball = np.arange(EYEBALLS.start, EYEBALLS.stop)
    ball = ball[(model.neutral[ball, 0] > 0) == (side == 0)]
    offset = model.neutral[ball] - model.neutral[ball].mean(0)
    return np.einsum("kvc,vc->k", model.identity[:, ball], offset) / max(np.square(offset).sum(), 1e-12)


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


def _grown(faces: np.ndarray, part: slice, rings: int) -> np.ndarray:
    """[V] bool: the vertices of `part` and of the first `rings` rings around it."""
    within = np.zeros(faces.max() + 1, bool)
    within[part] = True
    for _ in range(rings):
        within[faces[within[faces].any(1)]] = True
    return within


def _rim(neutral: np.ndarray, faces: np.ndarray, part: slice, side: int, rings: int) -> tuple[np.ndarray, np.ndarray]:
    """(lower, upper) vertices of the ring after `rings` others around `part`, by x; on a side of the face (0: both)."""
    border = np.flatnonzero(_grown(faces, part, rings + 1) & ~_grown(faces, part, rings))
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
    rim = edges[~np.isin(edges[:, 0] * SKIN_AND_SOCKETS + edges[:, 1], edges[:, 1] * SKIN_AND_SOCKETS + edges[:, 0])]
    ring = np.unique(rim)
    lowered, centre = fields[:, ring].copy(), fields[:, ring].mean(1, keepdims=True)
    lowered[0, :, 1] -= RIM_DROP
    centre[0, 0, 1] = lowered[0, :, 1].min()
    a, b = rim.T
    below_a, below_b = (SKIN_AND_SOCKETS + np.searchsorted(ring, end) for end in (a, b))
    fan = np.stack([below_b, below_a, np.full(len(rim), SKIN_AND_SOCKETS + len(ring))], 1)
    wall = np.concatenate([np.stack([b, a, below_a], 1), np.stack([b, below_a, below_b], 1)])
    return np.concatenate([faces, wall, fan]).astype(faces.dtype), np.concatenate([fields, lowered, centre], 1)


def unit(vectors: np.ndarray) -> np.ndarray:
    """`vectors` [..., 3] at length 1; a vector of no length stays zero."""
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


def rounded(distances: np.ndarray, points: np.ndarray, spacing: float) -> np.ndarray:
    """`distances` [D, H, W] at lattice `points` [D, H, W, 3], `spacing` apart, smoothed for a mesh; metres."""
    x, y, z = np.abs(points[..., 0]), points[..., 1], points[..., 2]
    ears = _ramp(x, 0.066, 0.074) * _ramp(z, 0.045, 0.035) * _ramp(y, -0.035, -0.025) * _ramp(y, 0.085, 0.075)
    nostrils = _ramp(np.linalg.norm(np.stack([x, y, z], -1) - NOSTRIL, axis=-1), 0.016, 0.010)
    thicker = gaussian_filter(distances, EAR_SMOOTHING / spacing) - EAR_THICKENING
    closed = grey_opening(distances, footprint=_ball(NOSTRIL_WIDTH / 2 / spacing))
    closed = gaussian_filter(closed, NOSTRIL_SMOOTHING / spacing)
    result = gaussian_filter(distances, SMOOTHING / spacing)
    return result + ears * (thicker - result) + nostrils * (closed - result)


def _ball(radius: float) -> np.ndarray:
    steps = np.arange(-int(radius), int(radius) + 1)
    return sum(axis**2 for axis in np.meshgrid(steps, steps, steps)) <= radius**2


def _ramp(values: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 up to `start`, 1 from `end` on, linear between; `start` may be the greater."""
    return np.clip((values - start) / (end - start), 0, 1)


def tensor_of(values: np.ndarray) -> Tensor:
    """A float32 tensor of an array."""
    return torch.from_numpy(np.ascontiguousarray(values, np.float32))


def inside(solid: Solid, points: np.ndarray) -> np.ndarray:
    """Which of `points` [N, 3] metres lie in the solid or in one of its eyeballs."""
    within = winding_number(points, solid.base, solid.faces) > 0
    for centre, cornea in zip(solid.eyes, CORNEA, strict=True):
        within |= np.linalg.norm(points - centre, axis=1) < EYE_RADIUS
        within |= np.linalg.norm(points - centre - cornea, axis=1) < CORNEA_RADIUS
    return within
