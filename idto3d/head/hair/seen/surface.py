"""What the cap shows at its texels: the photos' pixels where they see it, strands along the comb elsewhere."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from idto3d.head.hair.atlas import BAND, Atlas, cap_uvs, coloured
from idto3d.head.hair.cap import CENTRE, FREE, OUTWARD, Cap, unrolled
from idto3d.head.hair.comb import Comb
from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import MeanSpace, smoothstep
from idto3d.head.hair.seen.colours import FACES, contrast_of, mid_tone, seen_colour, shown_as_other
from idto3d.head.hair.seen.flow import averaged_along, strands_along
from idto3d.head.hair.seen.view import HairView
from idto3d.head.hair.seen.volume import HANGING
from idto3d.head.hair.volume import HairVolume
from idto3d.render.backends.kernel import rasterize

STEP = 0.002  # metres by which a flow is measured
STRANDS, LOCKS = (0.13, 0.30), (0.16, 0.30)  # least and most contrast that hair has: deviations of its logarithm
SHADE = 0.92  # tone of the cap, which lies a little under the cards
STRAY, TOGETHER = 0.0022, 0.8  # metres that strands run over an outline, standard deviation; share of locks in it
ALONG_DOME = (0.15, 0.5)  # cosines to the dome's normals between which strands begin to show
BLUR = 6.0  # texels, of what lies across the dome
COMBED = 4  # a photo's colours are averaged along strands over 2 to the power of this, texels
LEAVES = (-0.0006, 0.0012)  # metres off the skin between which hair becomes dense
ENDS = 0.022  # metres above its lower end over which hanging hair thins
UNDER = (-0.35, -0.7)  # rise of normals between which the under side of hanging hair is left open
LOWER, SIDE = (FREE + 0.004, FREE - 0.002), (0.35, OUTWARD + 0.1)  # heights; how far hair there must look outward
OFF = (0.012, 0.022)  # metres off the skin between which hair comes to hang


@dataclass(frozen=True, eq=False)
class Texels:
    """The texels of a cap: rows, columns [P] in the atlas; points, normals [P, 3]; flow [P, 2], unit, in texels."""

    rows: np.ndarray
    columns: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    flow: np.ndarray


@dataclass(frozen=True, eq=False)
class Evidence:
    """What hair is painted from: views, the same evened in light [S, S, 3] each, the comb, the way to the mean head,
    the volume, and whether hair hangs.
    """

    views: list[HairView]
    even: list[np.ndarray]
    comb: Comb
    space: MeanSpace
    volume: HairVolume
    hangs: bool


def texels_of_cap(cap: Cap, size: int, comb: Comb, space: MeanSpace) -> Texels:
    """The texels that the cap takes in an atlas of `size`; where two sheets of it share some, they are the outer's."""
    corners = cap_uvs(cap.uvs, size).reshape(-1, 2) * [2, -2] + [-1, 1]
    depth = 0.5 - np.linalg.norm(cap.vertices[cap.faces].reshape(-1, 3), axis=1, keepdims=True)
    flat = np.concatenate([corners, depth, np.ones((len(corners), 1))], 1).astype(np.float32)
    own = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    face, weight, _ = rasterize(flat, own, size, size)
    rows, columns = np.nonzero(face >= 0)
    values = np.concatenate([cap.vertices, cap.normals, _flow(cap, size, comb, space)], 1)
    read = np.einsum("pk,pkc->pc", weight[rows, columns], values[cap.faces[face[rows, columns]]])
    return Texels(rows, columns, read[:, :3], normalised(read[:, 3:6]), normalised(read[:, 6:]))


def _flow(cap: Cap, size: int, comb: Comb, space: MeanSpace) -> np.ndarray:
    """[V, 2] unit, in texels: which way strands run over the cap's texture."""
    way = comb.directions(space.to_mean(cap.vertices))
    way = normalised(way - (way * cap.normals).sum(1, keepdims=True) * cap.normals)
    ends = [unrolled(cap.reach, cap.vertices + side * STEP * way) for side in (-1, 1)]
    step = ends[1] - ends[0]
    step[:, 0] -= np.round(step[:, 0])  # over the seam
    return normalised(step * [size, size * (1 - BAND)])


def strands_of(texels: Texels, size: int, random: np.random.Generator) -> np.ndarray:
    """[2, P]: strands and locks along the flow at a cap's texels, in an atlas of that side; deviations of 1."""
    flow, top = _spread(texels, texels.flow, size)
    nearest = distance_transform_edt(~flow.any(-1), return_distances=False, return_indices=True)
    flow = flow[tuple(nearest)]  # what lies beyond the cap's border is drawn into it
    return np.stack([picture[texels.rows - top, texels.columns] for picture in strands_along(flow, random)])


def _flat(texels: Texels) -> np.ndarray:
    """[P] 0..1 how far the cap lies along the dome that its texture is laid over; across it, strands are streaks."""
    away = texels.points - CENTRE
    outward = normalised(np.maximum(away, [-np.inf, 0, -np.inf]))  # below its middle the dome is a cylinder
    return smoothstep(np.abs((outward * texels.normals).sum(1)), *ALONG_DOME)


