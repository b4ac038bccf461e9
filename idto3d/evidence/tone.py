"""The tint of skin under a coloured light, brought near to tints that skin has."""

import numpy as np

from idto3d.head.skin import skin_colour

MELANINS, REDNESSES = np.linspace(0.02, 0.95, 32), np.linspace(0.0, 1.0, 12)
TRUSTED = 0.06  # distance of the logarithms up to which a tint off the usual ones is taken for the person's own
USUAL = 0.15  # how far a tint is moved towards the usual one
LEFT = 0.25  # share of what lies beyond that stays


def tint_gains(colour: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """[3] factors of mean 1, in logarithms, that bring skin of median linear `colour` [3] near tints that skin has.

    What the camera's white balance left is taken for light: tints of the skin model (`head.skin`) are what skin can be,
    and the person's is likely near that of the `usual` [3] skin of such a person.
    """
    tints = np.log(skin_colour(*np.meshgrid(MELANINS, REDNESSES)).reshape(-1, 3))
    tints -= tints.mean(1, keepdims=True)
    seen = np.log(np.maximum(colour, 1e-4))
    seen -= seen.mean()
    nearest = tints[np.linalg.norm(tints - seen, axis=1).argmin()]
    off = seen - nearest
    distance = np.linalg.norm(off)
    kept = min(distance, TRUSTED) + LEFT * max(distance - TRUSTED, 0)
    likely = nearest + off * (kept / max(distance, 1e-9))
    wanted = np.log(np.maximum(usual, 1e-4))
    likely += USUAL * (wanted - wanted.mean() - likely)
    return np.exp(likely - seen)
