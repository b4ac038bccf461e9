"""Which pixels that are taken for hair are hair of this head: those on the scalp, and what hangs together with them."""

import numpy as np
from scipy import ndimage

SURE, BORDER = 0.5, 3  # share from which a pixel is hair; pixels over which its border is soft
LEAST_SCALP = 0.02  # of the scalp that a piece of hair must cover
FEW = 50  # pixels that say nothing of a colour
DARKER = 60  # how much darker than skin hair must be to be told from it, 0..255
OTHER = 3.5  # standard deviations from the colours of the scalp's hair beyond which it is something else
GRAIN = 6.0  # least standard deviation of those colours, 0..255
PATCH = 4  # half the width of a patch of another colour, pixels: what is narrower is the shade at a border
AROUND = 6  # pixels around the scalp that are taken for it
EVEN = 1.5  # standard deviation of the filter through which colours are compared, pixels


def own_hair(picture: np.ndarray, hair: np.ndarray, skin: np.ndarray, scalp: np.ndarray) -> np.ndarray:
    """[S, S] 0..1 the share `hair` [S, S] of a photo without what is not this head's hair.

    picture [S, S, 3] sRGB 0..255; skin [S, S] 0..1; scalp [N, 2]: pixels x and y at which the scalp is seen.
    """
    place = scalp.astype(int).clip(0, len(hair) - 1)
    even = ndimage.gaussian_filter(picture.astype(float), (EVEN, EVEN, 0))
    hair = hair * ~_washed_out(even.mean(-1), hair, skin)
    hair = hair * ~_of_other_colour(even, hair, place)
    return _on_scalp(hair, place)


def _washed_out(grey: np.ndarray, hair: np.ndarray, skin: np.ndarray) -> np.ndarray:
    """[S, S] what hangs together with skin and is brighter than skin, where hair is far darker.

    A forehead that the light has washed out has no colour of skin any more.
    """
    found, bare = hair > SURE, skin > SURE
    if min(found.sum(), bare.sum()) < FEW or np.median(grey[bare]) - np.median(grey[found]) < DARKER:
        return np.zeros(hair.shape, bool)
    bright = ndimage.binary_opening(found & (grey > np.median(grey[bare])), iterations=2)
    forehead = ndimage.binary_propagation(ndimage.binary_dilation(bare, iterations=BORDER) & bright, mask=bright)
    return ndimage.binary_dilation(forehead, iterations=BORDER)


def _of_other_colour(picture: np.ndarray, hair: np.ndarray, place: np.ndarray) -> np.ndarray:
    """[S, S] what lies off the scalp and has another colour than the hair on it: a collar, an ear, an arm."""
    scalp = np.zeros(hair.shape, bool)
    scalp[place[:, 1], place[:, 0]] = True
    scalp = ndimage.binary_closing(np.pad(scalp, AROUND), iterations=AROUND)[AROUND:-AROUND, AROUND:-AROUND]
    sure = ndimage.binary_erosion(scalp & (hair > SURE), iterations=2)
    if sure.sum() < FEW:
        return np.zeros(hair.shape, bool)
    known = picture[sure]
    off = picture - np.median(known, 0)
    spread = np.linalg.inv(np.cov(known.T) + GRAIN**2 * np.eye(3))
    other = (hair > SURE) & (np.einsum("hwk,kl,hwl->hw", off, spread, off) > OTHER**2)
    other[: int(place[:, 1].mean())] = False  # roots may be darker than hair, and nothing lies above a head
    other = ndimage.binary_opening(other & ~ndimage.binary_dilation(scalp, iterations=AROUND), iterations=PATCH)
    return ndimage.binary_dilation(other, iterations=BORDER)


def _on_scalp(hair: np.ndarray, place: np.ndarray) -> np.ndarray:
    """[S, S] without what does not hang together with the scalp.

    A dark collar is easily taken for hair; skin lies between it and the hair of the head.
    """
    number, count = ndimage.label(hair > SURE)
    found = np.bincount(number[place[:, 1], place[:, 0]], minlength=count + 1)
    kept = np.flatnonzero(found[1:] >= LEAST_SCALP * len(place)) + 1
    return hair * ndimage.binary_dilation(np.isin(number, kept), iterations=BORDER)
