"""Identity by dlib's ResNet: 128 numbers, models in the public domain (CC0), works offline."""

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from idto3d.errors import UserError
from idto3d.subject.face import Face, check_pixels
from idto3d.subject.similarity import unit

INSTALL = "Run: pip install dlib-bin face_recognition_models."
SEARCH_SIDE = 1024  # long side at which faces are searched
SURE = 0.2  # detector score below which a face counts only when there is no better: such are mostly phantoms
CHIP_SIZE, CHIP_PADDING = 150, 0.25  # the alignment the network was trained with

Box = tuple[float, float, float, float]


class DlibEncoder:
    """Holds dlib's face detector, 5-point predictor and recognition network. Loading takes 0.4 s."""

    name = "dlib"
    dimension = 128
    border = 0.42  # 0.6 on dlib's raw embeddings, whose length is about 1.43
    notice = ""

    def __init__(self):
        """Raises UserError when dlib or its models are not installed."""
        self._dlib = _import_dlib()
        self._detector = self._dlib.get_frontal_face_detector()
        self._predictor = self._dlib.shape_predictor(_model_file("shape_predictor_5_face_landmarks.dat"))
        self._network = self._dlib.face_recognition_model_v1(_model_file("dlib_face_recognition_resnet_model_v1.dat"))

    def embed(self, pixels: np.ndarray, once: bool = False) -> list[Face]:
        """Every roughly frontal face in `pixels` [H, W, 3] uint8 sRGB, the surest first.

        once: faces of at least 80 of 1024 pixels are found, and no others.
        """
        pixels = check_pixels(pixels)
        return [self.embed_box(pixels, box) for box in (self._glance(pixels) if once else self._find(pixels))]

    def traits(self, pixels: np.ndarray, face: Face) -> dict[str, dict[str, float]]:
        """Nothing: this network only recognises."""
        return {}

    def recognition(self, embeddings: np.ndarray) -> np.ndarray:
        """`embeddings` [..., 128]: all of it recognises."""
        return embeddings

    def embed_box(self, pixels: np.ndarray, box: Box) -> Face:
        """The face whose rectangle (left, top, right, bottom) in `pixels` [H, W, 3] uint8 sRGB is already known.

        The rectangle is square and reaches from the brows to the chin, as dlib's own detector draws it.
        """
        pixels = check_pixels(pixels)
        parts = self._parts(pixels, box)
        embedding = self._describe([self._chip(pixels, parts)])[0]
        return Face(box, _landmarks(parts), embedding)

    def embed_batch(self, images: Sequence[np.ndarray], boxes: Sequence[Box]) -> np.ndarray:
        """Unit embeddings [n, 128] float32 of one known face rectangle in each of n images [H, W, 3] uint8 sRGB."""
        if len(images) != len(boxes):
            raise ValueError(f"embed_batch needs one box per image, got {len(images)} images and {len(boxes)} boxes")
        if not len(images):
            return np.zeros((0, self.dimension), np.float32)
        images = [check_pixels(pixels) for pixels in images]
        chips = [self._chip(pixels, self._parts(pixels, box)) for pixels, box in zip(images, boxes, strict=True)]
        return self._describe(chips)

    def _find(self, pixels: np.ndarray) -> list[Box]:
        """Face rectangles in photo pixels: searched as is, then enlarged (small faces), then padded (tight crops)."""
        small, scale = _shrink(pixels)
        doubtful = self._detect(small, 0)
        if found := _sure(doubtful) or _sure(self._detect(small, 1)):
            return [_moved(box, 0, scale) for box in found]
        margin = max(small.shape[:2]) // 4
        padded = np.pad(small, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
        if found := _sure(self._detect(padded, 0)):
            return [_moved(box, margin, scale) for box in found]
        return [_moved(box, 0, scale) for box in doubtful]

    def _glance(self, pixels: np.ndarray) -> list[Box]:
        """Face rectangles in photo pixels, of a single look; the doubtful ones where none is sure."""
        small, scale = _shrink(pixels)
        found = self._detect(small, int(2 * max(small.shape) <= SEARCH_SIDE))
        return [_moved(box, 0, scale) for box in _sure(found) or found]

    def _detect(self, pixels: np.ndarray, enlargements: int) -> dict[Box, float]:
        """Rectangles found in `pixels` after doubling them `enlargements` times, and scores; the surest first."""
        rectangles, scores, _ = self._detector.run(pixels, enlargements, 0.0)
        return {(r.left(), r.top(), r.right(), r.bottom()): score for r, score in zip(rectangles, scores, strict=True)}

    def _parts(self, pixels: np.ndarray, box: Box):
        return self._predictor(pixels, self._dlib.rectangle(*(round(edge) for edge in box)))

    def _chip(self, pixels: np.ndarray, parts) -> np.ndarray:
        return self._dlib.get_face_chip(pixels, parts, CHIP_SIZE, CHIP_PADDING)

    def _describe(self, chips: list[np.ndarray]) -> np.ndarray:
        return unit(np.array([np.asarray(vector) for vector in self._network.compute_face_descriptor(chips)]))


def _import_dlib():
    try:
        import dlib
    except ImportError as fault:
        raise UserError("The face encoder dlib is not installed.", INSTALL) from fault
    return dlib


def _model_file(name: str) -> str:
    """Path of a file of face_recognition_models, which is not imported: it needs the removed pkg_resources."""
    spec = importlib.util.find_spec("face_recognition_models")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "models" / name
        if path.is_file():
            return str(path)
    raise UserError(f"The face encoder's model {name} is not installed.", INSTALL)


def _shrink(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    """`pixels` with a long side of at most 1024, and the factor that brings its coordinates back."""
    height, width = pixels.shape[:2]
    scale = max(1.0, max(height, width) / SEARCH_SIDE)
    if scale == 1.0:
        return pixels, scale
    size = max(1, round(width / scale)), max(1, round(height / scale))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)), scale


def _sure(found: Mapping[Box, float]) -> list[Box]:
    """Those of the rectangles whose score is high enough."""
    return [box for box, score in found.items() if score >= SURE]


def _moved(box: Box, margin: float, scale: float) -> Box:
    left, top, right, bottom = ((edge - margin) * scale for edge in box)
    return left, top, right, bottom


def _landmarks(parts) -> np.ndarray:
    """[5, 2]: eye on the left, eye on the right, nose base, outer corner of the left one, of the right one.

    dlib gives the outer and inner corner of the eye on the right, the same of the eye on the left, and the nose base.
    """
    right_outer, right_inner, left_outer, left_inner, nose = (np.array([p.x, p.y], np.float32) for p in parts.parts())
    return np.stack([(left_outer + left_inner) / 2, (right_outer + right_inner) / 2, nose, left_outer, right_outer])
