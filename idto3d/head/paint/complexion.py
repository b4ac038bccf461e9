"""How pigments differ from one part of a face to another: blood in ears, nose and cheeks, melanin about eyes and mouth.

Redness is highest on lips, ears, nose and cheeks and least on the forehead (Jimenez et al., "A practical appearance
model for dynamic facial color", 2010); about eyes and mouth and on the temples skin has more melanin, the more so the
darker it is. The amounts are set by eye.
"""

from collections.abc import Mapping

import numpy as np

from idto3d.head.features.face_masks import ears, ramp
from idto3d.head.skin import HAEMOGLOBIN, LEAST_BLOOD, SKIN_BASE, melanin_absorption, painted_colour
from idto3d.head.template import LANDMARKS

# Of places: the share of the skin's melanin that comes on top of it, and redness.
TONES = {
    "forehead": (0.05, -0.12),
    "temples": (0.06, -0.06),
    "cheeks": (-0.05, 0.34),
    "nose": (0.0, 0.34),
    "wings": (0.05, 0.30),
    "ears": (0.0, 0.42),
    "above_eyes": (0.02, 0.12),
    "under_eyes": (0.14, 0.32),
    "mouth": (0.07, -0.06),
    "chin": (0.02, 0.14),
    "neck": (0.02, -0.08),
    "chest": (0.0, 0.10),
}
# Absorption by a redness of 1 where blood lies under thin skin, of lips and of lids, through which veins show.
THIN_BLOOD = np.array([0.10, 0.42, 0.38])
LIP_REDNESS, DARK_LIPS = 1.15, 0.45  # more redness than the skin's on pale lips; the share of it that dark ones lack
LIP_MELANIN, UPPER_LIP, LIP_RIM = 0.80, 0.14, 0.10  # shares of the skin's melanin: in lips; more in these


def complexion(mean: np.ndarray, masks: Mapping[str, np.ndarray], melanin: float, redness: float) -> np.ndarray:
    """[V, 3] linear albedo of bare skin of `melanin` and `redness` at the vertices of the mean head, `mean` [V, 3].

    masks: see `face_masks.skin_masks`. Lips are not on it yet.
    """
    shares = places(mean, masks)
    more, red = (sum(TONES[name][k] * share for name, share in shares.items()) for k in range(2))
    thin = np.clip(shares["above_eyes"] + shares["under_eyes"], 0, 1)[:, None]
    blood = (LEAST_BLOOD + redness + red)[:, None] * (HAEMOGLOBIN * (1 - thin) + THIN_BLOOD * thin)
    return painted_colour(melanin * (1 + more), blood)


def lip_colours(mean: np.ndarray, share: np.ndarray, melanin: float, redness: float) -> np.ndarray:
    """[V, 3] linear albedo of lips of such skin at the mean head's vertices, of which lips are a `share` [V] 0..1.

    The upper one is darker; dark lips are less red than pale ones and darker at their border.
    """
    marks = mean[list(LANDMARKS)]
    inner = marks[60:65]
    line = np.interp(mean[:, 0], *inner[inner[:, 0].argsort()][:, :2].T)
    upper = ramp(mean[:, 1] - line, -0.001, 0.001)
    rim = 4 * share * (1 - share)
    pigment = melanin * (LIP_MELANIN + UPPER_LIP * upper + LIP_RIM * rim)
    red = LEAST_BLOOD + redness + LIP_REDNESS * (1 - DARK_LIPS * melanin) * (1 - 0.12 * upper)
    return np.exp(-(SKIN_BASE + melanin_absorption(pigment) + red[:, None] * THIN_BLOOD))


def places(mean: np.ndarray, masks: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """[V] 0..1 by the name of each of TONES, where it is on the mean head's skin, `mean` [V, 3] metres."""
    marks, (x, y, z) = mean[list(LANDMARKS)], mean.T
    front = masks["face"] * ramp(z, 0.02, 0.05)
    mouth = marks[48:68].mean(0)
    below = ramp(-y, 0.082, 0.100) * (1 - masks["face"])
    found = {
        "forehead": front * _spot(x, y - 0.072, 0.042, 0.022),
        "temples": masks["face"] * _spot(np.abs(x) - 0.066, y - 0.045, 0.012, 0.026),
        "cheeks": masks["cheeks"],
        "nose": front * ramp(z, 0.085, 0.108) * _spot(x, y - marks[30, 1], 0.013, 0.014),
        "wings": front * sum(_spot(x - marks[k, 0], y - marks[k, 1] - 0.004, 0.006, 0.008) for k in (31, 35)),
        "ears": ears(mean) * ramp(np.abs(x), 0.070, 0.080),
        "above_eyes": masks["lids"],
        "under_eyes": front * _under_eyes(mean, marks),
        "mouth": front * (z > 0.06) * _spot(x, y - mouth[1], 0.036, 0.024),
        "chin": front * (z > 0.06) * _spot(x, y - 0.8 * marks[8, 1] - 0.2 * mouth[1], 0.016, 0.012),
        "neck": below * (1 - ramp(-y, 0.135, 0.160)),
        "chest": ramp(-y, 0.140, 0.165) * ramp(z, 0.0, 0.04),
    }
    return {name: np.asarray(share, np.float64) for name, share in found.items()}


def _under_eyes(mean: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """[V] 0..1 the hollow from the inner corner of each eye along its lower lid."""
    found = np.zeros(len(mean))
    for eye in (marks[36:42], marks[42:48]):
        low, middle = eye[4:].mean(0)[1], eye.mean(0)[0]
        inwards = -0.003 * np.sign(middle)
        found += _spot(mean[:, 0] - middle - inwards, mean[:, 1] - low + 0.006, 0.017, 0.0075)
    return found


def _spot(x, y, wide: float, high: float) -> np.ndarray:
    return np.exp(-((x / wide) ** 2) - (y / high) ** 2)
