"""Upright, equally sized crops of faces."""

import numpy as np
from PIL import Image

CROP_SIZE = 150
EYE_DISTANCE = 0.27  # between the eye centres, in crop widths: leaves room for chin and hairline
EYE_HEIGHT = 0.42  # of the line between the eyes, in crop heights from the top
# Where the landmarks of an average frontal face lie, in eye distances from the middle between the eyes, y downwards:
# the eye on the left of the photo, the one on its right, the nose base, the outer corners of both eyes.
AVERAGE_FACE = np.array([[-0.5, 0.0], [0.5, 0.0], [0.0, 0.774], [-0.703, -0.015], [0.703, -0.015]])
HEAD_EYES = 24.0  # eye distance in a head crop, pixels
HEAD_EYE_HEIGHT = 0.47


def aligned_crop(pixels: np.ndarray, landmarks: np.ndarray, size: int = CROP_SIZE) -> np.ndarray:
    """The face of `pixels` [H, W, 3] uint8 as [size, size, 3], eyes level at a fixed place; white past the edge.

    landmarks: [>=2, 2]; rows 0 and 1 are the eye on the left and the eye on the right of the photo.
    """
    eyes = np.asarray(landmarks[:2], np.float64) + 0.5  # pixel indices to continuous coordinates
    across = (eyes[1] - eyes[0]) / (EYE_DISTANCE * size)  # photo pixels per crop pixel, along the eye line
    return _cut(pixels, _similarity(across, eyes.mean(0), size, EYE_HEIGHT), size, "white")


def head_crop(pixels: np.ndarray, landmarks: np.ndarray, size: int, grey: int = 128) -> tuple[np.ndarray, np.ndarray]:
    """The head in `pixels` [H, W, 3] uint8 as [size, size, 3], from the hair to the chin; and landmarks [5, 2] in it.

    landmarks: [5, 2] of the dlib encoder, pixels. All five decide scale and roll, so a turned head is not enlarged.
    The eyes of an average face lie 24 pixels apart whatever the `size`: a larger crop shows more around the head.
    Past the edge of the photo it is `grey`.
    """
    marks = np.asarray(landmarks, np.float64) + 0.5
    across, centre = _fit(marks)
    numbers = _similarity(across / HEAD_EYES, centre, size, HEAD_EYE_HEIGHT)
    crop = _cut(pixels, numbers, size, (grey,) * 3)
    a, b, c, d, e, f = numbers
    inside = np.linalg.solve([[a, b], [d, e]], (marks - [c, f]).T).T
    return crop, inside.astype(np.float32)


def _fit(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vector of one eye distance along the eye line, and the middle between the eyes, that fit `marks` [5, 2]."""
    model, seen = (points @ [1, 1j] for points in (AVERAGE_FACE, marks))
    spread = model - model.mean()
    turn = (spread.conj() * (seen - seen.mean())).sum() / (abs(spread) ** 2).sum()
    centre = seen.mean() - turn * model.mean()
    return np.array([turn.real, turn.imag]), np.array([centre.real, centre.imag])


def _similarity(across: np.ndarray, eyes: np.ndarray, size: int, height: float) -> tuple[float, ...]:
    """The six numbers a, b, c, d, e, f of the similarity x = a u + b v + c, y = d u + e v + f from crop to photo.

    across: photo pixels per crop pixel along the eye line; eyes: their middle in the photo, `height` of the crop.
    """
    length = float(np.linalg.norm(across))
    least = 1e-3  # landmarks on one spot must not divide by zero
    across = across if length > least else np.array([max(length, least), 0.0])
    down = np.array([-across[1], across[0]])
    origin = eyes - across * size / 2 - down * size * height
    return across[0], down[0], origin[0], across[1], down[1], origin[1]


def _cut(pixels: np.ndarray, numbers: tuple[float, ...], size: int, fill: str | tuple[int, ...]) -> np.ndarray:
    image = Image.fromarray(pixels)
    scale = float(np.hypot(numbers[0], numbers[3]))
    if scale >= 2:  # shrink first: the warp samples four by four pixels and would alias
        factor = int(scale)
        image, numbers = image.reduce(factor), tuple(number / factor for number in numbers)
    image = image.transform((size, size), Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC, fillcolor=fill)
    return np.array(image)
