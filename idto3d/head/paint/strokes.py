"""Hairs too short or too fine to be told apart, as noise over a texture."""

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.head.paint.atlas import Texels

DOTS = (0.55, 0.75)  # across and along, texels of a texture of 1024: ends of hairs that stand out of the skin
ROOTS = (0.6, 2.0)  # hairs that lie along v, as at the hairline


def strokes(texels: Texels, form: tuple[float, float], seed: int) -> np.ndarray:
    """[N] 0..1, about a half in the mean: marks of the `form`, across and along v, as DOTS and ROOTS are."""
    across, along = (side * len(texels.covered) / 1024 for side in form)
    noise = np.random.default_rng([seed, 6]).standard_normal(texels.covered.shape)
    marks = gaussian_filter(noise, (along, across)) - gaussian_filter(noise, (3 * along, 3 * across))
    # Of a texture too coarse for hairs there are no marks.
    return np.clip(0.5 + marks[texels.covered] / max(2 * marks.std(), 1e-9), 0, 1)
