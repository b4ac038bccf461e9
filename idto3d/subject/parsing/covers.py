"""What hides a part of a face: dark glasses, and masks."""

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab

from idto3d.subject.parsing.frame import EYES, Frame, face_height
from idto3d.subject.square import Square, cut_square

NOSE = (4, 5, 45, 275, 195, 205, 425, 36, 266)  # nose and middle of the cheeks: no beard grows there, masks cover it
UPPER = (9, 8, 168, 193, 417)  # between brows and eyes: no mask covers it
DARK_EYES = 0.25  # luminance around both eyes, in that of the cheeks, below which they are covered
TINT, SHADE = 20.0, 1.2  # chroma, and logarithm of luminance, that light alone may set them apart
CHEEKS = (50, 101, 118, 280, 330, 347)
EYE_SIZE = 64  # pixels of the picture in which an eye is looked at
LENS = 0.35  # luminance, in that of the cheeks, up to which what is joined to covered eyes belongs to their cover
LENS_REACH = (0.30, 0.16)  # face heights: how far beside, and above and below the eyes, such a cover goes
RIM = 0.02  # face heights: how far it is widened, as its border mixes both colours


def cover_contrast(pixels: np.ndarray, points: np.ndarray) -> float:
    """How unlike nose and cheeks are to the skin between the eyes, in differences that light makes; above 1 a mask."""
    low, high = (np.median(_spots(pixels, points, part), 0) for part in (NOSE, UPPER))
    scale = np.clip(low[0] / max(high[0], 1.0), 0.5, 1.5)  # chroma follows lightness
    darker = abs(np.log(_luminance(low[0]) / _luminance(high[0])))
    return float(max(np.linalg.norm(low[1:] - scale * high[1:]) / TINT, darker / SHADE))


def eyes_covered(pixels: np.ndarray, points: np.ndarray) -> bool:
    """Whether the surroundings of both eyes are far darker than the cheeks, as behind sunglasses."""
    return max(_eye_light(pixels, points)) < DARK_EYES


def dark_glasses(pixels: np.ndarray, picture: np.ndarray, points: np.ndarray, frame: Frame) -> np.ndarray:
    """[S, S], 0..1: where glasses that cover the eyes lie; 0 everywhere where none do.

    pixels: [H, W, 3] uint8 sRGB of the photo, points [478, 2 or more] in it. picture [S, S, 3] uint8: the part of it in
    which `frame` lies.
    """
    if not eyes_covered(pixels, points):
        return np.zeros(picture.shape[:2], np.float32)
    light = rgb2lab(ndimage.uniform_filter(picture, (3, 3, 1)) / 255.0)[..., 0]
    dark = _luminances(light) < LENS * _luminance(np.median(_spots(pixels, points, CHEEKS)[:, 0]))
    eyes = frame.inside(EYES[0]) | frame.inside(EYES[1])
    joined, _ = ndimage.label((dark | eyes) & _around_eyes(frame, eyes))
    cover = ndimage.binary_fill_holes(np.isin(joined, np.unique(joined[eyes & (joined > 0)])))
    cover = ndimage.binary_dilation(cover, iterations=max(round(RIM * frame.height), 1))
    return np.clip(1.2 * ndimage.gaussian_filter(cover.astype(np.float32), 1.0), 0, 1)


def _around_eyes(frame: Frame, eyes: np.ndarray) -> np.ndarray:
    """[S, S] bool: where glasses may be."""
    beside, above = LENS_REACH
    across, down = frame.across, frame.below_chin
    wide, high = (np.array([values[eyes].min(), values[eyes].max()]) for values in (across, down))
    inside = (across > wide[0] - beside) & (across < wide[1] + beside)
    return inside & (down > high[0] - above) & (down < high[1] + above) & (frame.outside < RIM)


def _eye_light(pixels: np.ndarray, points: np.ndarray) -> list[float]:
    """Luminance of what is bright in and around the eye on the photo's left, on its right; that of the cheeks is 1."""
    cheeks = _luminance(np.median(_spots(pixels, points, CHEEKS)[:, 0]))
    found = []
    for eye in EYES:
        place = points[list(eye), :2].astype(np.float64)
        width = float(np.ptp(place[:, 0]))
        square = Square(place.mean(0), np.array([1.4 * max(width, 1.0), 0.0]))
        light = rgb2lab(cut_square(pixels, square, EYE_SIZE) / 255.0)[EYE_SIZE // 4 : -EYE_SIZE // 4, :, 0]
        found.append(float(_luminance(np.percentile(light, 80)) / cheeks))
    return found


def _luminance(lightness: float) -> float:
    """Luminance of CIE L*, at least 0.004 so that it divides."""
    return float(_luminances(np.asarray(lightness)))


def _luminances(lightness: np.ndarray) -> np.ndarray:
    return np.maximum(((lightness + 16) / 116) ** 3, 0.004)


def _spots(pixels: np.ndarray, points: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    """CIE L*a*b* [N, 3] of small spots on the landmarks `numbers`, each the median of its pixels."""
    side = 0.06 * face_height(points)
    spots = [cut_square(pixels, Square(points[n, :2].astype(np.float64), np.array([side, 0.0])), 8) for n in numbers]
    return np.median(rgb2lab(np.stack(spots) / 255.0).reshape(len(spots), -1, 3), 1)
