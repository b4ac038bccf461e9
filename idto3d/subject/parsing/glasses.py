"""Frames of glasses: thin dark lines over the bridge of the nose and under the eyes. Reported only when sure."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.color import rgb2lab
from skimage.draw import polygon2mask

from idto3d.subject.parsing.frame import BROWS, EYES
from idto3d.subject.square import Square, cut_square

WIDTH, HEIGHT = 160, 80  # of the strip that is looked at, pixels
SPAN = 2.5  # its width in distances between the eyes
THICKEST = 11  # pixels of the strip: a wider dark patch is no frame
BRIDGE, RIM = 0.14, 0.2  # darkness of the lines, in the strip's median lightness, from which they count as a frame
FAINT, STRONG = 0.1, 0.18  # of a frame's pixel; of one that starts it
LOWEST = 26  # pixels of the strip below the eyes: no frame reaches there
CORNERS = ((33, 133), (362, 263))  # of the eyes on the photo's left and right, from left to right


@dataclass(frozen=True, eq=False)
class Strip:
    """The surroundings of both eyes, level: darkness of thin lines, and where the landmarks lie in it.

    across_lines, lines: [HEIGHT, WIDTH], how much darker than above and below, than any side, in median lightnesses.
    """

    square: Square
    across_lines: np.ndarray
    lines: np.ndarray
    points: np.ndarray


def glasses_worn(pixels: np.ndarray, points: np.ndarray) -> bool:
    """Whether the frame of glasses is surely seen in `pixels` [H, W, 3] uint8 sRGB; `points` as in frame_of_glasses."""
    return _worn(_strip(pixels, points[:, :2]))


def frame_of_glasses(pixels: np.ndarray, points: np.ndarray, places: np.ndarray) -> np.ndarray:
    """[...], 0..1: where in the photo, at `places` [..., 2], the frame of glasses is seen; 0 when none is surely there.

    pixels: [H, W, 3] uint8 sRGB. points: [478, 2 or more] landmarks in its pixels.
    """
    strip = _strip(pixels, points[:, :2])
    if not _worn(strip):
        return np.zeros(places.shape[:-1], np.float32)
    drawn = ndimage.gaussian_filter(_drawn(strip).astype(np.float32), 1.0) * 1.4
    inside = strip.square.from_photo(places.reshape(-1, 2)) * WIDTH - [0.5, (WIDTH - HEIGHT) / 2 + 0.5]
    seen = ndimage.map_coordinates(np.clip(drawn, 0, 1), inside[:, ::-1].T, order=1, mode="constant")
    return seen.reshape(places.shape[:-1])


def _strip(pixels: np.ndarray, points: np.ndarray) -> Strip:
    left, right = (points[list(corners)].mean(0) for corners in CORNERS)
    across = right - left
    square = Square((left + right) / 2 + 0.1 * np.array([-across[1], across[0]]), SPAN * across)
    above = (WIDTH - HEIGHT) // 2
    light = rgb2lab(cut_square(pixels, square, WIDTH)[above:-above] / 255.0)[..., 0]
    light = ndimage.gaussian_filter(light, 0.7)
    usual = max(float(np.median(light)), 1.0)
    level = (ndimage.grey_closing(light, (THICKEST, 1)) - light) / usual
    upright = (ndimage.grey_closing(light, (1, THICKEST)) - light) / usual
    return Strip(square, level, np.maximum(level, upright), square.from_photo(points) * WIDTH - [0, above])


def _worn(strip: Strip) -> bool:
    """Whether a line runs over the bridge of the nose, and one under at least one eye."""
    (_, inner_left), (inner_right, _) = (strip.points[list(corners), 0] for corners in CORNERS)
    brows = strip.points[[66, 296], 1].mean() + 2
    eyes = strip.points[[33, 263], 1].mean()
    third = (inner_right - inner_left) / 4
    bridge = _darkest(strip, inner_left + third, inner_right - third, brows, eyes + 14)
    rims = [
        _darkest(strip, eye[:, 0].min(), eye[:, 0].max(), eye[:, 1].max() + 4, eye[:, 1].max() + LOWEST)
        for eye in (strip.points[list(outline)] for outline in EYES)
    ]
    return bridge > BRIDGE and max(rims) > RIM


def _darkest(strip: Strip, left: float, right: float, top: float, bottom: float) -> float:
    """Median over the columns of a rectangle of the darkest line across each; 0 where it has no pixel."""
    columns, rows = (
        slice(*np.clip([left, right], 0, WIDTH).astype(int)),
        slice(*np.clip([top, bottom], 0, HEIGHT).astype(int)),
    )
    part = np.where(_features(strip), 0, strip.across_lines)[rows, columns]
    return float(np.median(part.max(0))) if part.size else 0.0


def _drawn(strip: Strip) -> np.ndarray:
    """[HEIGHT, WIDTH] bool: faint lines that are joined to strong ones, but eyes and brows."""
    low = np.arange(HEIGHT)[:, None] > strip.points[[33, 263], 1].mean() + LOWEST
    joined, _ = ndimage.label((strip.lines > FAINT) & ~_features(strip) & ~low, np.ones((3, 3)))
    strong = np.unique(joined[strip.lines > STRONG])
    return np.isin(joined, strong[strong > 0])


def _features(strip: Strip) -> np.ndarray:
    """[HEIGHT, WIDTH] bool: eyes and brows, a little widened."""
    outlines = [strip.points[list(outline)][:, ::-1] - 0.5 for outline in (*EYES, *BROWS)]
    return ndimage.binary_dilation(np.any([polygon2mask((HEIGHT, WIDTH), o) for o in outlines], 0), iterations=3)
