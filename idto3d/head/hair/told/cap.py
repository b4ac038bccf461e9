"""The cap of hair of words: strands along the comb, gone at the hairline, and in locks before hanging hair ends."""

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.head.hair.atlas import Atlas, coloured
from idto3d.head.hair.cap import CENTRE, Cap
from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import MeanSpace, above_hairline, smoothstep
from idto3d.head.hair.seen.surface import Texels, bled, strands_of, texels_of_cap
from idto3d.head.hair.styles import Cut
from idto3d.head.hair.volume import HairVolume
from idto3d.head.hair.wisps import COILS, RINGLET

TONE, UNDER_CURLS = 0.70, 0.50  # of the cap against the strands before it; curls let one look deeper
COIL, COILED = (1.2, 2.6), 0.35  # texels that coils are wide and apart; deviation of the logarithm of their brightness
STRANDS, LOCKS = 0.20, 0.10  # deviations of the logarithm of its brightness, between strands and between locks
FADES, RAGGED = (0.006, 0.030), 0.008  # metres above the hairline over which it thickens, and by how much a strand errs
HANGS, OFF = (0.0, -0.03), (0.003, 0.008)  # heights, and metres off the skin, between which hair comes to hang
ENDS, THIN, UNEVEN = 0.042, (-0.004, 0.012), (0.002, 0.004)  # metres: how far up it thins, by strand and by lock
WILDEST = 2.5  # standard deviations that a strand or a lock differs from the others at most
SIDE, TORN = (0.30, 0.60), 0.06  # how far hanging hair must look outward to be dense there, and by how much it errs


def painted_cap(
    atlas: Atlas, cap: Cap, rgb, cut: Cut, volume: HairVolume, space: MeanSpace, random: np.random.Generator
) -> Atlas:
    """The atlas with strands of linear colour `rgb` on its cap, which runs out where hair does."""
    size = len(atlas.albedo)
    texels = texels_of_cap(cap, size, cut.comb, space)
    if not len(texels.rows):
        return atlas
    albedo, opacity, slope = atlas.albedo.copy(), atlas.opacity.copy(), atlas.slope.copy()
    place = (texels.rows, texels.columns)
    fine, locks = (
        np.clip(values, -WILDEST, WILDEST) for values in strands_of(texels, size, random)
    )  # rough at borders
    if cut.wisp is COILS:
        fine, locks = _coils(texels, size, random), 0 * locks
    tone = UNDER_CURLS if cut.wisp is RINGLET else TONE
    albedo[place] = coloured(rgb, tone * np.exp((COILED if cut.wisp is COILS else STRANDS) * fine + LOCKS * locks))
    opacity[place] = _dense(texels, fine, locks, volume, space)
    slope[place] = 0
    return bled(Atlas(albedo, opacity, slope), texels)


def _coils(texels: Texels, size: int, random: np.random.Generator) -> np.ndarray:
    """[P] the light and dark of coils at a cap's texels, which run no way; deviation 1."""
    noise = random.normal(size=(size, size))
    marks = gaussian_filter(noise, COIL[0], mode="wrap") - gaussian_filter(noise, COIL[1], mode="wrap")
    found = marks[texels.rows, texels.columns]
    return np.clip(found / max(found.std(), 1e-9), -WILDEST, WILDEST)


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
