"""Upright, equally sized crops of faces."""

import numpy as np
from PIL import Image

CROP_SIZE = 150
EYE_DISTANCE = 0.27  # between the eye centres, in crop widths: leaves room for chin and hairline
EYE_HEIGHT = 0.42  # of the line between the eyes, in crop heights from the top


def aligned_crop(pixels: np.ndarray, landmarks: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """The face of `pixels` [H, W, 3] uint8 as [size, size, 3], eyes level at a fixed place; white past the edge.

    landmarks: [>=2, 2]; rows 0 and 1 are the eye on the left and the eye on the right of the photo.
    """
    eyes = np.asarray(landmarks[:2], np.float64) + 0.5  # pixel indices to continuous coordinates
    scale = max(float(np.linalg.norm(eyes[1] - eyes[0])), 1.0) / (EYE_DISTANCE * size)
    image = Image.fromarray(pixels)
    if scale >= 2:  # shrink first: the warp samples four by four pixels and would alias
        factor = int(scale)
        image, eyes = image.reduce(factor), eyes / factor
    image = image.transform(
        (size, size), Image.Transform.AFFINE, _crop_to_photo(eyes, size), Image.Resampling.BICUBIC, fillcolor="white"
    )
    return np.array(image)


def _crop_to_photo(eyes: np.ndarray, size: int) -> tuple[float, ...]:
    """The six numbers a, b, c, d, e, f of the similarity x = a u + b v + c, y = d u + e v + f from crop to photo."""
    across = (eyes[1] - eyes[0]) / (EYE_DISTANCE * size)  # photo pixels per crop pixel, along the eye line
    if not across.any():
        across = np.array([1.0, 0.0])
    down = np.array([-across[1], across[0]])
    origin = eyes.mean(0) - across * size / 2 - down * size * EYE_HEIGHT
    return across[0], down[0], origin[0], across[1], down[1], origin[1]
