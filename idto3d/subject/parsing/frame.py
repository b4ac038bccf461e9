"""Where things lie around a face, told from its landmarks alone, on the grid of a square picture of the head.

Point numbers are those of MediaPipe's face mesh. Lengths are in face heights: from the chin to the top of the forehead.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask

CHIN, TOP, NOSE_BASE, LOWER_LIP, UPPER_LIP = 152, 10, 2, 17, 0
SIDES = (234, 454)  # in front of the ear on the photo's left, and on its right
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
MOUTH = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
EYES = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))
IRISES = ((468, 469, 470, 471, 472), (473, 474, 475, 476, 477))  # the centre first
WIDE = 1.25  # a face at least this many times as high as it looks wide: one that is seen from above is no smaller
EAR_BEHIND = 0.12  # an ear's middle beside the point in front of it, in half widths of the face
SIDE, RAISED = 2.3, 0.12  # of the square around the head, and how far its centre lies above the face's


@dataclass(frozen=True, eq=False)
class Frame:
    """A face on the grid of a picture of `size` x `size` pixels.

    points: [478, 2], the landmarks in the picture's pixels (0.5 is the centre of the first).
    """

    points: np.ndarray
    size: int

    @cached_property
    def up(self) -> np.ndarray:
        """[2]: the direction from the chin to the forehead."""
        return _direction(self.points[CHIN], self.points[TOP])

    @cached_property
    def height(self) -> float:
        """Height of the face, pixels."""
        return face_height(self.points)

    @cached_property
    def pixels(self) -> np.ndarray:
        """[size, size, 2]: where the pixels' centres lie, x and y."""
        return np.stack(np.meshgrid(*[np.arange(self.size) + 0.5] * 2), -1)

    def down(self, place: np.ndarray) -> np.ndarray:
        """How far each `place` [..., 2] lies below the chin, face heights; the top of the forehead is near -1."""
        return (self.points[CHIN] - place) @ self.up / self.height

    @cached_property
    def below_chin(self) -> np.ndarray:
        """[size, size]: `down` of each pixel."""
        return self.down(self.pixels)

    @cached_property
    def across(self) -> np.ndarray:
        """[size, size]: how far each pixel lies right of the middle of the face in the photo, face heights."""
        right = np.array([-self.up[1], self.up[0]])
        return (self.pixels - self.points[list(SIDES)].mean(0)) @ right / self.height

    @cached_property
    def half_width(self) -> float:
        """Half the width of the face as it looks, face heights."""
        return float(np.linalg.norm(np.subtract(*self.points[list(SIDES)]))) / 2 / self.height

    @cached_property
    def brow_line(self) -> float:
        """`down` of the brows."""
        return float(self.down(self.points[list(BROWS[0] + BROWS[1])]).mean())

    def level(self, point: int) -> float:
        """`down` of one landmark."""
        return float(self.down(self.points[point]))

    def inside(self, outline: tuple[int, ...]) -> np.ndarray:
        """[size, size] bool: the pixels within the polygon of the landmarks `outline`."""
        return polygon2mask((self.size, self.size), self.points[list(outline)][:, ::-1] - 0.5)

    @cached_property
    def oval(self) -> np.ndarray:
        """[size, size] bool: the face as the landmarks outline it."""
        return self.inside(OVAL)

    @cached_property
    def outside(self) -> np.ndarray:
        """[size, size]: distance to the oval's outline, face heights; negative within."""
        edt = ndimage.distance_transform_edt
        return (edt(~self.oval) - edt(self.oval)) / self.height

    @cached_property
    def features(self) -> np.ndarray:
        """[size, size] bool: eyes, brows and lips, a little widened."""
        drawn = np.any([self.inside(outline) for outline in (*EYES, *BROWS, LIPS)], 0)
        return ndimage.binary_dilation(drawn, iterations=max(round(0.035 * self.height), 1))

    def ear(self, side: int, wide: float, high: float) -> np.ndarray:
        """[size, size], 0..1: a soft spot, `wide` and `high` face heights, where the ear behind one of SIDES may be."""
        middle = self.points[list(SIDES)].mean(0)
        apart = (self.pixels - self.points[side] - EAR_BEHIND * (self.points[side] - middle)) / self.height
        along, over = apart @ np.array([-self.up[1], self.up[0]]), apart @ self.up
        return np.exp(-((along / wide) ** 2) - (over / high) ** 2)


def face_height(points: np.ndarray) -> float:
    """Height of the face that `points` [478, 2 or more] outline, their unit; at least WIDE times its width."""
    high = np.linalg.norm(points[CHIN, :2] - points[TOP, :2])
    wide = np.linalg.norm(np.subtract(*points[list(SIDES), :2]))
    return float(max(high, WIDE * wide, 1e-3))


def head_box(points: np.ndarray) -> tuple[float, float, float]:
    """Left, top and side of the square around the head whose landmarks are `points` [478, 2 or more], their unit."""
    height, flat = face_height(points), np.asarray(points, np.float64)[:, :2]
    centre = (flat[CHIN] + flat[TOP]) / 2 + RAISED * height * _direction(flat[CHIN], flat[TOP])
    left, top = centre - SIDE * height / 2
    return float(left), float(top), SIDE * height


def _direction(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    apart = np.subtract(end, start, dtype=np.float64)
    length = float(np.linalg.norm(apart))
    return apart / length if length > 1e-6 else np.array([0.0, -1.0])
