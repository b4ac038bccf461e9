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
from idto3d.head.skin import HAEMOGLOBIN

SMOOTH = 0.35  # weight of an edge against a vertex that photos show fully
PULL = 0.02  # how strongly a vertex follows its mirror image
HOLD = 8e-3  # how strongly it stays at the usual colour where all else is silent
DARKEST = 0.004  # linear; below it logarithms say more of noise than of colour
BANDS = (1.0, 2.0, 4.0)  # texels of a texture of 1024, of the grain's octaves
USUAL_GRAIN = (0.012, 0.014, 0.016)  # deviation of the logarithm of the brightness, by octave
PATCHES, PATCHED = (4.0, 20.0), 0.07  # texels of 1024 of patches of redness, and the deviation of the redness
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


def grain(detail: np.ndarray, share: np.ndarray, texels: Texels, seed: int) -> np.ndarray:
    """Made-up fine detail [N, 1] with the strength, octave by octave, of the `detail` [N, C] where it is seen."""
    size = len(texels.covered)
    seen = np.zeros((size, size))
    seen[texels.covered] = share > 0.8
    tone = np.zeros((size, size))
    tone[texels.covered] = detail.mean(1) * (share > 0.8)
    strengths = [1.48 * np.median(np.abs(band[seen > 0])) if seen.any() else 0.0 for band in _octaves(tone)]
    return _grained(texels, strengths, seed)


def plain_grain(texels: Texels, seed: int) -> np.ndarray:
    """Fine detail [N, 1] of usual strength, octave by octave, where no photo tells any."""
    return _grained(texels, USUAL_GRAIN, seed)


def _grained(texels: Texels, strengths: Sequence[float], seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(texels.covered.shape)
    octaves = zip(_octaves(noise), strengths, strict=True)
    made = sum(band * (strength / max(band.std(), 1e-9)) for band, strength in octaves)
    return made[texels.covered][:, None]


def patches(texels: Texels, seed: int) -> np.ndarray:
    """[N, 3] changes of the colour's logarithm in patches through which more or less blood shows."""
    fine, coarse = (width * len(texels.covered) / 1024 for width in PATCHES)
    shrunk = max(1, int(fine / 2))  # so broad a noise needs no more places
    size = -(-len(texels.covered) // shrunk)
    noise = np.random.default_rng([seed, 7]).standard_normal((size, size))
    band = _band(noise, fine / shrunk, coarse / shrunk)
    at = (np.stack(np.nonzero(texels.covered)) + 0.5) / shrunk - 0.5
    redder = map_coordinates(band * (PATCHED / max(band.std(), 1e-9)), at, order=1, mode="nearest")
    return -redder[:, None] * HAEMOGLOBIN.astype(np.float64)


def _octaves(picture: np.ndarray) -> list[np.ndarray]:
    scale = len(picture) / 1024
    return [
        _band(picture, fine * scale, coarse * scale) for fine, coarse in zip((0.0, *BANDS[:-1]), BANDS, strict=True)
    ]


def _band(picture: np.ndarray, fine: float, coarse: float) -> np.ndarray:
    return (gaussian_filter(picture, fine) if fine else picture) - gaussian_filter(picture, coarse)