def _spread(texels: Texels, values: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """The picture [H, W, C] of `values` [P, C], 0 elsewhere, and the row of the atlas at which it begins."""
    top, picture = int(texels.rows.min()), np.zeros((size, size, values.shape[1]))
    picture[texels.rows, texels.columns] = values
    return picture[top:], top


def combed(texels: Texels, colour: np.ndarray, worth: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Colours [P, 3] and their `worth` [P] averaged along the strands: what runs across them is light on curls.

    Seen from elsewhere it would be blotches.
    """
    flow, top = _spread(texels, texels.flow, size)
    values, _ = _spread(texels, np.concatenate([colour * worth[:, None], worth[:, None]], 1), size)
    drawn = averaged_along(flow, np.moveaxis(values, -1, 0), COMBED)[:, texels.rows - top, texels.columns]
    return (drawn[:3] / np.maximum(drawn[3], 1e-6)).T, np.minimum(worth, drawn[3])


def painted_cap(atlas: Atlas, texels: Texels, evidence: Evidence, random: np.random.Generator) -> Atlas:
    """The atlas with what the cap shows at its texels."""
    if not len(texels.rows):
        return atlas
    albedo, opacity, slope = atlas.albedo.copy(), atlas.opacity.copy(), atlas.slope.copy()
    place = (texels.rows, texels.columns)
    flat = _flat(texels)
    fine, locks = flat * strands_of(texels, len(albedo), random)
    rgb, contrast = mid_tone(evidence.views), contrast_of(evidence.views, evidence.even)
    colour, worth = combed(texels, *best_colour(texels.points, texels.normals, evidence), len(albedo))
    colour = _evened_across(texels, colour, flat, len(albedo))
    strands, lock = np.clip(contrast[0], *STRANDS), np.clip(contrast[1], *LOCKS)
    # Of a photo that is less sharp than hair, or whose locks went with the light on them.
    lacking = [np.sqrt(max(wanted**2 - found**2, 0)) for wanted, found in zip((strands, lock), contrast, strict=True)]
    guessed = coloured(rgb, np.exp(strands * fine + lock * locks))
    seen = colour * np.exp(lacking[0] * fine + lacking[1] * locks)[:, None]
    albedo[place] = np.clip(SHADE * (guessed + worth[:, None] * (seen - guessed)), 0, 1)
    share = 0.5 if evidence.hangs else TOGETHER  # of locks
    stray = STRAY * (share * locks + (1 - share) * fine)
    opacity[place] = density(texels.points, texels.normals, stray, evidence)
    slope[place] = 0
    return bled(Atlas(albedo, opacity, slope), texels)


def bled(atlas: Atlas, texels: Texels) -> Atlas:
    """The atlas in which what lies around the cap's texels is as the nearest of them.

    The cap's border is read with it, and so are cards that reach beyond the cap.
    """
    albedo, opacity, top = atlas.albedo.copy(), atlas.opacity.copy(), int(len(atlas.albedo) * BAND)
    free = np.ones(opacity[top:].shape, bool)
    free[texels.rows - top, texels.columns] = False
    nearest = tuple(distance_transform_edt(free, return_distances=False, return_indices=True))
    albedo[top:], opacity[top:] = albedo[top:][nearest], opacity[top:][nearest]
    return Atlas(albedo, opacity, atlas.slope)


def _evened_across(texels: Texels, values: np.ndarray, flat: np.ndarray, size: int) -> np.ndarray:
    """[P, C] `values` [P, C], blurred where the cap is not `flat` [P]: a texel is long there and would be a streak."""
    picture, top = _spread(texels, np.concatenate([values, np.ones((len(values), 1))], 1), size)
    blurred = gaussian_filter(picture, (BLUR, BLUR, 0))[texels.rows - top, texels.columns]
    return values + (1 - flat[:, None]) * (blurred[:, :-1] / blurred[:, -1:] - values)


def best_colour(points: np.ndarray, normals: np.ndarray, evidence: Evidence) -> tuple[np.ndarray, np.ndarray]:
    """Colours [N, 3] and worth [N] of the views at `points` [N, 3], each weighted by what it sees."""
    total, weights, most = np.zeros_like(points), np.full(len(points), 1e-6), np.zeros(len(points))
    for view, pixels in zip(evidence.views, evidence.even, strict=True):
        colour, worth = seen_colour(view, pixels, points, normals)
        total, weights = total + (worth**2)[:, None] * colour, weights + worth**2
        most = np.maximum(most, worth)
    return total / weights[:, None], most


def density(points: np.ndarray, normals: np.ndarray, stray: np.ndarray, evidence: Evidence, facing=FACES) -> np.ndarray:
    """[N] 0..1 how dense hair is at `points` [N, 3]: not where a photo shows otherwise, thin where it ends.

    stray [N]: metres by which each strand ends later than the mean. facing: see `shown_as_other`.
    """
    off = evidence.volume.skin.at(points)
    dense = smoothstep(off + 0.4 * stray, *LEAVES)
    low = smoothstep(points[:, 1], *HANGING) * evidence.hangs
    for view in evidence.views:
        dense = dense * (1 - (1 - low) * shown_as_other(view, points, normals, stray, facing))
    outward = (normals * normalised((points - CENTRE) * [1, 0, 1])).sum(1)
    lower = smoothstep(points[:, 1], *LOWER) * (1 - evidence.hangs)
    dense *= 1 - lower * smoothstep(outward, *SIDE)  # before the cap's triangles end
    hangs = low * smoothstep(off, *OFF)
    low = np.flatnonzero(hangs > 0)
    below = evidence.volume.hair.at(points[low] - [0, ENDS, 0]) - 2 * stray[low]
    ends = np.maximum(smoothstep(below, -0.2 * ENDS, 0.5 * ENDS), smoothstep(normals[low, 1], *UNDER))
    dense[low] *= 1 - hangs[low] * ends
    return dense
