"""Is an albedo map free of light? How unevenly its face is lit, and whether that is how the portrait was lit.

Luminance is linear; unevenness is a pair: left over right and upper over lower half of the face, each minus one.
"""

from collections.abc import Sequence

import numpy as np

from idto3d.subject.align import EYE_DISTANCE, EYE_HEIGHT, aligned_crop

SIDES = ("left_right", "up_down")
FACE_ROWS, FACE_HALF_WIDTH = (0.42, 0.72), 0.17  # the face in a front view, shares of the picture
LUMINANCE = (0.2126, 0.7152, 0.0722)
# The same part of a face in an aligned crop, in shares of its side: from the brows to the lips, three quarters of an
# eye distance to each side of the nose.
CROP_ROWS = tuple(EYE_HEIGHT + eyes * EYE_DISTANCE for eyes in (-0.3, 1.1))
CROP_HALF_WIDTH = 0.75 * EYE_DISTANCE


def uneven_light(albedo: np.ndarray) -> tuple[float, float]:
    """Unevenness of the face of a front albedo map [S, S, 3] uint8."""
    return _uneven(albedo, FACE_ROWS, FACE_HALF_WIDTH)


def portrait_light(pixels: np.ndarray, landmarks: np.ndarray) -> tuple[float, float]:
    """Unevenness of a face in a portrait [H, W, 3] uint8; rows 0 and 1 of its `landmarks` are the eyes."""
    return _uneven(aligned_crop(pixels, landmarks), CROP_ROWS, CROP_HALF_WIDTH)


def _uneven(picture: np.ndarray, rows: tuple[float, float], half: float) -> tuple[float, float]:
    size = len(picture)
    top, bottom = (round(size * share) for share in rows)
    left, right = (round(size * (0.5 + side * half)) for side in (-1, 1))
    grey = (picture[top:bottom, left:right].astype(np.float64) / 255) ** 2.2 @ LUMINANCE
    upper, lower = (part.mean() for part in np.array_split(grey, 2, 0))
    one, other = (part.mean() for part in np.array_split(grey, 2, 1))
    return one / max(other, 1e-6) - 1, upper / max(lower, 1e-6) - 1


def unevenness(albedo: np.ndarray, true: np.ndarray, regrown: np.ndarray) -> dict[str, float]:
    """How much more unevenly than the `true` face a sampled front `albedo` is lit: by amount, and signed ("lean").

    Their means over people tell of every difference, and of one that all samples share, as light painted in would be.
    "strands" is the amount for the true face with its hair `regrown`, of which the words say just as much.
    """
    figures = {}
    for side, lean, strands in zip(SIDES, leaning(albedo, true), leaning(regrown, true), strict=True):
        figures |= {f"light_{side}": abs(lean), f"light_{side}_lean": lean, f"light_{side}_strands": abs(strands)}
    return figures


def leaning(albedo: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Unevenness of a front `albedo` beside that of the other one, `true`."""
    return tuple(float(a - b) for a, b in zip(uneven_light(albedo), uneven_light(true), strict=True))


def followed(albedos: Sequence[np.ndarray], light: np.ndarray) -> dict[str, float]:
    """How much more one of two front `albedos` of a person leans to where its own portrait was lit more from.

    Each was sampled from one portrait alone; `light` [2, 2] are those two portraits'. All else about the person is the
    same in both, so the mean over people is zero where albedo knows nothing of the light.
    """
    pairs = zip(SIDES, leaning(*albedos), light[0] - light[1], strict=True)
    return {f"light_{side}_followed": float(lean * np.sign(lit)) for side, lean, lit in pairs}
