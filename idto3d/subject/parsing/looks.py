"""What masks and landmarks say of a photographed face: colours, whether hair shows, whether something covers it."""

import numpy as np
import torch
from scipy import ndimage
from skimage.color import rgb2lab

from idto3d.render.color import linear_from_srgb
from idto3d.subject.masks import REGIONS, Masks
from idto3d.subject.parsing.frame import BROWS, EYES, IRISES, LIPS, MOUTH, Frame, face_height
from idto3d.subject.square import Square, cut_square

SURE = 0.9  # share from which a pixel is a region's
LEAST = 12  # pixels: from fewer no colour is told
HAIR = 0.08  # area of hair in areas of the face's outline below which there is none
NOSE = (4, 5, 45, 275, 195, 205, 425, 36, 266)  # nose and middle of the cheeks: no beard grows there, masks cover it
UPPER = (9, 8, 168, 193, 417)  # between brows and eyes: no mask covers it
DARK_EYES = 0.25  # luminance around both eyes, in that of the cheeks, below which they are covered
TINT, SHADE = 20.0, 1.2  # chroma, and logarithm of luminance, that light alone may set them apart
CHEEKS = (50, 101, 118, 280, 330, 347)
EYE_SIZE = 64  # pixels of the picture in which an iris is looked at
GLINT, PUPIL = 90, 25  # percentiles of an iris's luminance beyond which a pixel is a catch-light or the pupil


def region_colour(pixels: np.ndarray, masks: Masks, region: str, within: np.ndarray | None = None) -> np.ndarray | None:
    """Median linear colour [3] of the sure pixels of one of REGIONS, None where it has too few.

    pixels: [H, W, 3] uint8 sRGB of the photo. within: [S, S] bool, the only pixels of the masks that count.
    """
    sure = masks.region(region) > SURE
    return _median(_picture(pixels, masks), sure if within is None else sure & within)


def skin_colour(pixels: np.ndarray, masks: Masks, points: np.ndarray) -> np.ndarray | None:
    """Median linear colour [3] of the skin of the face, without eyes, brows and lips; None where none is sure."""
    frame = _frame(masks, points)
    return region_colour(pixels, masks, "skin", frame.oval & ~frame.features)


def lip_colour(pixels: np.ndarray, masks: Masks, points: np.ndarray) -> np.ndarray | None:
    """Median linear colour [3] of the lips, without what lies between them."""
    frame = _frame(masks, points)
    lips = ndimage.binary_erosion(frame.inside(LIPS)) & ~ndimage.binary_dilation(frame.inside(MOUTH))
    return _median(_picture(pixels, masks), lips)


def brow_colour(pixels: np.ndarray, masks: Masks, points: np.ndarray) -> np.ndarray | None:
    """Linear colour [3] of the brows: the median of the darker half of their pixels, between which skin shows."""
    frame, picture = _frame(masks, points), _picture(pixels, masks)
    brows = frame.inside(BROWS[0]) | frame.inside(BROWS[1])
    if brows.sum() < LEAST:
        return None
    light = picture.mean(-1)
    return _median(picture, brows & (light <= np.median(light[brows])))


def iris_colour(pixels: np.ndarray, points: np.ndarray) -> np.ndarray | None:
    """Median linear colour [3] of both irises, without pupils, catch-lights and lids; None where the eyes are shut."""
    seen = [_iris(pixels, np.asarray(points, np.float64)[:, :2], *eye) for eye in zip(IRISES, EYES, strict=True)]
    found = np.concatenate(seen)
    return np.median(found, 0) if len(found) >= LEAST else None


def hair_shows(masks: Masks, points: np.ndarray) -> bool:
    """Whether the head has hair in the photo."""
    face = _frame(masks, points).oval.sum()
    return bool(masks.region("hair").sum() > HAIR * max(face, 1))


def face_shares(masks: Masks, points: np.ndarray) -> dict[str, float]:
    """For each of REGIONS, how much of the face's outline it fills, 0..1."""
    oval = _frame(masks, points).oval
    return {
        name: float(share[oval].mean()) if oval.any() else 0.0
        for name, share in zip(REGIONS, masks.shares, strict=True)
    }


def cover_contrast(pixels: np.ndarray, points: np.ndarray) -> float:
    """How unlike nose and cheeks are to the skin between the eyes, in differences that light makes; above 1 a mask."""
    low, high = (np.median(_spots(pixels, points, part), 0) for part in (NOSE, UPPER))
    scale = np.clip(low[0] / max(high[0], 1.0), 0.5, 1.5)  # chroma follows lightness
    darker = abs(np.log(_luminance(low[0]) / _luminance(high[0])))
    return float(max(np.linalg.norm(low[1:] - scale * high[1:]) / TINT, darker / SHADE))


def eyes_covered(pixels: np.ndarray, points: np.ndarray) -> bool:
    """Whether the surroundings of both eyes are far darker than the cheeks, as behind sunglasses."""
    return max(_eye_light(pixels, points)) < DARK_EYES


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
    return max(((lightness + 16) / 116) ** 3, 0.004)


def _spots(pixels: np.ndarray, points: np.ndarray, numbers: tuple[int, ...]) -> np.ndarray:
    """CIE L*a*b* [N, 3] of small spots on the landmarks `numbers`, each the median of its pixels."""
    side = 0.06 * face_height(points)
    spots = [cut_square(pixels, Square(points[n, :2].astype(np.float64), np.array([side, 0.0])), 8) for n in numbers]
    return np.median(rgb2lab(np.stack(spots) / 255.0).reshape(len(spots), -1, 3), 1)


def _iris(pixels: np.ndarray, points: np.ndarray, iris: tuple[int, ...], eye: tuple[int, ...]) -> np.ndarray:
    """Linear colours [N, 3] of the pixels of one iris."""
    radius = np.linalg.norm(points[list(iris[1:])] - points[iris[0]], axis=1).mean()
    square = Square(points[iris[0]], np.array([3 * max(radius, 0.5), 0.0]))
    picture = _linear(cut_square(pixels, square, EYE_SIZE))
    frame = Frame(square.from_photo(points) * EYE_SIZE, EYE_SIZE)
    ring = np.linalg.norm(frame.pixels - EYE_SIZE / 2, axis=-1) * 3 / EYE_SIZE
    open_eye = ndimage.binary_erosion(frame.inside(eye), iterations=EYE_SIZE // 20)
    found = picture[(ring > 0.35) & (ring < 0.9) & open_eye]
    if len(found) < 2 * LEAST:
        return found[:0]
    light = found.mean(-1)
    return found[(light < np.percentile(light, GLINT)) & (light > np.percentile(light, PUPIL))]


def _frame(masks: Masks, points: np.ndarray) -> Frame:
    size = masks.shares.shape[-1]
    return Frame((np.asarray(points, np.float64)[:, :2] - masks.box[:2]) * size / masks.box[2], size)


def _picture(pixels: np.ndarray, masks: Masks) -> np.ndarray:
    """[S, S, 3] linear colours of the photo where the masks' pixels lie."""
    left, top, side = masks.box
    square = Square(np.array([left, top]) + side / 2, np.array([side, 0.0]))
    return _linear(cut_square(pixels, square, masks.shares.shape[-1]))


def _linear(pixels: np.ndarray) -> np.ndarray:
    return linear_from_srgb(torch.from_numpy(pixels.astype(np.float32) / 255)).numpy()


def _median(picture: np.ndarray, chosen: np.ndarray) -> np.ndarray | None:
    return np.median(picture[chosen], 0) if chosen.sum() >= LEAST else None
