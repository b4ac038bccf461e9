"""From what photos show of the skin to the whole of it: mirrored, filled smoothly, grained where nothing is known.

The logarithm of the colour is split in two: what changes slowly lives on the vertices, where a smooth fill knows no
seams, and the rest on the texels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

from idto3d.head.paint.atlas import Texels
from idto3d.head.paint.clouds import Ground, shown_clouds
from idto3d.head.skin import HAEMOGLOBIN, MELANIN

SMOOTH = 0.35  # weight of an edge against a vertex that photos show fully
PULL = 0.02  # how strongly a vertex follows its mirror image
HOLD = 8e-3  # how strongly it stays at the usual colour where all else is silent
DARKEST = 0.004  # linear; below it logarithms say more of noise than of colour
BANDS = (1.0, 2.0, 4.0)  # texels of a texture of 1024, of the octaves of grain on photos
WIDTHS_MM = (0.6, 1.3, 2.6)  # and of those that are made up: as wide as these are on a face
USUAL_GRAIN = (0.012, 0.014, 0.016)  # deviation of the logarithm of the brightness, by octave
# Widths in mm and deviations of patches of redness, and of melanin.
REDDER, DARKER = ((3.0, 0.05), (8.0, 0.06), (20.0, 0.04)), ((2.5, 0.008), (14.0, 0.012))
SEAM = 0.02  # texture squares; corners farther apart lie on two sides of a seam


@dataclass(frozen=True, eq=False)
class Symmetry:
    """The vertex [V] that lies where the mirror image of each lies, and how well it does [V], 0..1."""

    partner: np.ndarray
    share: np.ndarray


def symmetry_of(neutral: np.ndarray, tolerance: float = 0.004) -> Symmetry:
    """Of vertices [V, 3] metres, mirrored in x; a partner farther than `tolerance` metres counts for nothing."""
    gap, partner = cKDTree(neutral).query(neutral * [-1, 1, 1])
    return Symmetry(partner, np.clip(1 - gap / tolerance, 0, 1))


def vertex_means(texels: Texels, values: np.ndarray, share: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Means [V, C] over the texels around each of `count` vertices of `values` [N, C] by `share` [N], and their say."""
    say = texels.weights * share[:, None]
    total = np.bincount(texels.corners.ravel(), say.ravel(), count)
    around = np.bincount(texels.corners.ravel(), texels.weights.ravel(), count)
    sums = [np.bincount(texels.corners.ravel(), (say * values[:, [c]]).ravel(), count) for c in range(values.shape[1])]
    return np.stack(sums, 1) / np.maximum(total, 1e-9)[:, None], total / np.maximum(around, 1e-9)


def filled(values: np.ndarray, say: np.ndarray, usual: np.ndarray, faces: np.ndarray, mirror: Symmetry) -> np.ndarray:
    """Smooth `values` [V, C] where their `say` [V] 0..1 is small, by neighbours, mirror image and the `usual` [V, C].

    The minimum of say (x - values)^2 + SMOOTH (x_i - x_j)^2 + PULL (x - x_mirror)^2 + HOLD (x - usual)^2.
    """
    count = len(values)
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    mirrored = PULL * mirror.share
    rows = np.concatenate([ends[:, 0], ends[:, 1], np.arange(count), mirror.partner])
    columns = np.concatenate([ends[:, 1], ends[:, 0], mirror.partner, np.arange(count)])
    weight = np.concatenate([np.full(2 * len(ends), SMOOTH / 2), mirrored / 2, mirrored / 2])
    links = coo_matrix((weight, (rows, columns)), shape=(count, count)).tocsr()
    system = diags(np.asarray(links.sum(1)).ravel() + say + HOLD) - links
    return splu(system.tocsc()).solve(values * say[:, None] + HOLD * usual)


