"""The light of a photo and the skin's colour without it. Linear RGB.

First the light that comes from afar, as nine spherical harmonics over the skin. Then what it leaves: shadows, shine,
and the creases of an expression. The broader a change of brightness over plain skin, the more of it is light's (Land
and McCann, "Lightness and retinex theory", 1971): each band of widths has its own share. It is measured on plain skin
alone and carried under brows, lips and beard, which so keep their contrast to what is around them.
"""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix, diags
from scipy.sparse.linalg import splu

RIDGE = 0.05  # share of the observations' weight that holds all but the mean light to zero
ROUNDS = 5  # in which shadows and highlights lose their say
OUTLIER = 0.18  # deviation of the logarithm of the brightness at which a place has half its say
DARKEST, BRIGHTEST = 0.35, 2.5  # of the usual light, so that a place in deep shade does not become a lamp
SHINE = 1.12  # brightness against what light explains from which on a place shines
DULLED = 0.35  # share of the shine, in logarithms, that stays
WIDTHS_M = (0.012, 0.004, 0.001)  # of the bands, metres: their wavelength over 2 pi
SHADE_TAKEN = (0.85, 0.6, 0.0)  # of the brightness of each band, between it and the broader one
TINT_TAKEN = (0.7, 0.5, 0.0)  # of the tint
CREASE_TAKEN = 0.95  # of any of them where an expression creases the skin
COTANGENTS = 0.577  # stiffness of an edge between two equilateral triangles, 1/2 (cot + cot)
GROUND = 1e-5  # weight at which a place of which nothing is known stays without light
SMOOTH_TO, CREASED_FROM = 0.04, 0.16  # compression of the skin at which it is smooth still, and folded


def harmonics(normals: np.ndarray) -> np.ndarray:
    """[N, 9] real spherical harmonics to the second order, unnormalised, of unit `normals` [N, 3].

    Irradiance on a convex body is within a few per cent such a sum (Ramamoorthi and Hanrahan, 2001).
    """
    x, y, z = normals.T
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, z * x, x * x - y * y, 3 * z * z - 1], 1)


def fit_light(normals: np.ndarray, colours: np.ndarray, share: np.ndarray) -> np.ndarray:
    """[9] light of skin of one colour, about 1: `colours` [N, 3] at unit `normals` [N, 3], each seen by `share` [N].

    One light for all channels: of a tint that changes over the face, skin is as likely the cause.
    """
    basis, tone = harmonics(normals), brightness(colours)
    tone = tone / max(np.average(tone, weights=share), 1e-6)
    light, say = np.zeros(9), share / share.sum()
    for _ in range(ROUNDS):
        weighted = (basis * say[:, None]).T
        light = np.linalg.solve(weighted @ basis + np.diag([0.0] + [RIDGE] * 8) * say.sum(), weighted @ tone)
        off = np.log(np.maximum(tone, 1e-3) / np.maximum(basis @ light, 1e-2))
        say = share / share.sum() / (1 + (off / OUTLIER) ** 2)
    return light


def shading(light: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """[N, 1] how bright each place is lit against the usual one, within DARKEST..BRIGHTEST."""
    return np.clip(harmonics(normals) @ light, DARKEST, BRIGHTEST)[:, None]


def unlit(light: np.ndarray, normals: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """`colours` [N, 3] without the light, and with most of the shine of skin that is brighter than light explains.

    What shines has the light's colour, so that it is dulled in brightness alone; the median colour is what skin has.
    """
    flat = colours / shading(light, normals)
    tone = brightness(flat)
    usual = np.median(tone)
    over = np.log(np.maximum(tone / max(usual, 1e-6) / SHINE, 1.0))
    return flat * np.exp((DULLED - 1) * over)[:, None]


def brightness(colours: np.ndarray) -> np.ndarray:
    """[N] luminance of linear RGB [N, 3], Rec. 709."""
    return colours @ np.array([0.2126, 0.7152, 0.0722])


def creases(rest: np.ndarray, moved: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V] 0..1 how far skin folds that goes from vertices `rest` [V, 3] to `moved` [V, 3]: where it is compressed most.

    By the smaller principal stretch of each of `faces` [F, 3].
    """
    first, last = (_edges(points, faces) for points in (rest, moved))
    gram, after = (np.einsum("fac,fbc->fab", edges, edges) for edges in (first, last))
    stretch = np.linalg.eigvals(np.linalg.solve(gram + 1e-12 * np.eye(2), after)).real.min(1)
    compression = 1 - np.sqrt(np.maximum(stretch, 0.0))
    count = np.maximum(np.bincount(faces.ravel(), minlength=len(rest)), 1)
    around = np.bincount(faces.ravel(), np.repeat(compression, 3), len(rest)) / count
    return np.clip((around - SMOOTH_TO) / (CREASED_FROM - SMOOTH_TO), 0, 1)


def light_left(
    off: np.ndarray, say: np.ndarray, creased: np.ndarray, positions: np.ndarray, faces: np.ndarray
) -> np.ndarray:
    """[V, 3] of `off` [V, 3], logarithms of what skin is brighter than expected, the part that is light's.

    say: [V] how far the colour of each vertex is known, and plain skin's. creased: [V] see `creases`. positions [V, 3]
    metres, faces [F, 3].
    """
    taken, before = np.zeros_like(off), np.zeros_like(off)
    fold = CREASE_TAKEN * creased[:, None]
    for smooth, shade, tint in zip(_smoothed(off, say, positions, faces), SHADE_TAKEN, TINT_TAKEN, strict=True):
        band, before = smooth - before, smooth
        grey = band.mean(1, keepdims=True)
        taken += np.maximum(shade, fold) * grey + np.maximum(tint, fold) * (band - grey)
    return taken


def _smoothed(values: np.ndarray, say: np.ndarray, positions: np.ndarray, faces: np.ndarray) -> Sequence[np.ndarray]:
    """`values` [V, C] at each of WIDTHS_M: the minimum of say (x - values)^2 + width^2 |grad x|^2 over the surface."""
    count = len(values)
    area = np.linalg.norm(np.cross(*np.moveaxis(_edges(positions, faces), 1, 0)), axis=1) / 2
    mass = np.bincount(faces.ravel(), np.repeat(area / 3, 3), count) + 1e-12
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    rows, columns = np.concatenate([ends, ends[:, ::-1]]).T
    links = coo_matrix((np.full(len(rows), COTANGENTS / 2), (rows, columns)), shape=(count, count)).tocsr()
    stiffness = diags(np.asarray(links.sum(1)).ravel()) - links
    weighted = (mass * say)[:, None] * values
    return [splu((diags(mass * (say + GROUND)) + width**2 * stiffness).tocsc()).solve(weighted) for width in WIDTHS_M]


def _edges(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[F, 2, 3] two edges of each face."""
    corners = points[faces]
    return corners[:, 1:] - corners[:, :1]
