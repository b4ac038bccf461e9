"""The colour of skin by its two pigments. Numpy alone, so that processes which draw people need no torch."""

import numpy as np

SKIN_BASE = 0.18  # absorption without pigments
MELANIN = np.array([1.25, 1.85, 2.45], np.float32)  # absorption of red, green and blue by a melanin of 1
HAEMOGLOBIN = np.array([0.06, 0.42, 0.44], np.float32)  # and by a redness of 1
LEAST_BLOOD = 0.25  # redness that the palest skin has


def skin_colour(melanin, redness) -> np.ndarray:
    """Linear RGB [..., 3] of skin with `melanin` and `redness` (arrays of one shape, or numbers; 0..1).

    White light through two pigments by the modified Beer-Lambert law, after Tsumura et al., "Image-based skin color and
    texture analysis/synthesis by extracting hemoglobin and melanin information in the skin" (SIGGRAPH 2003). The
    absorptions per channel are fitted by eye.
    """
    melanin, blood = np.asarray(melanin, np.float32), LEAST_BLOOD + np.asarray(redness, np.float32)
    return np.exp(-(SKIN_BASE + melanin[..., None] * MELANIN + blood[..., None] * HAEMOGLOBIN))
