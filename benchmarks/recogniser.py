"""Recognisers that judge likeness: a face in, a unit embedding out; and how a face is cut out for ONNX files."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np

from idto3d.errors import UserError
from idto3d.subject.encoders import make_encoder, to_download
from idto3d.subject.face import Face, IdentityEncoder
from idto3d.subject.landmarks import Landmarks
from idto3d.subject.similarity import unit
from idto3d.subject.square import Square, cut_square

SIDE = 112  # of the picture a recogniser takes, pixels
# Where ArcFace's training put eyes, nose tip and mouth corners, left in the picture first; insightface/utils/
# face_align.py. There 0 is the centre of the first pixel, here 0.5.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
TEMPLATE += 0.5
# Of the 478 landmarks: the corners of either eye, whose middle holds still when the eyes turn or close; of the two
# points that are called the nose tip the one that fits the template better; the corners of the mouth.
EYES, NOSE, MOUTH = ((33, 133), (362, 263)), 4, (61, 291)
DLIB = ("dlib", "portrait")  # the encoders that recognise by dlib's network


class SeenFace(Protocol):
    """A face in pixels [H, W, 3] uint8 sRGB: what `subject.photo.Photo` and `subject.finding.Found` are."""

    pixels: np.ndarray
    face: Face
    landmarks: Landmarks


class Recogniser(Protocol):
    """Tells whose face it is.

    about: what the report says of it. independent: whether the run did without its network.
    """

    about: dict
    independent: bool

    def embedding(self, seen: SeenFace) -> np.ndarray | None:
        """[D] float32, length 1; None where it sees no face itself."""
        ...


class OnnxRecogniser:
    """A network in a file, run by OpenCV: [1, 3, 112, 112] RGB in, [1, D] out."""

    independent = True

    def __init__(self, path: Path, centred: bool):
        """`centred`: it takes -1..1, as ArcFace's, in place of 0..255, as SFace's. Raises UserError."""
        try:
            import cv2
        except ImportError as fault:
            what = "OpenCV, which runs the recogniser, is not installed."
            raise UserError(what, "Run: python -m pip install -r requirements-dev.txt.") from fault
        if not path.is_file():
            raise UserError(f"There is no file '{path}'.", "Give a recogniser's .onnx file.")
        try:
            # The classic engine: OpenCV 5's own takes stored weights that are listed as inputs, as SFace's, for inputs.
            self._network = cv2.dnn.readNetFromONNX(str(path), cv2.dnn.ENGINE_CLASSIC)
        except cv2.error as fault:
            raise UserError(f"'{path}' is no network that OpenCV reads.", "Give a recogniser's .onnx file.") from fault
        self._offset, self._scale = (127.5, 1 / 127.5) if centred else (0.0, 1.0)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.about = {"name": path.name, "sha256": digest, "centred": centred, "opencv": cv2.__version__}

    def embedding(self, seen: SeenFace) -> np.ndarray:
        """That of the face cut out by our landmarks."""
        picture = (cut_face(seen).astype(np.float32) - self._offset) * self._scale
        self._network.setInput(np.ascontiguousarray(picture.transpose(2, 0, 1)[None]))
        return unit(self._network.forward().reshape(-1))


class EncoderRecogniser:
    """One of the product's identity encoders, which finds and cuts out the face itself."""

    def __init__(self, encoder: IdentityEncoder, independent: bool):
        self._encoder, self.independent = encoder, independent
        self.about = {"name": encoder.name}

    def embedding(self, seen: SeenFace) -> np.ndarray | None:
        """That of the face in whose box the nose lies."""
        nose = seen.landmarks.points[NOSE, :2]
        for face in self._encoder.embed(seen.pixels):
            if (nose > face.box[:2]).all() and (nose < face.box[2:]).all():
                return unit(self._encoder.recognition(face.embedding))
        return None


def installed_recogniser(used: set[str]) -> Recogniser:
    """InsightFace where it lies on this machine and is not among the encoders the runs `used`; otherwise dlib."""
    if "insightface" not in used and find_spec("insightface") and not to_download("insightface"):
        return EncoderRecogniser(make_encoder("insightface"), True)
    return EncoderRecogniser(make_encoder("dlib"), used.isdisjoint(DLIB))


def cut_face(seen: SeenFace) -> np.ndarray:
    """[112, 112, 3] uint8: the face as ArcFace's training saw faces."""
    return cut_square(seen.pixels, face_square(five_points(seen.landmarks.points)), SIDE)


def five_points(landmarks: np.ndarray) -> np.ndarray:
    """[5, 2] eyes, nose tip and mouth corners of `landmarks` [478, 3], those on the left of the picture first."""
    points = landmarks[:, :2]
    return np.stack([*(points[list(corners)].mean(0) for corners in EYES), points[NOSE], *points[list(MOUTH)]])


def face_square(points: np.ndarray) -> Square:
    """The square of the photo in which the five `points` [5, 2] lie nearest the template's places, by least squares.

    A similarity, in complex numbers: photo = scale_and_turn * template + shift.
    """
    there, here = (np.asarray(five, np.float64) @ [1, 1j] for five in (TEMPLATE, points))
    spread = there - there.mean()
    turn = (spread.conj() * (here - here.mean())).sum() / (abs(spread) ** 2).sum()
    centre = here.mean() + turn * (complex(SIDE / 2, SIDE / 2) - there.mean())
    return Square(np.array([centre.real, centre.imag]), SIDE * np.array([turn.real, turn.imag]))
