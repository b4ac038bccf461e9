"""The light of a photo as nine spherical harmonics over the skin, and the skin's colour without it. Linear RGB."""

import numpy as np

RIDGE = 0.05  # share of the observations' weight that holds all but the mean light to zero
ROUNDS = 5  # in which shadows and highlights lose their say
OUTLIER = 0.18  # deviation of the logarithm of the brightness at which a place has half its say
DARKEST, BRIGHTEST = 0.35, 2.5  # of the usual light, so that a place in deep shade does not become a lamp
SHINE = 1.12  # brightness against what light explains from which on a place shines
DULLED = 0.35  # share of the shine, in logarithms, that stays


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
