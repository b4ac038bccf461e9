"""The unevenness of bare skin between its pores and its folds, waves of 1 to 6 mm, by region, age and gender.

A wave is the same at every size of texture, and runs through seams: it is a sum of plane waves through the space of
the mean head, of which the skin is a cut. What lies under the skin (fat of cheeks, muscle of the chin, rings of the
throat) shows in it. Its depths are set by eye, within what profilometry of skin finds between pores and wrinkles.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from idto3d.head.features.face_masks import ramp, skin_masks
from idto3d.head.paint.atlas import Texels
from idto3d.head.template import LANDMARKS, MOUTH_SOCKET

MM = 1000.0
WAVES = 40  # summed to one region's unevenness
FRONT_M = (-0.02, 0.02)  # depth on the mean head behind which nothing is laid, metres
OLDER = {"baby": 0.2, "child": 0.45, "middle-aged": 1.2, "old": 1.4}  # of the depth of the young, by age
ROUGHER = {"male": 1.12, "female": 0.88}
AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Waves:
    """Waves of a region: their lengths in mm, the deviation of their depth in mm, and how they lie.

    level 0: they run every way; 1: their crests lie level.
    """

    name: str
    lengths: tuple[float, float]
    depth: float
    level: float = 0.0


KINDS = (
    Waves("skin", (2.2, 6.0), 0.020),
    Waves("cheeks", (1.8, 4.5), 0.020),
    Waves("chin", (1.6, 3.2), 0.030),
    Waves("throat", (1.5, 3.5), 0.018, level=0.8),
    Waves("eyes", (1.0, 2.0), 0.010, level=0.6),
)


def uneven(mean: np.ndarray, traits: Mapping[str, str], texels: Texels, seed: int) -> np.ndarray:
    """[N] millimetres that the skin lies deeper at the texels of the mean head's skin, `mean` [V, 3] metres."""
    random, depth = np.random.default_rng([seed, 57]), np.zeros(len(texels.corners), np.float32)
    where = regions(mean)
    for kind in KINDS:
        share = texels.read(where[kind.name][:, None].astype(np.float32))[:, 0]
        rows = np.flatnonzero(share > 0.01)
        points = MM * np.einsum("nk,nkc->nc", texels.weights[rows], mean[texels.corners[rows]].astype(np.float32))
        depth[rows] += kind.depth * share[rows] * waves(points, kind, random)
    return strength(traits) * depth


def strength(traits: Mapping[str, str]) -> float:
    """How deep the unevenness of somebody with `traits` is; 1 of nobody in particular."""
    return OLDER.get(traits.get("age", ""), 1.0) * ROUGHER.get(traits.get("gender", ""), 1.0)


def waves(points: np.ndarray, kind: Waves, random: np.random.Generator) -> np.ndarray:
    """[N] of deviation 1, at `points` [N, 3] mm: WAVES plane waves of lengths drawn evenly by their logarithm."""
    way = random.standard_normal((WAVES, 3)) * [1 - kind.level, 1.0, 1 - kind.level]
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    length = np.exp(random.uniform(*np.log(kind.lengths), WAVES))
    turns, phase = (2 * np.pi * way / length[:, None]).astype(np.float32), random.uniform(0, 2 * np.pi, WAVES)
    found = np.empty(len(points), np.float32)
    for start in range(0, len(points), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        found[part] = np.cos(points[part] @ turns.T + phase.astype(np.float32)).sum(1)
    return found * np.float32(np.sqrt(2 / WAVES))


def regions(mean: np.ndarray) -> dict[str, np.ndarray]:
    """[V] 0..1 by the name of each of KINDS, where its waves are on the mean head's skin, `mean` [V, 3] metres."""
    masks, marks = skin_masks(mean), mean[list(LANDMARKS)]
    x, y, z = mean.T
    bare = ramp(z, *FRONT_M) * (1 - masks["lips"]) * (1 - masks["lids"])
    bare[MOUTH_SOCKET.start :] = 0
    below = ramp(-y, 0.078, 0.092) * (1 - masks["face"])
    chin = np.exp(-((x / 0.016) ** 2) - ((y - 0.5 * (marks[8, 1] + marks[57, 1])) / 0.012) ** 2) * (z > 0.06)
    eyes = np.zeros(len(mean))
    for middle in (marks[36:42].mean(0), marks[42:48].mean(0)):
        away = np.hypot((x - middle[0]) / 0.026, (y - middle[1]) / 0.017)
        eyes = np.maximum(eyes, ramp(-away, -1.2, -0.8) * (z > 0.05))
    skin = bare * (1 - below) * (1 - chin) * (1 - eyes) * (1 - 0.7 * masks["scalp"])
    found = {"skin": skin, "cheeks": bare * masks["cheeks"], "chin": bare * chin, "throat": bare * below}
    return found | {"eyes": bare * eyes}
