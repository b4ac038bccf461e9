"""What an identity encoder is: pixels in, faces with unit embeddings out."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

Box = tuple[float, float, float, float]  # left, top, right, bottom


def moved_box(box: Box, x: float, y: float) -> Box:
    """A box in a picture that begins so many pixels further left and higher."""
    left, top, right, bottom = box
    return left + x, top + y, right + x, bottom + y


def scaled_box(box: Box, factor: float) -> Box:
    """A box in a picture that is `factor` times as large."""
    left, top, right, bottom = (edge * factor for edge in box)
    return left, top, right, bottom


@dataclass(frozen=True, eq=False)
class Face:
    """One face of a photo; all positions in that photo's pixels.

    box: may reach past the photo's edge.
    landmarks: [5, 2] float32 (x, y). Rows 0, 1, 2 are the eye on the photo's left, the eye on its right and the nose;
        rows 3, 4 are the encoder's own (dlib: outer eye corners; insightface: mouth corners).
    embedding: [D] float32, length 1.
    """

    box: Box
    landmarks: np.ndarray
    embedding: np.ndarray

    @property
    def side(self) -> float:
        """The shorter side of the box, pixels."""
        left, top, right, bottom = self.box
        return min(right - left, bottom - top)

    def moved(self, x: float, y: float) -> "Face":
        """It in a picture that begins so many pixels further left and higher."""
        return replace(self, box=moved_box(self.box, x, y), landmarks=self.landmarks + np.array([x, y], np.float32))

    def scaled(self, factor: float) -> "Face":
        """It in a picture that is `factor` times as large."""
        marks = (self.landmarks + 0.5) * factor - 0.5  # of the encoders, 0 is the centre of the first pixel
        return replace(self, box=scaled_box(self.box, factor), landmarks=marks.astype(np.float32))


class IdentityEncoder(Protocol):
    """Finds faces and measures whose they are.

    border: distance between recognition parts beyond which two photos more likely show two people than one.
    notice: what a user must be told about the encoder's licence; empty when nothing.
    One encoder serves one thread at a time.
    """

    name: str
    dimension: int
    border: float
    notice: str

    def embed(self, pixels: np.ndarray, once: bool = False) -> list[Face]:
        """Every face in `pixels` [H, W, 3] uint8 sRGB, the surest first; an empty list when there is none.

        once: the picture is looked at a single time, where an encoder would otherwise try harder to find a face.
        """
        ...

    def traits(self, pixels: np.ndarray, face: Face) -> dict[str, dict[str, float]]:
        """For attributes of a face found in `pixels`, the chance of each of its words; empty where none is known."""
        ...

    def recognition(self, embeddings: np.ndarray) -> np.ndarray:
        """The unit part [..., R] of `embeddings` [..., D] by which it is judged whether two photos show one person."""
        ...


def check_pixels(pixels: np.ndarray) -> np.ndarray:
    """`pixels` [H, W, 3] uint8 as a contiguous array. Raises ValueError for another shape or type."""
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(f"pixels must be [H, W, 3] uint8, got {list(pixels.shape)} {pixels.dtype}")
    return np.ascontiguousarray(pixels)
