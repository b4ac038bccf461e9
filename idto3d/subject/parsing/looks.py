"""What masks and landmarks say of a photographed face: colours, and whether hair shows."""

import numpy as np
import torch
from scipy import ndimage

from idto3d.render.color import linear_from_srgb
from idto3d.subject.masks import REGIONS, Masks
from idto3d.subject.parsing.frame import BROWS, EYES, IRISES, LIPS, MOUTH, Frame
from idto3d.subject.square import Square, cut_square

SURE = 0.9  # share from which a pixel is a region's
LEAST = 12  # pixels: from fewer no colour is told
HAIR = 0.08  # area of hair in areas of the face's outline below which there is none
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
