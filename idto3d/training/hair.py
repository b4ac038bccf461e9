"""Procedural hair: a closed-looking shell grown from the scalp in named styles, as a mesh over the head.

The shell is a grid over azimuth (around the head) and a path parameter (crown to tip). On the scalp it lies at a
style's thickness above the skin and dives under the skin at the hairline; hanging styles go on straight down.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

STYLES = ("bald", "buzzcut", "short", "long", "curly")
COLOURS = {  # linear RGB
    "black": (0.012, 0.010, 0.009),
    "brown": (0.085, 0.045, 0.022),
    "blonde": (0.48, 0.31, 0.13),
    "red": (0.30, 0.085, 0.025),
    "grey": (0.28, 0.28, 0.28),
    "white": (0.75, 0.74, 0.72),
    "green": (0.05, 0.38, 0.08),
    "blue": (0.04, 0.12, 0.50),
    "pink": (0.75, 0.20, 0.40),
}
AZIMUTHS, RINGS = 144, 56
CENTRE = np.array([0.0, 0.03, 0.0], np.float32)  # inside the skull, metres
# Height of the hairline on the skin (metres) by azimuth from the front (degrees).
HAIRLINE_DEG = (0, 30, 50, 65, 80, 100, 118, 140, 180)
HAIRLINE_Y = (0.086, 0.084, 0.066, 0.030, 0.036, 0.030, -0.012, -0.026, -0.030)


@dataclass(frozen=True)
class StyleShape:
    """Thickness above the skin at the crown and at the sides, depth of clumps, and where hanging hair ends (metres)."""

    crown: float
    side: float
    clump: float
    curl: float = 0.0
    hang_to: float | None = None


SHAPES = {
    "buzzcut": StyleShape(0.004, 0.003, 0.0004),
    "short": StyleShape(0.021, 0.007, 0.0020),
    "long": StyleShape(0.020, 0.017, 0.0028, hang_to=-0.155),
    "curly": StyleShape(0.036, 0.030, 0.0015, curl=0.007),
}


@dataclass(frozen=True)
class Scalp:
    """For each grid direction, the three nearest skin vertices and their weights."""

    vertices: np.ndarray  # [R, A, 3] indices
    weights: np.ndarray  # [R, A, 3]
    directions: np.ndarray  # [R, A, 3] unit
    azimuth: np.ndarray  # [A] radians, 0 in front, positive to the person's left
    hairline: np.ndarray  # [A] polar angle of the hairline


def read_scalp(neutral: np.ndarray, skin: np.ndarray) -> Scalp:
    """Fix which skin vertices carry the hair, once, on the mean head. `neutral` [V, 3]; `skin` vertex indices."""
    azimuth = np.linspace(-np.pi, np.pi, AZIMUTHS, endpoint=False, dtype=np.float32)
    offsets = neutral[skin] - CENTRE
    tree = cKDTree(offsets / np.linalg.norm(offsets, axis=1, keepdims=True))
    hairline = _hairline_polar(tree, offsets, azimuth)
    polar = np.linspace(0.02, 1.0, RINGS, dtype=np.float32)[:, None] * hairline[None]
    directions = _directions(polar, np.broadcast_to(azimuth, polar.shape))
    distance, nearest = tree.query(directions.reshape(-1, 3), k=3)
    weights = 1.0 / (distance + 1e-3)
    weights /= weights.sum(1, keepdims=True)
    shape = (*polar.shape, 3)
    return Scalp(skin[nearest].reshape(shape), weights.reshape(shape).astype(np.float32), directions, azimuth, hairline)


def _directions(polar: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    sine = np.sin(polar)
    return np.stack([sine * np.sin(azimuth), np.cos(polar), sine * np.cos(azimuth)], -1).astype(np.float32)


def _hairline_polar(tree: cKDTree, offsets: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    wanted = np.interp(np.abs(np.degrees(azimuth)), HAIRLINE_DEG, HAIRLINE_Y) - CENTRE[1]
    polar = np.linspace(0.1, 2.9, 200, dtype=np.float32)
    directions = _directions(polar[:, None] + 0 * azimuth, np.broadcast_to(azimuth, (200, len(azimuth))))
    _, nearest = tree.query(directions.reshape(-1, 3))
    height = np.linalg.norm(offsets[nearest], axis=1).reshape(200, -1) * np.cos(polar)[:, None]
    return polar[np.argmax(height < wanted, axis=0)]


def grid_faces() -> np.ndarray:
    """[F, 3] triangles of the shell, outward."""
    row, column = np.meshgrid(np.arange(RINGS - 1), np.arange(AZIMUTHS), indexing="ij")
    a = row * AZIMUTHS + column
    b = row * AZIMUTHS + (column + 1) % AZIMUTHS
    c, d = a + AZIMUTHS, b + AZIMUTHS
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]).astype(
        np.int32
    )


def hair_mesh(style: str, vertices: np.ndarray, scalp: Scalp, random: np.random.Generator) -> np.ndarray:
    """[R * A, 3] shell positions in metres for a head's `vertices` [V, 3]; `style` is one of SHAPES."""
    shape = SHAPES[style]
    skin = (vertices[scalp.vertices] * scalp.weights[..., None]).sum(2)
    path = np.linspace(0.02, 1.0, RINGS, dtype=np.float32)[:, None]
    thickness = shape.side + (shape.crown - shape.side) * (1 - _smooth(path, 0.25, 0.85))
    thickness = thickness * random.uniform(0.85, 1.2) + _clumps(shape, path, scalp.azimuth, random)
    if shape.hang_to is None:
        dive = _smooth(path, 0.90, 1.0)
        return (skin + scalp.directions * ((thickness * (1 - dive)) - 0.004 * dive)[..., None]).reshape(-1, 3)
    return _hang(skin, scalp, thickness, path, shape.hang_to + random.uniform(-0.02, 0.02)).reshape(-1, 3)


