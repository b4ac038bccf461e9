"""The colour of a person's skin in neutral light, from photos whose exposure and white balance nobody knows."""

from collections.abc import Sequence

import numpy as np

from idto3d.evidence.light import brightness
from idto3d.head.skin import skin_colour

MELANINS, REDNESSES = np.meshgrid(np.linspace(0.02, 0.95, 48), np.linspace(0.0, 1.2, 25), indexing="ij")
USUAL_MELANIN, MELANINS_APART = 0.38, 0.22  # mean and deviation over people
SAID_APART = 0.06  # deviation of the melanin of skin that words name
USUAL_REDNESS, REDNESSES_APART = 0.55, 0.20
EXPOSURE_APART = 0.45  # deviation of the logarithm of how much brighter a photo shows skin than it is
# Of (log red/green, log blue/green): what photos usually make of skin, the way in which they differ in it most, how far
# they do, and how far across that way. By eighteen photos of twelve people against the skin model.
RENDERING = np.array([0.25, -0.25])
WARM = np.array([1.0, -1.0]) / np.sqrt(2)
WARM_APART, ACROSS_APART = 0.40, 0.15
RENDERED = 0.4  # of what cameras make of skin, the share that looks right
OWN = 0.15  # of what is then left of the tint is taken for the person's


def likely_skin(seen: Sequence[np.ndarray], melanin: float | None = None) -> np.ndarray:
    """[3] linear albedo of the usual skin of a person whom photos show in the median linear colours `seen`, each [3].

    The most likely pigments of the skin model (`head.skin`) under normal errors of exposure and white balance in each
    photo. melanin: what words say of it, 0..1.
    """
    skins = skin_colour(MELANINS, REDNESSES).astype(np.float64)
    usual, apart = (USUAL_MELANIN, MELANINS_APART) if melanin is None else (melanin, SAID_APART)
    cost = ((MELANINS - usual) / apart) ** 2 + ((REDNESSES - USUAL_REDNESS) / REDNESSES_APART) ** 2
    for one in seen:
        exposure = np.log(brightness(one[None]) / brightness(skins.reshape(-1, 3))).reshape(cost.shape)
        tint = _tint(one) - _tint(skins) - RENDERING
        warm, across = tint @ WARM, tint @ [-WARM[1], WARM[0]]
        cost = cost + (exposure / EXPOSURE_APART) ** 2 + (warm / WARM_APART) ** 2 + (across / ACROSS_APART) ** 2
    best = skins.reshape(-1, 3)[cost.argmin()]
    own = OWN * np.mean([_tint(one) - _tint(best) - RENDERING for one in seen], 0) + RENDERED * RENDERING
    tinted = best * np.exp([own[0], 0.0, own[1]])
    return tinted * brightness(best[None]) / brightness(tinted[None])


def _tint(colours: np.ndarray) -> np.ndarray:
    """[..., 2] logarithms of red and of blue against green."""
    logs = np.log(np.maximum(colours, 1e-4))
    return logs[..., [0, 2]] - logs[..., [1]]
