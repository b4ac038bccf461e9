"""How long and how thick hair is in a photo, by its region's outline; which style that fits, by the table of styles.

Of a face everything is measured on the mean head's scale: metres.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from idto3d.subject.masks import Masks
from idto3d.subject.parsing.frame import Frame
from idto3d.words.traits import STYLES, HairStyle

FACE_M, CHIN_M = 0.175, -0.076  # height of the mean head's face, and where its chin is
TOP_M, SIDE_M = 0.145, 0.079  # height of its crown, and half its width above the ears
MIDDLE, TEMPLES_M = 0.035, (0.045, 0.095)  # half the width of the strip in which the crown lies; heights of the temples
HALF = 0.5  # share of a region from which a pixel is in it
BESIDE_M = 0.055  # metres from the middle beyond which hair hangs beside the face and the neck
LEAST_M = 0.012  # width of hair on both sides from which it hangs there
EARS_M = -0.01  # how low hair reaches that does not hang
THICK, ROOM = (0.012, 0.5), 0.025  # how far a style's thickness may be off: metres, and shares of it; and its ends
FARTHEST = 3.0  # deviations beyond which one measure says no more: an outline can be wrong
EDGE_M = 0.004  # from the photo's edge, nearer to which hair is cut off
TIED = 0.15
TRUSTED = 0.5  # power of the encoder's chances, which on real photos is surer than it is right
SCALP_M = 0.035  # above the forehead; hair that is not as high is none


@dataclass(frozen=True)
class HairShape:
    """crown, sides: metres that hair is thick on top and at the temples; ends: height to which it hangs down.

    None is what the photo does not show, because it is cut off. tall: whether it cuts off hair above `crown`.
    """

    crown: float | None
    sides: float | None
    ends: float
    tall: bool = False


def hair_shape(masks: Masks, points: np.ndarray, frame: tuple[float, float, float, float]) -> HairShape:
    """The shape of the hair in a photo whose `frame` (left, top, width, height) has the landmarks `points` [478, 2]."""
    size = masks.shares.shape[-1]
    face = Frame((np.asarray(points, np.float64)[:, :2] - masks.box[:2]) * size / masks.box[2], size)
    high, across = CHIN_M - FACE_M * face.below_chin, FACE_M * face.across
    left, top, width, height = frame
    places = masks.places
    shown = ((places > [left, top]) & (places < [left + width, top + height])).all(-1)
    hair = (masks.region("hair") > HALF) & shown
    crown, tall = _crown(hair, high, across, shown)
    return HairShape(crown, _sides(hair, high, across, shown), _ends(hair, high, across), tall)


def _crown(hair: np.ndarray, high: np.ndarray, across: np.ndarray, shown: np.ndarray) -> tuple[float | None, bool]:
    """How thick hair is on top, and whether the photo's edge cuts it off there."""
    strip = np.abs(across) < MIDDLE
    room = float(high[shown & strip].max(initial=CHIN_M))
    if not (hair & strip).any():
        return (None if room < TOP_M - SCALP_M else -SCALP_M), False
    tallest = float(np.quantile(high[hair & strip], 0.995))
    return tallest - TOP_M, tallest > room - EDGE_M


def _sides(hair: np.ndarray, high: np.ndarray, across: np.ndarray, shown: np.ndarray) -> float | None:
    rows = (high > TEMPLES_M[0]) & (high < TEMPLES_M[1])
    found = []
    for side in (-1, 1):
        own = rows & (side * across > 0)
        reach = np.abs(across[own & hair])
        room = np.abs(across[own & shown]).max(initial=0.0)
        widest = float(np.quantile(reach, 0.95)) if len(reach) else 0.0
        if widest < room - EDGE_M:
            found.append(widest - SIDE_M)
    return float(np.mean(found)) if found else None


def _ends(hair: np.ndarray, high: np.ndarray, across: np.ndarray) -> float:
    """The lowest height at which hair is LEAST_M wide beside the face; EARS_M where it does not hang."""
    pixel = float(np.abs(np.diff(across, axis=1)).mean())
    beside = hair & (np.abs(across) > BESIDE_M)
    levels = np.arange(EARS_M, CHIN_M - FACE_M, -0.005)
    wide = [pixel * (beside & (np.abs(high - level) < pixel / 2)).sum() for level in levels]
    hangs = np.flatnonzero(np.array(wide) > LEAST_M)
    if not len(hangs) or hangs[0] > 2:
        return EARS_M
    return float(levels[hangs[-1]])


def fitted(chances: Mapping[str, float], shape: HairShape) -> dict[str, float] | None:
    """The `chances` of the words for styles after what the hair's `shape` says of each; None where it says nothing.

    What is tied behind a head no outline shows, so that such a style is seldom a good guess.
    """
    if shape.crown is None and shape.sides is None:
        return None
    fits = {word: chance**TRUSTED * _likeness(STYLES[word], shape) for word, chance in chances.items()}
    fits = {word: fit * (TIED if STYLES[word].tied else 1) for word, fit in fits.items()}
    total = sum(fits.values())
    return {word: fit / total for word, fit in fits.items()} if total else dict(chances)


def _likeness(style: HairStyle, shape: HairShape) -> float:
    """How well a shape goes with a style, up to 1."""
    usual = style.crown_m if style.grows else -SCALP_M
    crown = max(shape.crown, usual) if shape.tall and shape.crown is not None else shape.crown
    ends = EARS_M if style.ends_m is None else style.ends_m
    pairs = (
        (crown, usual, THICK[0] + THICK[1] * style.crown_m),
        (shape.sides, style.sides_m, THICK[0] + THICK[1] * style.sides_m),
        (shape.ends, ends, ROOM),
    )
    off = [min(abs(seen - wanted) / spread, FARTHEST) for seen, wanted, spread in pairs if seen is not None]
    return float(np.exp(-0.5 * np.sum(np.square(off))))
