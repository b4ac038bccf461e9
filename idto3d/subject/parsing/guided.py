"""The guided filter: shares whose borders follow those of a picture."""

import numpy as np
from scipy import ndimage


def guided(picture: np.ndarray, shares: np.ndarray, radius: int, smoothness: float) -> np.ndarray:
    """`shares` [H, W, C] as locally linear functions of `picture` [H, W, 3], 0..1; [H, W, C] float32.

    radius: of the windows, pixels. smoothness: variance of the picture below which it counts as even.
    He, Sun and Tang, Guided Image Filtering, 2013, the form with a colour guide.
    """
    mean = _mean(picture, radius)
    spread = _mean(picture[..., :, None] * picture[..., None, :], radius) - mean[..., :, None] * mean[..., None, :]
    spread = np.linalg.inv(spread + smoothness * np.eye(3, dtype=np.float32))
    level = _mean(shares, radius)
    covariance = _mean(picture[..., :, None] * shares[..., None, :], radius) - mean[..., :, None] * level[..., None, :]
    slope = spread @ covariance  # [H, W, 3, C]
    offset = level - (mean[..., None, :] @ slope)[..., 0, :]
    slope, offset = _mean(slope, radius), _mean(offset, radius)
    return ((picture[..., None, :] @ slope)[..., 0, :] + offset).astype(np.float32)


def _mean(image: np.ndarray, radius: int) -> np.ndarray:
    """Mean of `image` [H, W, ...] over windows of 2 * radius + 1 pixels."""
    for axis in (0, 1):
        image = ndimage.uniform_filter1d(image, 2 * radius + 1, axis, mode="nearest")
    return image
