"""478 points of a face, how sure it is one, and how strongly it shows each of Apple's expressions.

The networks are those of MediaPipe's Face Landmarker, converted (`training.convert.landmarks`). As its tracking does,
a face is looked at twice: in the square that its eyes and nose suggest, and in the one around the points found there.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from idto3d.subject.face import Face
from idto3d.subject.face_points import CORNERS, EXPRESSIVE, FACE, POINTS
from idto3d.subject.graph.graph_net import load_graphs
from idto3d.subject.square import Square, cut_square

SIDE = 256  # of the picture the network takes, pixels
AROUND = 1.5  # side of that picture in sides of the box around the points, as the networks were trained
FIRST = 1.75  # side of the first square in sides of the box an encoder draws, which leaves out the forehead


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Where a face lies in a photo.

    points: [478, 3] float32: x right, y down in the photo's pixels (0.5 is the centre of the first), z in the same
        unit, smaller nearer the camera. presence: 0..1, the chance that there is a face, as the surer look
        has it. expression: [51] float32, 0..1, in the order of BLENDSHAPES; left and right are the person's own.
    """

    points: np.ndarray
    presence: float
    expression: np.ndarray

    def moved(self, x: float, y: float) -> "Landmarks":
        """They in a picture that begins so many pixels further left and higher."""
        return replace(self, points=self.points + np.array([x, y, 0], np.float32))

    def scaled(self, factor: float) -> "Landmarks":
        """They in a picture that is `factor` times as large."""
        return replace(self, points=self.points * np.float32(factor))


class LandmarkReader:
    """Holds the networks that find points and tell expressions. Loading takes 0.1 s, reading a face 0.1 s."""

    def __init__(self, path: str | Path):
        """`path` is landmarks.safetensors of a bundle. Raises UserError."""
        networks = load_graphs(path, ("points", "expression"))
        self._points, self._expression = networks["points"], networks["expression"]

    def read(self, pixels: np.ndarray, face: Face) -> Landmarks:
        """The landmarks of a `face` that an encoder found in `pixels` [H, W, 3] uint8 sRGB."""
        first, sure = self._look(pixels, first_square(face))
        points, surer = self._look(pixels, square_around(first))
        return Landmarks(points, max(sure, surer), self._told(points))

    def follow(self, pixels: np.ndarray, before: Landmarks) -> Landmarks:
        """The landmarks in the next picture of a clip, in which the face is near where it was `before`. Takes half."""
        points, sure = self._look(pixels, square_around(before.points))
        return Landmarks(points, sure, self._told(points))

    @torch.inference_mode()
    def _look(self, pixels: np.ndarray, square: Square) -> tuple[np.ndarray, float]:
        """The points in the photo, as seen in one square of it, and the presence."""
        crop = torch.from_numpy(cut_square(pixels, square, SIDE)).float()[None] / 255
        places, presence = self._points(crop)
        return square.to_photo(places.reshape(POINTS, 3).numpy() / SIDE), float(torch.sigmoid(presence))

    @torch.inference_mode()
    def _told(self, points: np.ndarray) -> np.ndarray:
        """The expression that `points` show: the network centres them and divides by their mean distance itself."""
        (weights,) = self._expression(torch.from_numpy(points[None, list(EXPRESSIVE), :2]))
        return weights[1:].numpy()


def first_square(face: Face) -> Square:
    """The square to look in first: 1.75 times the box of the face, turned so that its eyes are level."""
    left, top, right, bottom = face.box
    centre = np.array([left + right, top + bottom]) / 2
    return Square(centre, FIRST * max(right - left, bottom - top) * _along(*face.landmarks[:2]))


def square_around(points: np.ndarray) -> Square:
    """The square 1.5 times as large as the box around the face of `points` [478, 3], turned so that its eyes are level.

    The irises are left out: behind closed lids the network may put them anywhere.
    """
    along = _along(*points[list(CORNERS), :2])
    axes = np.stack([along, [-along[1], along[0]]])  # rows: right and down in the square
    turned = points[:FACE, :2] @ axes.T
    low, high = turned.min(0), turned.max(0)
    return Square((low + high) / 2 @ axes, AROUND * float((high - low).max()) * along)


def _along(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The direction [2] of length 1 from one point [2] to another; to the right where they are one."""
    apart = np.subtract(right, left, dtype=np.float64)
    length = float(np.linalg.norm(apart))
    return apart / length if length > 1e-6 else np.array([1.0, 0.0])
