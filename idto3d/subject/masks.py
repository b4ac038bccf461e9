"""Which region each pixel around a head belongs to: background, skin, hair, beard, glasses, mouth, clothing.

The person's matte tells the person from the rest, landmarks tell where the face is; what lies around it is told apart
by place, colour and grain, which teach each other (`parsing.split`), with borders that follow the photo's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.draw import polygon2mask

from idto3d.subject.face import Box
from idto3d.subject.graph.graph_net import GraphNet
from idto3d.subject.matte import person_matte
from idto3d.subject.parsing.covers import dark_glasses
from idto3d.subject.parsing.frame import MOUTH, Frame, face_height, head_box
from idto3d.subject.parsing.glasses import frame_of_glasses
from idto3d.subject.parsing.guided import guided
from idto3d.subject.parsing.priors import ramp, within
from idto3d.subject.parsing.split import others_hair, set_scene, split_person
from idto3d.subject.square import Square, cut_square

REGIONS = ("background", "skin", "hair", "beard", "glasses", "mouth", "clothing")
SIZE = 256  # of the masks, pixels
BOX = 0.8  # side of a box that an encoder draws around a face, face heights
NEARER, HEAD = (0.5, 0.65), (1.1, 1.3)  # distance to another face against its own; how far a head reaches
RADIUS, EVEN = 4, 2e-4  # of the filter that lays borders along the photo's: pixels, variance of sRGB 0..1
FINER = 4  # outlines are drawn this many times finer, for soft borders


@dataclass(frozen=True, eq=False)
class Masks:
    """Shares of REGIONS in a square of a photo.

    box: left, top and side of the square in the photo's pixels; it may reach past the edge.
    shares: [7, S, S] float32, 0..1, in the order of REGIONS; they sum to 1. Past the photo's edge all is background.
    """

    box: tuple[float, float, float]
    shares: np.ndarray

    def region(self, name: str) -> np.ndarray:
        """[S, S]: the share of one of REGIONS."""
        return self.shares[REGIONS.index(name)]

    @property
    def places(self) -> np.ndarray:
        """[S, S, 2] float64: where the masks' pixels lie in the photo, x and y."""
        size = self.shares.shape[-1]
        steps = (np.arange(size) + 0.5) / size * self.box[2]
        return np.stack(np.meshgrid(self.box[0] + steps, self.box[1] + steps), -1)

    def at(self, points: np.ndarray) -> np.ndarray:
        """Shares [N, 7] float32 at `points` [N, 2] of the photo, bilinear between pixels; background past the box."""
        size = self.shares.shape[-1]
        inside = (np.asarray(points, np.float64) - self.box[:2]) * size / self.box[2]
        shares = [ndimage.map_coordinates(s, inside[:, ::-1].T - 0.5, order=1, mode="nearest") for s in self.shares]
        beyond = ((inside < 0) | (inside > size)).any(1)
        shares = np.stack(shares, 1)
        shares[beyond] = np.eye(len(REGIONS))[REGIONS.index("background")]
        return shares


def find_masks(pixels: np.ndarray, points: np.ndarray, matte: GraphNet, others: Sequence[Box] = ()) -> Masks:
    """The Masks of the head in `pixels` [H, W, 3] uint8 sRGB whose face has the landmarks `points` [478, 2 or more].

    matte: the network of `matte.load_matte`. others: where other faces are in the photo; what is far nearer to one of
    them is background. Takes half a second.
    """
    left, top, side = box = head_box(points)
    square = Square(np.array([left, top]) + side / 2, np.array([side, 0.0]))
    empty = Masks(box, np.zeros((len(REGIONS), SIZE, SIZE), np.float32))
    seen = ((empty.places >= 0) & (empty.places <= pixels.shape[1::-1])).all(-1)
    picture = cut_square(pixels, square, SIZE) * seen[..., None]
    frame = Frame((points[:, :2] - [left, top]) * SIZE / side, SIZE)
    person = np.maximum(person_matte(matte, picture, (0, 0, SIZE)), within(frame))  # what has landmarks is a person
    person = person * seen * _own(empty.places, points, others)
    worn = np.maximum(frame_of_glasses(pixels, points, empty.places), dark_glasses(pixels, picture, points, frame))
    shares = _composed(_refined(picture, person, frame), worn, soft_outline(frame.points[list(MOUTH)], SIZE))
    return Masks(box, np.where(seen, shares, np.eye(len(REGIONS), dtype=np.float32)[0][:, None, None]))


def _own(places: np.ndarray, points: np.ndarray, others: Sequence[Box]) -> np.ndarray:
    """[S, S], 0..1: where `places` [S, S, 2] do not lie on the head of another face, in front of the one of `points`.

    Distances are in sizes of each face. Hair that hangs between two heads stays with the face of `points`.
    """
    away = np.linalg.norm(places - points[:, :2].mean(0), axis=-1) / (BOX * face_height(points))
    own = np.ones(away.shape)
    for left, top, right, bottom in others:
        centre = np.array([left + right, top + bottom]) / 2
        apart = np.linalg.norm(places - centre, axis=-1) / max(right - left, 1.0)
        own *= np.maximum(ramp(apart / away, *NEARER), ramp(apart, *HEAD))
    return own


def _refined(picture: np.ndarray, person: np.ndarray, frame: Frame) -> np.ndarray:
    """[5, S, S]: shares of background, then of SKIN, HAIR, CLOTHING and BEARD, with the borders of the `picture`."""
    rgb = picture.astype(np.float32) / 255
    scene = set_scene(rgb, person, Frame(frame.points / 2, SIZE // 2))
    coarse = split_person(scene) ** 2
    coarse /= coarse.sum(-1, keepdims=True)
    person = person * (1 - _doubled(others_hair(scene, coarse)[..., None])[..., 0])
    parts = _doubled(coarse)
    shares = np.concatenate([(1 - person)[..., None], parts * person[..., None]], -1)
    shares = np.clip(guided(rgb, shares.astype(np.float32), RADIUS, EVEN), 0, 1)
    return np.moveaxis(shares / shares.sum(-1, keepdims=True), -1, 0)


def _doubled(coarse: np.ndarray) -> np.ndarray:
    """`coarse` [H, W, C] as [2H, 2W, C], bilinear."""
    return ndimage.zoom(coarse, (2, 2, 1), order=1, grid_mode=True, mode="nearest")


def _composed(shares: np.ndarray, glasses: np.ndarray, mouth: np.ndarray) -> np.ndarray:
    """[7, S, S] in the order of REGIONS: glasses before the mouth, the mouth before all else."""
    background, skin, hair, clothing, beard = shares
    mouth = mouth * (1 - glasses)
    rest = 1 - glasses - mouth
    ordered = [background * rest, skin * rest, hair * rest, beard * rest, glasses, mouth, clothing * rest]
    return np.stack(ordered).astype(np.float32)


def soft_outline(outline: np.ndarray, size: int) -> np.ndarray:
    """[size, size], 0..1: how much of each pixel lies within the polygon `outline` [N, 2], in pixels."""
    fine = polygon2mask((size * FINER,) * 2, outline[:, ::-1] * FINER - 0.5).astype(np.float32)
    return fine.reshape(size, FINER, size, FINER).mean((1, 3))
