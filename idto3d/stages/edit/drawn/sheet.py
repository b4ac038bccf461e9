"""A sheet that is wrapped around the front of the mean head, on which patterns are drawn. Metres.

A place on it is how far around the head it lies, towards the person's left, and its height.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, map_coordinates

from idto3d.head.template import MOUTH_SOCKET
from idto3d.stages.edit.paint.place import Place

RADIUS = 0.095  # of the sheet
LOW, HIGH = (-0.150, -0.175), (0.150, 0.145)
PIXEL, FINER = 0.00025, 2  # of the sheet, and how many times finer outlines are drawn
BEHIND = (-0.030, -0.010)  # depth between which the sheet ends
SIDE = tuple(round((high - low) / PIXEL) for low, high in zip(LOW, HIGH, strict=True))  # width and height, pixels

Points = Sequence[Sequence[float]] | np.ndarray


def around(points: np.ndarray) -> np.ndarray:
    """[N, 2] where `points` [N, 3] of the mean head lie on the sheet."""
    return np.stack([RADIUS * np.arctan2(points[:, 0], points[:, 2]), points[:, 1]], -1)


@dataclass(frozen=True, eq=False)
class Layer:
    """Something in one colour: share [H, W] float32 0..1 of the sheet's pixels; paint: the name of its colour, "" for
    the one that is asked for.
    """

    share: np.ndarray
    paint: str = ""


@dataclass(frozen=True, eq=False)
class Spot:
    """Where a pattern goes: its middle on the sheet, half its size, and the side of the face, 1 the person's left.

    marks: [68, 2] the face's landmarks on the sheet. random: what makes no two alike.
    """

    middle: np.ndarray
    half: float
    side: int
    form: str
    marks: np.ndarray
    random: np.random.Generator


def filled(*outlines: Points) -> np.ndarray:
    """[H, W] 0..1 the insides of outlines, in metres."""
    picture = Image.new("L", (SIDE[0] * FINER, SIDE[1] * FINER))
    pen = ImageDraw.Draw(picture)
    for outline in outlines:
        pen.polygon([tuple(one) for one in _pixels(np.asarray(outline, float)) * FINER], fill=255)
    small = picture.resize(SIDE, Image.Resampling.BOX)
    return np.asarray(small, np.float32) / 255


def stroked(line: Points, half: float, taper: float = 0.0) -> np.ndarray:
    """The outline [P, 2] of a brush of `half` its width along a line [K, 2], metres; taper 1: pointed at both ends."""
    line = np.asarray(line, float)
    way = np.gradient(line, axis=0)
    across = np.stack([-way[:, 1], way[:, 0]], -1) / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
    along = np.linspace(0, 1, len(line))
    wide = half * (1 - taper + taper * np.sin(np.pi * along) ** 0.8)[:, None]
    return np.concatenate([line + wide * across, (line - wide * across)[::-1]])


def bent(start: Sequence[float], past: Sequence[float], end: Sequence[float], count: int = 24) -> np.ndarray:
    """[count, 2] a bend from `start` to `end`, drawn towards `past`."""
    t = np.linspace(0, 1, count)[:, None]
    a, b, c = (np.array(one, float) for one in (start, past, end))
    return (1 - t) ** 2 * a + 2 * t * (1 - t) * b + t**2 * c


def disc(middle: Sequence[float], radius: float, tall: float = 1.0) -> np.ndarray:
    """[64, 2] a circle, or an ellipse that is `tall` times as high as it is wide."""
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    return np.array(middle) + radius * np.stack([np.cos(turn), tall * np.sin(turn)], -1)


def noise(random: np.random.Generator, size: float) -> np.ndarray:
    """[H, W] smooth noise of about unit deviation, of patches `size` metres wide."""
    rough = random.standard_normal((SIDE[1] // 4, SIDE[0] // 4)).astype(np.float32)
    smooth = gaussian_filter(rough, size / PIXEL / 4)
    return np.asarray(Image.fromarray(smooth / smooth.std()).resize(SIDE, Image.Resampling.BICUBIC))


def grid() -> tuple[np.ndarray, np.ndarray]:
    """How far around, and how high, each of the sheet's pixels lies, metres, [H, W] each."""
    columns, rows = np.meshgrid(np.arange(SIDE[0]) + 0.5, np.arange(SIDE[1]) + 0.5)
    return LOW[0] + PIXEL * columns, HIGH[1] - PIXEL * rows


def wrapped(sheet: np.ndarray, place: Place) -> np.ndarray:
    """[N] a sheet [H, W] at the texels of the skin; 0 where it does not lie."""
    texels = place.texels
    front = np.clip((place.mean[:, 2] - BEHIND[0]) / (BEHIND[1] - BEHIND[0]), 0, 1)
    front[MOUTH_SOCKET.start : MOUTH_SOCKET.stop] = 0
    pixels = _pixels(around(texels.read(place.mean)))
    return map_coordinates(sheet, pixels[:, ::-1].T - 0.5, order=1, mode="nearest") * place.at(front)


def _pixels(points: np.ndarray) -> np.ndarray:
    """[N, 2] (x, y) on the sheet's picture of places [N, 2] on the sheet."""
    return np.stack([(points[:, 0] - LOW[0]) / PIXEL, (HIGH[1] - points[:, 1]) / PIXEL], -1)
