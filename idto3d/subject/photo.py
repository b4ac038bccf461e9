"""One photo as evidence: the person's face in it, where its points lie, and how good the photo is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from idto3d.subject.face import Box, Face
from idto3d.subject.finding import Found
from idto3d.subject.landmarks import Landmarks
from idto3d.subject.quality import Quality, measure

if TYPE_CHECKING:
    from idto3d.subject.masks import Masks

KEPT_SIDE = 3072  # of a photo, pixels; of a larger one the part around the head is kept
Frame = tuple[float, float, float, float]  # left, top, width, height
AROUND = 5.0  # side of that part, in sides of the face: some 65 cm, so that long hair stays in it


@dataclass(frozen=True, eq=False)
class Photo:
    """What one usable photo gives.

    pixels: [H, W, 3] uint8 sRGB, upright; of a large photo the part around the head. frame: left, top, width and height
    of the whole photo in these pixels. Places of `face`, `landmarks` and `masks` are in these pixels too, and those of
    the faces of `others`. traits: for attributes that may be read from it, the chance of each word.
    """

    name: str
    pixels: np.ndarray
    face: Face
    landmarks: Landmarks
    masks: "Masks | None"
    quality: Quality
    frame: Frame
    traits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    others: tuple[Box, ...] = ()


def photo_of(name: str, found: Found) -> Photo:
    """The photo called `name`, as evidence, of the person that was found in it."""
    height, width = found.pixels.shape[:2]
    frame = (0.0, 0.0, float(width), float(height))
    if max(height, width) > KEPT_SIDE:
        found, frame = _shrunk(*_cut(found, frame))
    quality = measure(found.pixels, found.face, found.landmarks)
    return Photo(name, found.pixels, found.face, found.landmarks, None, quality, frame, others=found.others)


def _cut(found: Found, frame: Frame) -> tuple[Found, Frame]:
    """The part of a photo around its head."""
    left, top, right, bottom = found.face.box
    half = AROUND / 2 * max(right - left, bottom - top)
    size = np.array(found.pixels.shape[1::-1])
    centre = np.array([left + right, top + bottom]) / 2
    low = np.floor(centre - half).astype(int).clip(0, size - 1)
    high = np.ceil(centre + half).astype(int).clip(low + 1, size)
    x, y = (int(edge) for edge in low)
    pixels = found.pixels[y : high[1], x : high[0]].copy()  # the whole is not kept in memory
    return found.moved(pixels, -x, -y), (float(-x), float(-y), *frame[2:])


def _shrunk(found: Found, frame: Frame) -> tuple[Found, Frame]:
    """A photo with at most KEPT_SIDE pixels on its long side."""
    height, width = found.pixels.shape[:2]
    scale = KEPT_SIDE / max(height, width)
    if scale >= 1:
        return found, frame
    size = round(width * scale), round(height * scale)
    pixels = np.array(Image.fromarray(found.pixels).resize(size, Image.Resampling.LANCZOS))
    return found.scaled(pixels, scale), tuple(edge * scale for edge in frame)