def _hang(skin, scalp: Scalp, thickness, path, end: float) -> np.ndarray:
    # The first 60 % of the rings cover the scalp; beside and behind the face the rest falls straight down.
    falls = _smooth(np.abs(np.degrees(scalp.azimuth)), 62, 74)[None]
    resampled = np.minimum(path / 0.6, 1.0) * np.ones_like(falls)
    row = resampled * (RINGS - 1)
    low = np.floor(row).astype(int)
    high = np.minimum(low + 1, RINGS - 1)
    column = np.arange(AZIMUTHS)[None]
    blend = (row - low)[..., None]
    base = skin[low, column] * (1 - blend) + skin[high, column] * blend
    outward = scalp.directions[low, column]
    dive = _smooth(resampled, 0.90, 1.0) * (1 - falls)
    shell = base + outward * ((thickness * (1 - dive)) - 0.004 * dive)[..., None]
    fall = np.clip((path - 0.6) / 0.4, 0, 1) * falls
    level = shell[..., 1] * (1 - fall) + np.minimum(shell[..., 1], end) * fall
    widen = 1.0 + 0.10 * np.sin(np.pi * np.clip(fall, 0, 1)) - 0.12 * fall
    return np.stack([shell[..., 0] * widen, level, shell[..., 2] * widen - 0.004 * fall], -1).astype(np.float32)


def _clumps(shape: StyleShape, path, azimuth, random: np.random.Generator) -> np.ndarray:
    """Strand bundles along the path, and round curls where the style has them: sums of sines with random phases."""
    total = np.zeros((RINGS, AZIMUTHS), np.float32)
    for frequency in random.integers(12, 44, 4):
        phase, drift = random.uniform(0, 2 * np.pi, 2)
        total += np.sin(frequency * azimuth[None] + phase + 3 * np.sin(drift + 2.5 * path)) * shape.clump / 2
    if shape.curl:
        for _ in range(3):
            around, along = random.integers(12, 24), random.uniform(10, 20)
            phase = random.uniform(0, 2 * np.pi, 2)
            total += shape.curl / 2 * np.sin(around * azimuth[None] + phase[0]) * np.sin(along * path + phase[1])
    return total


def _smooth(x, low: float, high: float):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
