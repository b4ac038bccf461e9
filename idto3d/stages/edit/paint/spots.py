"""Freckles on the skin, and fewer spots."""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from idto3d.head.skin import MELANIN
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.hair import Painted
from idto3d.stages.edit.paint.place import Place, skin_linear, with_skin
from idto3d.stages.edit.paint.tone import logs

FRECKLES = 560  # on a face that has some
RADII_M = (0.0004, 0.0013)  # least and most, metres
DARK = (0.06, 0.26)  # least and most melanin in their middles
ELSEWHERE = 0.10  # how many there are off nose and cheeks, against those on them
SOFT = 3.6  # how suddenly one ends; at 6 they look laid on
REACH = 2.4  # radii up to which one is drawn
SEEN = 0.004  # melanin below which nothing changes
FINE, BROAD = 0.8, 7.0  # texels of a texture of 1024: spots are broader than pores, and narrower than a cheek
EVENED = 0.9  # of a spot's darkness that is taken away


def with_freckles(painted: Mapping[str, PaintedMaterial], place: Place, amount: float, seed: int) -> Painted:
    """All materials with freckles on nose and cheeks, `amount` 1 some, 2 many; under 0 with fewer spots."""
    if amount < 0:
        return without_spots(painted, place, min(-amount, 1.0))
    where = place.at(_freckled(place))
    pigment = spots(place, where, int(FRECKLES * amount), np.random.default_rng([seed, 41]))
    linear = skin_linear(painted["skin"], place) * np.exp(-pigment[:, None] * MELANIN)
    return dict(painted) | {"skin": with_skin(painted["skin"], place, linear, pigment > SEEN)}


def _freckled(place: Place) -> np.ndarray:
    """[V] 0..1 where freckles are: across nose and cheeks, few elsewhere on the face, none in brows and on lips."""
    x, y, z = place.mean.T
    band = (
        np.exp(-(((y - 0.004) / 0.020) ** 2)) * np.exp(-((np.abs(x) / 0.058) ** 4)) * np.clip((z - 0.03) / 0.03, 0, 1)
    )
    return place.masks["plain"] * place.masks["face"] * (1 - place.masks["neck"]) * (ELSEWHERE * (z > 0.03) + band)


def spotted_zone(place: Place) -> np.ndarray:
    """[N] 0..1 where spots come and go."""
    return place.at("plain") * np.maximum(place.at("face"), place.at("neck"))


def spots(place: Place, where: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """[N] melanin of `count` round-ish spots, whose places `where` [N] makes likely."""
    rows = np.flatnonzero(where > 0.02)
    pigment = np.zeros(len(where), np.float32)
    if not len(rows):
        return pigment
    points = np.einsum("nk,nkc->nc", place.texels.weights[rows], place.mean[place.texels.corners[rows]])
    middles = random.choice(len(rows), count, p=where[rows] / where[rows].sum())
    radius = RADII_M[0] + (RADII_M[1] - RADII_M[0]) * random.uniform(0, 1, count) ** 2  # most are small
    dark = random.uniform(*DARK, count)
    tree = cKDTree(points)
    for middle, own, melanin in zip(middles, radius, dark, strict=True):
        near = np.array(tree.query_ball_point(points[middle], REACH * own))
        off = points[near] - points[middle]
        stretch = random.normal(0, 0.25, (3, 3))  # no two are alike, and none is a disc
        gap = np.linalg.norm(off + off @ stretch, axis=1) / own
        spot = melanin / (1 + np.exp(SOFT * (gap - 1)))
        pigment[rows[near]] = np.maximum(pigment[rows[near]], spot * where[rows[near]].clip(0, 1) ** 0.2)
    return pigment


def without_spots(painted: Mapping[str, PaintedMaterial], place: Place, share: float) -> Painted:
    """All materials with skin whose spots are `share` 0..1 less dark, where there are neither brows nor lips."""
    linear = skin_linear(painted["skin"], place)
    taken = -np.minimum(_band(place, logs(linear)), 0) * (EVENED * share * spotted_zone(place))[:, None]
    changed = taken.max(-1) > SEEN
    return dict(painted) | {"skin": with_skin(painted["skin"], place, linear * np.exp(taken), changed)}


def _band(place: Place, values: np.ndarray) -> np.ndarray:
    """[N, C] what of `values` [N, C] is broader than a pore and narrower than a cheek."""
    scale, covered = len(place.texels.covered) / 1024, place.texels.covered
    whole = place.texels.spread(values.astype(np.float32))
    layers = [whole[..., k] for k in range(values.shape[1])]
    bands = [gaussian_filter(one, FINE * scale) - gaussian_filter(one, BROAD * scale) for one in layers]
    return np.stack([band[covered] for band in bands], -1)
