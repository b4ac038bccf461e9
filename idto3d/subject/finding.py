"""Finding the person in a photo: the largest face that the landmark network confirms, turned or small as it may be.

An encoder's detector takes badges and buttons for faces once in a while, above all where a real face is covered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from idto3d.subject.face import Box, Face, IdentityEncoder, moved_box, scaled_box
from idto3d.subject.landmarks import FIRST, SIDE, LandmarkReader, Landmarks

# Faces in six pictures, dark, blurred, noisy, turned by 30 degrees: 0.976 and more; what dlib found beside them, badges
# and folds: 0.0001 and less; coins and a cat at much lower scores of dlib's: up to 0.63, where they bear no portrait.
CONFIRMED = 0.9
CERTAIN = 0.99  # a photo in which a face is as sure as this is not turned to look for a surer one
TILE, OVERLAP = 1024, 192  # side of the parts in which small faces are searched, and what neighbours share, pixels
SEARCHED, LARGER = 6e6, 2.0  # pixels of the picture that is searched in parts; how far it may be enlarged to have them
FLAT = 4.0  # standard deviation of the grey levels of a part in which no face can be


@dataclass(frozen=True, eq=False)
class Found:
    """A confirmed `face` in `pixels` [H, W, 3] uint8, which are the photo, turned left by 90 degrees `turns` times.

    others: where smaller faces are that are confirmed as well.
    """

    pixels: np.ndarray
    face: Face
    landmarks: Landmarks
    turns: int = 0
    others: tuple[Box, ...] = ()

    def moved(self, pixels: np.ndarray, x: float, y: float) -> "Found":
        """It in `pixels` that begin so many pixels further left and higher."""
        others = tuple(moved_box(box, x, y) for box in self.others)
        return replace(
            self, pixels=pixels, face=self.face.moved(x, y), landmarks=self.landmarks.moved(x, y), others=others
        )

    def scaled(self, pixels: np.ndarray, factor: float) -> "Found":
        """It in `pixels` that are `factor` times as large."""
        others = tuple(scaled_box(box, factor) for box in self.others)
        return replace(
            self, pixels=pixels, face=self.face.scaled(factor), landmarks=self.landmarks.scaled(factor), others=others
        )


def find_person(pixels: np.ndarray, encoder: IdentityEncoder, reader: LandmarkReader) -> Found | None:
    """The person in `pixels` [H, W, 3] uint8 sRGB as they are or, where that is not certain, turned; None without."""
    best = None
    if pixels.std() < FLAT:
        return None
    for turns in range(4):
        turned = np.ascontiguousarray(np.rot90(pixels, turns))
        found = confirmed(turned, encoder.embed(turned, once=turns > 0), reader)
        if found and (best is None or found.landmarks.presence > best.landmarks.presence):
            best = replace(found, turns=turns)
        if best and best.landmarks.presence >= CERTAIN:
            break
    return best


def find_small(pixels: np.ndarray, encoder: IdentityEncoder, reader: LandmarkReader) -> Found | None:
    """The same, upright, from parts of 1024 pixels, in which faces too small for the whole picture are found.

    The whole has six megapixels then: more would take too long. Faces of 80 pixels in it, and larger ones, are found.
    """
    scale = min((SEARCHED / (pixels.shape[0] * pixels.shape[1])) ** 0.5, LARGER)
    faces = [
        face.moved(left, top).scaled(1 / scale)
        for left, top, part in _parts(_resized(pixels, scale))
        if part.mean(-1).std() > FLAT
        for face in encoder.embed(np.ascontiguousarray(part), once=True)
    ]
    return confirmed(pixels, _once(faces), reader)


def enlarged(found: Found, whole: np.ndarray, reader: LandmarkReader) -> Found:
    """What was found in a photo, in that photo at more pixels, `whole` [H, W, 3] uint8, not turned.

    The landmarks are read again where the network's picture had more pixels than the photo before.
    """
    pixels = np.ascontiguousarray(np.rot90(whole, found.turns))
    large, blurry = found.scaled(pixels, pixels.shape[1] / found.pixels.shape[1]), FIRST * found.face.side < SIDE
    return replace(large, landmarks=reader.read(pixels, large.face)) if blurry else large


def confirmed(pixels: np.ndarray, faces: Sequence[Face], reader: LandmarkReader) -> Found | None:
    """The largest of `faces` that is one, the first of equals."""
    read = [(face, reader.read(pixels, face)) for face in sorted(faces, key=lambda face: -face.side)]
    sure = [(face, landmarks) for face, landmarks in read if landmarks.presence >= CONFIRMED]
    if not sure:
        return None
    beside = _once([face for face, _ in sure])[1:]  # a face may be seen twice
    return Found(pixels, *sure[0], others=tuple(face.box for face in beside))


def _resized(pixels: np.ndarray, scale: float) -> np.ndarray:
    height, width = (max(round(length * scale), 1) for length in pixels.shape[:2])
    return np.array(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def _parts(pixels: np.ndarray) -> Iterator[tuple[int, int, np.ndarray]]:
    """Left, top and pixels of overlapping squares that cover `pixels`."""
    for top in _starts(pixels.shape[0]):
        for left in _starts(pixels.shape[1]):
            yield left, top, pixels[top : top + TILE, left : left + TILE]


def _starts(length: int) -> list[int]:
    count = max(-(-(length - OVERLAP) // (TILE - OVERLAP)), 1)
    return [round(number * max(length - TILE, 0) / max(count - 1, 1)) for number in range(count)]


def _once(faces: Sequence[Face]) -> list[Face]:
    """`faces` without those that were seen twice, as by two parts, the largest first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.side):
        if all(np.linalg.norm(face.landmarks[2] - other.landmarks[2]) > other.side / 2 for other in kept):
            kept.append(face)
    return kept
