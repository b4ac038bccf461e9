"""The cap of hair of words: strands along the comb, gone at the hairline, and in locks before hanging hair ends."""

import numpy as np
from scipy.ndimage import distance_transform_edt

from idto3d.head.hair.atlas import BAND, Atlas, coloured
from idto3d.head.hair.cap import CENTRE, Cap
from idto3d.head.hair.comb import Comb
from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import MeanSpace, above_hairline, smoothstep
from idto3d.head.hair.seen.surface import Texels, strands_of, texels_of_cap
from idto3d.head.hair.volume import HairVolume

TONE = 0.72  # of the cap against the strands before it
STRANDS, LOCKS = 0.20, 0.10  # deviations of the logarithm of its brightness, between strands and between locks
FADES, RAGGED = (0.004, 0.020), 0.005  # metres above the hairline over which it thickens, and by how much a strand errs
HANGS, OFF = (0.0, -0.03), (0.003, 0.008)  # heights, and metres off the skin, between which hair comes to hang
ENDS, THIN, UNEVEN = 0.042, (-0.004, 0.012), (0.002, 0.004)  # metres: how far up it thins, by strand and by lock
WILDEST = 2.5  # standard deviations that a strand or a lock differs from the others at most
SIDE, TORN = (0.05, 0.25), 0.04  # how far hanging hair must look outward to be dense there, and by how much it errs


def painted_cap(
    atlas: Atlas, cap: Cap, rgb, comb: Comb, volume: HairVolume, space: MeanSpace, random: np.random.Generator
) -> Atlas:
    """The atlas with strands of linear colour `rgb` on its cap, which runs out where hair does."""
    size = len(atlas.albedo)
    texels = texels_of_cap(cap, size, comb, space)
    if not len(texels.rows):
        return atlas
    albedo, opacity, slope = atlas.albedo.copy(), atlas.opacity.copy(), atlas.slope.copy()
    place = (texels.rows, texels.columns)
    fine, locks = (
        np.clip(values, -WILDEST, WILDEST) for values in strands_of(texels, size, random)
    )  # rough at borders
    albedo[place] = coloured(rgb, TONE * np.exp(STRANDS * fine + LOCKS * locks))
    opacity[place] = _dense(texels, fine, locks, volume, space)
    slope[place] = 0
    return _bled(Atlas(albedo, opacity, slope), texels)


def _dense(texels: Texels, fine: np.ndarray, locks: np.ndarray, volume: HairVolume, space: MeanSpace) -> np.ndarray:
    """[P] 0..1 how dense the cap is."""
    points = texels.points
    low, off = smoothstep(points[:, 1], *HANGS), smoothstep(volume.skin.at(points), *OFF)
    root = smoothstep(above_hairline(space.to_mean(points)) + RAGGED * fine, *FADES)
    below = _to_the_end(points, volume) + UNEVEN[0] * fine + UNEVEN[1] * locks
    outward = (texels.normals * normalised((points - CENTRE) * [1, 0, 1])).sum(1)
    side = smoothstep(outward + TORN * (fine + locks), *SIDE)
    hangs = low * off
    return np.maximum(root, off) * (1 - hangs) + smoothstep(below, THIN[1], THIN[0]) * side * hangs


def _to_the_end(points: np.ndarray, volume: HairVolume) -> np.ndarray:
    """[N] metres from the hair's outside to what lies ENDS under `points` [N, 3]; negative where hair goes on."""
    lower, floor = points - [0, ENDS, 0], volume.hair.lattice.low[1]
    outside = volume.hair.at(lower) + np.maximum(floor - lower[:, 1], 0)
    return np.maximum(outside, -volume.skin.at(lower))  # on the shoulders it ends as well


def _bled(atlas: Atlas, texels: Texels) -> Atlas:
    """The atlas in which what lies around the cap's texels is as the nearest of them: its border is read with them."""
    albedo, opacity, top = atlas.albedo.copy(), atlas.opacity.copy(), int(len(atlas.albedo) * BAND)
    free = np.ones(opacity[top:].shape, bool)
    free[texels.rows - top, texels.columns] = False
    nearest = tuple(distance_transform_edt(free, return_distances=False, return_indices=True))
    albedo[top:], opacity[top:] = albedo[top:][nearest], opacity[top:][nearest]
    return Atlas(albedo, opacity, atlas.slope)
