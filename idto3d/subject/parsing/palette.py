"""How likely each pixel's colour and grain are for a region, learned from the pixels that already belong to it."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab

BINS, GRAIN_BINS = 24, 12
SPREAD = (1.6, 1.0, 1.0)  # of the counts over neighbouring bins of lightness and of both chroma axes
FLOOR, GRAIN_FLOOR = 0.03, 0.1  # part of each distribution that is spread evenly: no colour is impossible
GRAIN_WEIGHT = 0.7  # colour and grain are not independent
CHROMA_BEND, CHROMA_REACH = 15.0, 1.6  # chroma is counted finely near grey, coarsely where it is strong


@dataclass(frozen=True, eq=False)
class Palette:
    """The pixels of a picture, sorted into bins of colour [N] and of grain [N]."""

    colour: np.ndarray
    grain: np.ndarray
    shape: tuple[int, int]

    def likelihood(self, weights: np.ndarray, samples: tuple[np.ndarray, np.ndarray] | None = None, share: float = 0):
        """[H, W]: how much likelier each pixel is in a region than by chance; `weights` [H, W] say who belongs to it.

        samples: bins [M] and weights [M] of colours that are not in the picture; they count for `share` of it.
        """
        weights = weights.reshape(-1)
        colours = _distribution(np.bincount(self.colour, weights, BINS**3))
        if samples is not None:
            colours = (1 - share) * colours + share * _distribution(np.bincount(*samples, BINS**3))
        grains = np.bincount(self.grain, weights, GRAIN_BINS) + 1e-9
        grains = ndimage.gaussian_filter1d(grains, 1.0, mode="nearest")
        grains = (1 - GRAIN_FLOOR) * grains / grains.sum() + GRAIN_FLOOR / GRAIN_BINS
        told = colours[self.colour] * (grains * GRAIN_BINS)[self.grain] ** GRAIN_WEIGHT
        return told.reshape(self.shape)


def sort_colours(lab: np.ndarray, grain: np.ndarray) -> Palette:
    """The Palette of a picture: its CIE L*a*b* [H, W, 3] and the deviation of L* around each pixel, `grain` [H, W]."""
    level = np.clip(np.log2(grain / 0.5 + 1) * 2.4, 0, GRAIN_BINS - 1).astype(np.int64)
    return Palette(colour_bins(lab.reshape(-1, 3)), level.reshape(-1), lab.shape[:2])


def colour_bins(lab: np.ndarray) -> np.ndarray:
    """The bins [N] of colours in CIE L*a*b* [N, 3]."""
    chroma = (np.arcsinh(lab[:, 1:] / CHROMA_BEND) / CHROMA_REACH + 1) / 2
    unit = np.concatenate([lab[:, :1] / 100, chroma], 1)
    bins = np.clip(unit * BINS, 0, BINS - 1).astype(np.int64)
    return np.ravel_multi_index(tuple(bins.T), (BINS,) * 3)


def under_other_light(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What skin of sRGB colours `rgb` [N, 3], 0..1, looks like darker, brighter and shining: bins [M], weights [M]."""
    linear, shown, weights = rgb[:: max(1, len(rgb) // 200)] ** 2.2, [], []
    for stops in np.linspace(-0.9, 0.6, 7):
        for shine in (0.0, 0.25):
            lit = np.clip(linear * np.exp(stops), 0, 1)
            shown.append((1 - shine) * lit + shine * (lit.mean(-1, keepdims=True) + 0.35 * (stops > 0)))
            weights.append(np.full(len(lit), np.exp(-0.5 * (stops / 0.3) ** 2) * (1 - shine)))
    lab = rgb2lab(np.clip(np.concatenate(shown), 0, 1)[None] ** (1 / 2.2))[0]
    return colour_bins(lab), np.concatenate(weights)


def _distribution(counts: np.ndarray) -> np.ndarray:
    """Counts [BINS^3], spread over neighbours, as a density whose mean over all bins is 1."""
    spread = ndimage.gaussian_filter(counts.reshape((BINS,) * 3), SPREAD, mode="nearest").reshape(-1)
    return (1 - FLOOR) * spread / (spread.sum() + 1e-9) * BINS**3 + FLOOR
