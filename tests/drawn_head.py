"""Pictures of a head drawn flat around real landmarks, with every pixel's region known."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from idto3d.subject.parsing.frame import BROWS, EYES, LIPS, Frame

BACKGROUND, SKIN, HAIR, BEARD, CLOTHING = range(5)
COLOURS = {
    BACKGROUND: (0.62, 0.68, 0.72),
    SKIN: (0.82, 0.62, 0.52),
    BEARD: (0.2, 0.15, 0.13),
    CLOTHING: (0.2, 0.27, 0.5),
}
BROW, LIP, EYE = (0.25, 0.17, 0.12), (0.7, 0.35, 0.35), (0.35, 0.3, 0.28)


@dataclass(frozen=True, eq=False)
class DrawnHead:
    """pixels: [S, S, 3] uint8 sRGB. regions: [S, S] of BACKGROUND, SKIN, HAIR, BEARD, CLOTHING. points: [478, 2]."""

    pixels: np.ndarray
    regions: np.ndarray
    points: np.ndarray


def draw_head(points: np.ndarray, hair=(0.28, 0.18, 0.1), long: bool = False, beard: bool = False) -> DrawnHead:
    """A head with the face of `points` [478, 2] in a picture of 512 pixels; `hair`: its sRGB colour, None for bald."""
    frame, size = Frame(points, 512), 512
    v, u, half = frame.below_chin, frame.across, frame.half_width
    regions = np.full((size, size), BACKGROUND)
    regions[(v > 0.22) & (np.abs(u) < 1.1)] = CLOTHING
    regions[(np.abs(u) < 0.6 * half) & (v > -0.3) & (v < 0.3)] = SKIN
    skull = (u / (1.12 * half)) ** 2 + ((v + 0.72) / 0.62) ** 2 < 1
    regions[skull & (v < -0.3)] = SKIN if hair is None else HAIR
    if long:
        regions[(np.abs(u) < 1.35 * half) & (np.abs(u) > 0.55 * half) & (v > -0.8) & (v < 0.35)] = HAIR
    regions[frame.oval & ((v > -0.93) | (hair is None))] = SKIN
    if beard:
        regions[frame.oval & (v > -0.3) & (np.abs(u) < 0.8 * half) & ~frame.inside(LIPS)] = BEARD
    return DrawnHead(_painted(frame, regions, hair), regions, points)


def _painted(frame: Frame, regions: np.ndarray, hair) -> np.ndarray:
    random = np.random.default_rng(0)
    colours = COLOURS | {HAIR: hair or (0, 0, 0)}
    picture = np.array([colours[region] for region in range(5)])[regions]
    for outline in BROWS:
        picture[frame.inside(outline)] = BROW
    picture[frame.inside(LIPS)] = LIP
    for outline in EYES:
        picture[frame.inside(outline)] = EYE
    picture = picture * (1 - 0.35 * frame.across)[..., None]  # lit from the photo's left
    strands = ndimage.gaussian_filter1d(random.normal(size=regions.shape), 6, axis=0) * np.isin(regions, (HAIR, BEARD))
    noise = 0.15 * strands[..., None] + random.normal(0, 0.012, picture.shape)
    soft = ndimage.gaussian_filter(picture + noise, (1, 1, 0))
    return (np.clip(soft, 0, 1) * 255 + 0.5).astype(np.uint8)
