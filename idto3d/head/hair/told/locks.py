"""Locks: strands that grow close together gather towards their tips, and share their curls and their shade."""

import numpy as np
from scipy.spatial import cKDTree

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import smoothstep

DEEP, LIGHT, MIXED = 0.9, 0.55, 0.22  # shade by depth, by lock, and by strand; of the way between dark and light tiles
APART = 0.6  # of the pull to the middle of a lock that is left to strands as long again as it


def locks_of(roots: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """[N] the number, below `count`, of the lock that each of `roots` [N, 3] belongs to; near roots share theirs."""
    if len(roots) == 0:
        return np.zeros(0, int)
    seeds = roots[random.choice(len(roots), min(count, len(roots)), replace=False)]
    for _ in range(2):
        own = cKDTree(seeds).query(roots)[1]
        seeds = np.stack([roots[own == k].mean(0) if (own == k).any() else seeds[k] for k in range(len(seeds))])
    return cKDTree(seeds).query(roots)[1]


def gathered(points: np.ndarray, lock: np.ndarray, share: float) -> np.ndarray:
    """Strands [N, T, 3] drawn to the mean of their `lock` [N] by `share` 0..1 at their tips, not at their roots."""
    if not len(points) or not share:
        return points
    number = np.maximum(np.bincount(lock), 1)[:, None, None]
    middle = np.zeros((len(number), *points.shape[1:]))
    np.add.at(middle, lock, points)
    pull = share * smoothstep(np.linspace(0, 1, points.shape[1]), 0.1, 0.85)[None, :, None]
    away = (middle / number)[lock] - points
    far = np.linalg.norm(away[:, -1], axis=-1)
    usual = max(float(np.median(far)), 1e-6)  # who ends elsewhere than its lock stays by itself
    return points + (pull * smoothstep(far, 4 * usual, 2 * usual)[:, None, None]) * away


def curled(points, normals, lock, wave: float, pitch: float, random: np.random.Generator):
    """The curves [N, T, 3] wound about themselves, `wave` metres out, a turn every `pitch`, those of a `lock` together.

    Also unit normals [N, T, 3] of the curls they form.
    """
    count = int(lock.max(initial=-1)) + 1
    along = np.linalg.norm(np.diff(points, axis=1), axis=-1).cumsum(1)
    along = np.concatenate([np.zeros((len(points), 1)), along], 1)
    turn = pitch * random.uniform(0.8, 1.25, count)[lock][:, None]
    hand = random.choice((-1.0, 1.0), count)[lock][:, None]
    phase = random.uniform(0, 2 * np.pi, count)[lock] + random.normal(0, 0.7, len(lock))
    angle = hand * 2 * np.pi * along / turn + phase[:, None]
    side = normalised(np.cross(normals, np.gradient(points, axis=1)))
    radius = wave * smoothstep(along, 0, 0.02) * random.uniform(0.7, 1.15, (len(points), 1))
    out = np.cos(angle)[..., None] * side + np.sin(angle)[..., None] * normals
    return points + radius[..., None] * (out - 0.2 * np.sin(angle)[..., None] * normals), normalised(out)


def shades(level: np.ndarray, lock: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """[N] 0..1 how light strands are: those in deep layers dark, by `level` [N]; those of a `lock` [N] alike."""
    if not len(level):
        return np.zeros(0)
    low, high = level.min(), level.max()
    depth = (level - low) / max(high - low, 1e-6) - 0.5
    own = random.normal(0, 1, lock.max() + 1)[lock]
    shade = 0.5 + 0.5 * (DEEP * depth + LIGHT * own + MIXED * random.normal(0, 1, len(level)))
    return np.clip(shade, 0, 1)
