"""Guide strands: curves that leave the scalp and follow the comb through the layers of the hair's volume."""

import numpy as np

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import MeanSpace, Roots, above_hairline, away_from_hairline, smoothstep
from idto3d.head.hair.strands import Guides
from idto3d.head.hair.styles import Cut
from idto3d.head.hair.told.locks import curled, gathered, locks_of
from idto3d.head.hair.volume import HairVolume

THIN = 0.0022  # metres that a strand keeps off bare skin
TOP = (0.02, 0.10)  # heights on the mean head between which a strand's length goes from the sides' to the top's, metres
EAR_GAP = 0.006  # metres that strands keep off free ears
FEWEST = 0.3  # of its length that a strand must reach to be kept
BURIED = 0.7  # metres longer that a strand stays in the hair, per metre that its root lies from the parting
SETTLING = 14  # steps to a layer
OUT = 0.95  # cosine of the way to the outside from which a strand falls out of the hair
KINK = 0.5  # cosine of the greatest turn of a strand between two steps
STEP = 0.006  # metres between the points that a strand is traced by
CURL_SHADED = 0.8  # how much a curl's own roundness counts against the hair's, where it is shaded
WALL, FRONT = (0.026, 0.006), (0.0, 0.035)  # metres above the hairline between which hair turns along it; depths
LIFTS = 0.18  # how much of its way hair at the hairline goes up from it
HEM, HANGS = 0.014, (0.0, -0.03)  # metres that hanging strands end early at most; heights between which they hang


def grow(volume: HairVolume, cut: Cut, roots: Roots, space: MeanSpace, random: np.random.Generator) -> Guides:
    """One strand from each root, in the cut's layers; those that find no room are left out."""
    count = len(roots.points)
    level = np.array(cut.levels)[np.arange(count) % len(cut.levels)]
    high = smoothstep(space.to_mean(roots.points)[:, 1], *TOP)
    length = (cut.length[1] + (cut.length[0] - cut.length[1]) * high) * random.uniform(0.8, 1.15, count)
    stray = random.normal(0, cut.spread, count)
    source = np.minimum(cut.comb.from_source(space.to_mean(roots.points)), 0.09)
    buried = np.minimum(cut.rise + BURIED * source, 0.7 * length)
    past, early = cut.past * random.uniform(0.2, 1.6, count), HEM * random.uniform(0, 1, count) ** 2
    points, alive = [_start(volume, cut, roots, level)], np.ones(count, bool)
    steps, falls = int(np.ceil(cut.length[0] / STEP)), np.zeros(count, bool)
    step = length / steps
    for number in range(steps):
        now = points[-1]
        risen = smoothstep((number + 1) * step, 0, buried) if not cut.afloat else np.ones(count)
        layer = level + cut.stands * (number + 1) / steps
        way, leaves = _heading(volume, cut, now, risen * level, stray, space)
        ahead, falls = now + step[:, None] * way, falls | leaves
        laid = volume.to_level(volume.to_level(ahead, layer, risen, THIN), layer, risen, THIN)
        ahead = np.where(falls[:, None], ahead, laid)
        alive = alive & _goes_on(points, ahead, cut) & _has_room(volume, ahead, past, early, space, cut)
        points.append(np.where(alive[:, None], ahead, now))
    return _finished(volume, cut, np.stack(points, 1), level, length, random)


def _start(volume: HairVolume, cut: Cut, roots: Roots, level: np.ndarray) -> np.ndarray:
    """[N, 3] where the cards begin: at the roots, or in their layer."""
    points = roots.points + 0.0004 * roots.normals
    for _ in range(SETTLING if cut.afloat else 0):
        points = volume.to_level(points, level, np.ones(len(level)), THIN)
    return points


