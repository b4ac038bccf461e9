"""Turned squares of a photo, and the pictures cut from them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

LEAST = 1e-3  # side of the smallest square, pixels: marks on one spot must not divide by zero


@dataclass(frozen=True, eq=False)
class Square:
    """A square of a photo, in its pixels (0.5 is the centre of the first): its `centre` [2], and its upper edge.

    across: [2], the vector from its upper left to its upper right corner. It may reach past the photo.
    """

    centre: np.ndarray
    across: np.ndarray

    @property
    def side(self) -> float:
        return max(float(np.linalg.norm(self.across)), LEAST)

    @property
    def axes(self) -> np.ndarray:
        """[2, 2]: the vectors along its upper edge and down its left one, each as long as the side."""
        right, down = self.across
        return np.array([[right, down], [-down, right]], np.float64)

    def to_photo(self, points: np.ndarray) -> np.ndarray:
        """`points` [N, 2 or 3], from 0 to 1 across and down the square, in the photo, float32; z grows by the side."""
        flat = self.centre + (points[:, :2].astype(np.float64) - 0.5) @ self.axes
        return np.concatenate([flat, points[:, 2:] * self.side], 1).astype(np.float32)

    def from_photo(self, points: np.ndarray) -> np.ndarray:
        """Where `points` [N, 2] of the photo lie in the square, from 0 to 1 across and down, float64."""
        return (np.asarray(points, np.float64) - self.centre) @ np.linalg.inv(self.axes) + 0.5


def cut_square(pixels: np.ndarray, square: Square, size: int) -> np.ndarray:
    """The `square` of `pixels` [H, W, 3] uint8 as [size, size, 3]; past the photo its edge goes on."""
    part, corner = _surroundings(pixels, square)
    step, centre = square.axes / size, square.centre - corner  # step: photo pixels for one of the picture's
    image, factor = Image.fromarray(part), max(int(square.side / size), 1)
    if factor > 1:  # shrink first: the warp looks at four pixels only and would alias
        image, step, centre = image.reduce(factor), step / factor, centre / factor
    origin = centre - step.sum(0) * size / 2
    numbers = (step[0, 0], step[1, 0], origin[0], step[0, 1], step[1, 1], origin[1])
    return np.array(image.transform((size, size), Image.Transform.AFFINE, numbers, Image.Resampling.BILINEAR))


def _surroundings(pixels: np.ndarray, square: Square) -> tuple[np.ndarray, np.ndarray]:
    """The upright part of the photo around `square`, its edge carried on where it ends; and its corner [2] (x, y)."""
    half, size = abs(square.axes).sum(0) / 2, np.array(pixels.shape[1::-1])
    low, high = np.floor(square.centre - half).astype(int) - 2, np.ceil(square.centre + half).astype(int) + 2
    if (low >= 0).all() and (high <= size).all():  # as usual; the same in a third of the time
        return pixels[low[1] : high[1], low[0] : high[0]], low
    columns, rows = (np.arange(low[axis], high[axis]).clip(0, size[axis] - 1) for axis in (0, 1))
    return pixels[rows[:, None], columns], low