def mirrored_places(texels: Texels, vertex_uvs: np.ndarray, mirror: Symmetry) -> tuple[np.ndarray, np.ndarray]:
    """Where on the texture [N, 2] the mirror image of each texel lies, and whether it can be told [N], 0 or 1.

    vertex_uvs: [V, 2], NaN for vertices on a seam.
    """
    partners = mirror.partner[texels.corners]
    corners = vertex_uvs[partners]
    spread = (corners.max(1) - corners.min(1)).max(1)
    known = np.isfinite(spread) & (spread < SEAM) & (mirror.share[texels.corners].min(1) > 0)
    return np.einsum("nk,nkc->nc", texels.weights, np.nan_to_num(corners)), known.astype(float)


def single_uvs(faces: np.ndarray, uvs: np.ndarray, count: int) -> np.ndarray:
    """[V, 2] the texture coordinates of each of `count` vertices that has but one; NaN for those on a seam."""
    flat, corners = faces.ravel(), uvs.reshape(-1, 2)
    low, high = np.full((count, 2), np.inf), np.full((count, 2), -np.inf)
    np.minimum.at(low, flat, corners)
    np.maximum.at(high, flat, corners)
    return np.where((np.abs(high - low) < 1e-6).all(1, keepdims=True), low, np.nan)


def read_texture(texture: np.ndarray, uvs: np.ndarray) -> np.ndarray:
    """Bilinear values [N, C] of a texture [S, S, C] at `uvs` [N, 2]."""
    at = (uvs[:, ::-1] * len(texture)).T - 0.5
    return np.stack([map_coordinates(one, at, order=1, mode="nearest") for one in np.moveaxis(texture, -1, 0)], 1)


def grain(detail: np.ndarray, share: np.ndarray, ground: Ground, seed: int) -> np.ndarray:
    """Made-up fine detail [N, 1] with the strength, octave by octave, of the `detail` [N, C] where it is seen."""
    covered = ground.texels.covered
    seen, tone = np.zeros(covered.shape), np.zeros(covered.shape)
    seen[covered], tone[covered] = share > 0.8, detail.mean(1) * (share > 0.8)
    octaves = _octaves(tone)
    strengths, whole = _strength(octaves, seen), _strength([sum(octaves)], seen)
    scale = whole[0] / max(np.linalg.norm(strengths), 1e-9)  # octaves of a photo go together, ours are each for itself
    return _grained(ground, [scale * one for one in strengths], seed)


def _strength(bands: Sequence[np.ndarray], seen: np.ndarray) -> list[float]:
    """Deviations of pictures [S, S] where they are `seen` [S, S]; a few hairs and spots do not count."""
    return [1.48 * float(np.median(np.abs(one[seen > 0]))) if seen.any() else 0.0 for one in bands]


def plain_grain(ground: Ground, seed: int) -> np.ndarray:
    """Fine detail [N, 1] of usual strength, octave by octave, where no photo tells any."""
    return _grained(ground, USUAL_GRAIN, seed)


def _grained(ground: Ground, strengths: Sequence[float], seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    octaves = zip(WIDTHS_MM, strengths, strict=True)
    return sum(strength * shown_clouds(ground, width, random) for width, strength in octaves)[:, None]


def patches(ground: Ground, seed: int) -> np.ndarray:
    """[N, 3] changes of the colour's logarithm in patches through which more or less blood and melanin show."""
    random = np.random.default_rng([seed, 7])
    redder, darker = (
        sum(strength * shown_clouds(ground, width, random) for width, strength in kind) for kind in (REDDER, DARKER)
    )
    pigments = np.stack([redder, darker], 1) @ np.stack([HAEMOGLOBIN, MELANIN]).astype(np.float64)
    return -pigments


def _octaves(picture: np.ndarray) -> list[np.ndarray]:
    scale = len(picture) / 1024
    return [
        _band(picture, fine * scale, coarse * scale) for fine, coarse in zip((0.0, *BANDS[:-1]), BANDS, strict=True)
    ]


def _band(picture: np.ndarray, fine: float, coarse: float) -> np.ndarray:
    return (gaussian_filter(picture, fine) if fine else picture) - gaussian_filter(picture, coarse)
