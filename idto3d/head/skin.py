"""The colour of skin by its two pigments. Numpy alone, so that processes which draw people need no torch."""

import numpy as np

SKIN_BASE = 0.18  # absorption without pigments
MELANIN = np.array([1.25, 1.85, 2.45], np.float32)  # absorption of red, green and blue by a melanin of 1
HAEMOGLOBIN = np.array([0.06, 0.42, 0.44], np.float32)  # and by a redness of 1
LEAST_BLOOD = 0.25  # redness that the palest skin has
YELLOW = np.array([-0.02, 0.0, 0.06])  # absorption by what else is yellow in skin that is painted: carotene, fat
# And by a melanin of 1 beyond what pale and tan skin has, on top of MELANIN: dark skin is less orange than that says.
DARK_FROM, FLATTER = 0.45, np.array([0.30, 0.0, -0.35])


def skin_colour(melanin, redness) -> np.ndarray:
    """Linear RGB [..., 3] of skin with `melanin` and `redness` (arrays of one shape, or numbers; 0..1).

    White light through two pigments by the modified Beer-Lambert law, after Tsumura et al., "Image-based skin color and
    texture analysis/synthesis by extracting hemoglobin and melanin information in the skin" (SIGGRAPH 2003). The
    absorptions per channel are fitted by eye.
    """
    melanin, blood = np.asarray(melanin, np.float32), LEAST_BLOOD + np.asarray(redness, np.float32)
    return np.exp(-(SKIN_BASE + melanin[..., None] * MELANIN + blood[..., None] * HAEMOGLOBIN))


def painted_colour(melanin, blood) -> np.ndarray:
    """Linear RGB [..., 3] of skin as heads are painted, of `melanin` and with an absorption by `blood` [..., 3]."""
    return np.exp(-(SKIN_BASE + YELLOW + melanin_absorption(melanin) + blood))


def melanin_absorption(melanin) -> np.ndarray:
    """[..., 3] absorption by an amount of `melanin`, an array or a number."""
    amount = np.asarray(melanin)[..., None]
    return amount * MELANIN + np.maximum(amount - DARK_FROM, 0) * FLATTER