def _heading(volume, cut: Cut, now, level, stray, space: MeanSpace) -> tuple[np.ndarray, np.ndarray]:
    """[N, 3] unit, along the layer, and [N] where strands fall out of it: on the way out they go straight on.

    Kept to the layer they would run along its hem.
    """
    normal, mean = volume.outward(now, level), space.to_mean(now)
    way = cut.comb.directions(mean)
    way = normalised(way if cut.fringed else off_the_face(mean, way))
    out = (way * normal).sum(1)
    leaves = cut.falls & (out > OUT)
    along = normalised(way - np.where(leaves, 0, out)[:, None] * normal)
    side = np.cross(normal, along)
    turned = along * np.cos(stray)[:, None] + side * np.sin(stray)[:, None]
    return np.where(leaves[:, None], along, normalised(turned)), leaves


def _goes_on(points: list[np.ndarray], ahead: np.ndarray, cut: Cut) -> np.ndarray:
    """[N] whether strands that came through `points`, [N, 3] each, go on to `ahead` [N, 3]: who falls has no kink."""
    if len(points) < 2 or not cut.falls:
        return np.ones(len(ahead), bool)
    before, after = points[-1] - points[-2], ahead - points[-1]
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    return (before * after).sum(1) >= KINK * lengths


def off_the_face(mean: np.ndarray, way: np.ndarray) -> np.ndarray:
    """[N, 3] the `way` at points `mean` [N, 3], which in front turns along the hairline before it comes to it.

    Hair that runs on to its hairline ends there in one line, like a wig.
    """
    near = smoothstep(above_hairline(mean), *WALL) * smoothstep(mean[:, 2], *FRONT)
    way, up = normalised(way), away_from_hairline(mean)
    over = np.minimum((way * up).sum(1), 0)
    return way + (near * (LIFTS - over))[:, None] * up


def _has_room(volume: HairVolume, points, past, early, space: MeanSpace, cut: Cut) -> np.ndarray:
    """[N] whether hair may be at `points`: in the volume, or a little past the hairline; not on a free ear.

    past, early [N]: metres that each strand runs past the hairline, and ends before the hair that hangs does.
    """
    mean = space.to_mean(points)
    lower = points - np.outer(early * smoothstep(points[:, 1], *HANGS), [0, 1, 0])
    above = above_hairline(mean)
    room = (volume.hair.at(lower) < 0.004) & ((volume.thickness(points) > THIN) | (above > -past))
    if volume.ears is not None:
        room &= volume.ears.at(points) > EAR_GAP
    if cut.comb.end is not None:
        place, reach = cut.comb.end
        room &= np.linalg.norm(mean - np.array(place), axis=1) > reach
    return room


def _finished(volume: HairVolume, cut: Cut, points, level, length, random) -> Guides:
    """Evenly spaced rows of the strands that grew, in locks, with their curls."""
    grown = np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(1)
    kept = grown > FEWEST * np.minimum(length, 0.06)
    points, level = _evenly_spaced(points[kept], cut.segments + 1), level[kept]
    lock = locks_of(points[:, 0], cut.locks, random)
    points = gathered(points, lock, cut.gather)
    shape = points.shape
    normals = volume.outward(points.reshape(-1, 3), np.repeat(level, shape[1])).reshape(shape)
    turned = cut.uneven * random.normal(0, 1, (lock.max(initial=0) + 1, 1, 3))[lock]
    normals = normalised(normals + turned)
    if not cut.wave:
        return Guides(points, normals, level, lock)
    points, out = curled(points, normals, lock, cut.wave, cut.pitch, random)
    return Guides(points, normalised(normals + CURL_SHADED * out), level, lock, out)


def _evenly_spaced(points: np.ndarray, rows: int) -> np.ndarray:
    """The curves [N, T, 3] by `rows` points at equal distances."""
    along = np.concatenate([np.zeros((len(points), 1)), np.linalg.norm(np.diff(points, axis=1), axis=-1).cumsum(1)], 1)
    wanted = np.linspace(0, 1, rows)
    if not len(points):
        return np.zeros((0, rows, 3))
    return np.stack([_at(line, way, wanted * way[-1]) for line, way in zip(points, along, strict=True)])


def _at(line: np.ndarray, way: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    return np.stack([np.interp(wanted, way, line[:, axis]) for axis in range(3)], -1)
