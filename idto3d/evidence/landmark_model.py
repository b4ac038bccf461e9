"""What landmarks are worth: where on the template they lie, how they err, and what is known of people beforehand.

Learned from our own portraits, of which every vertex is known; see `training.landmarks.errors`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch

from idto3d.files import expect_shapes, json_object, read_metadata, read_shapes, read_tensors, refusing, write_tensors
from idto3d.head.template import VERTICES

VERSION = 1
KEY = "landmark_model"
SEEN_FROM = np.radians(45.0)  # largest azimuth of the portraits that the errors were learned from
# Shares of the portraits' deviations that errors have on photos: those that landmarks have in common, each landmark's
# own, and of how the head is turned. Chosen by hand among a few: heads fitted to several photos of one person agree
# well beside those of others, lie on the photos, and lie near synthetic people of whom the embedding says nothing.
IN_COMMON, OWN, TURN = 1 / 6, 2 / 3, 1 / 3


@dataclass(frozen=True, eq=False)
class LandmarkModel:
    """Statistics of N landmarks against the template, float64; lengths are metres.

    vertices [N, 3] are the corners, by the numbers of the template's file, of the triangle a landmark lies on, and
    weights [N, 3] its place there. An error is landmark minus projected point in the picture's plane through the head,
    x to the right and y up of an upright head, all flat [2 N]. Its mean is view_features @ bias [3, 2 N] and, as the
    network draws faces towards the usual one, pull [2 N, K] @ (the coefficients expected - mean). About that, what all
    photos of a person share is normal of covariance person_factor @ person_factor.T [2 N, P], and what a photo adds of
    covariance photo_factor @ photo_factor.T + diag(variance), [2 N, R] and [2 N].
    mean [K] and covariance [K, K] are those of people's identity coefficients. The coefficients that the head prior
    expects of a mean embedding of n photos err normally with covariance face_person + face_photo / n, [K, K].
    Azimuth and elevation of the camera are turn [2, 2] @ (1, what the depths of the landmarks say), radians, see
    `turn_of`, within turn_spread [2], their standard deviations.
    The weight of an expression shape is slope times what the network tells beyond usual, within spread; [E] each.
    fit_error: metres, the largest mean distance of landmarks from a fitted template that portraits show.
    """

    vertices: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    pull: np.ndarray
    person_factor: np.ndarray
    photo_factor: np.ndarray
    variance: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    face_person: np.ndarray
    face_photo: np.ndarray
    turn: np.ndarray
    turn_spread: np.ndarray
    usual: np.ndarray
    slope: np.ndarray
    spread: np.ndarray
    fit_error: np.ndarray

    def expected_weights(self, told: np.ndarray) -> np.ndarray:
        """[..., E] the weights to expect, 0..1, where the network tells `told` [..., E], see `shapes.as_shapes`."""
        return np.clip(self.slope * (told - self.usual), 0, 1)

    def like_portraits(self, share: float) -> "LandmarkModel":
        """The model for a photo that is to a `share`, 0..1, like our portraits.

        The landmark network learned from photos: it draws our portraits towards the usual face, and errs on them with
        who is shown. Where it is at home it does so less, and its depths tell better how the head is turned, which the
        landmarks' places hardly do: by them alone the camera of any photo rises by some degrees.
        """
        common, own, turn = (factor ** (1 - share) for factor in (IN_COMMON, OWN, TURN))
        return replace(
            self,
            pull=self.pull * share,
            person_factor=self.person_factor * common,
            photo_factor=self.photo_factor * common,
            variance=self.variance * own**2,
            turn_spread=self.turn_spread * turn,
        )


def view_features(azimuth: float) -> np.ndarray:
    """[3] what the mean error of landmarks depends on; radians. Beyond the views it was learned from it stays.

    Not on the elevation: the network draws faces towards level ones, so that what looks like an error of one is half of
    another elevation. A photo of a known person came out at 21 degrees with it, and at 14 without.
    """
    azimuth = np.clip(azimuth, -SEEN_FROM, SEEN_FROM)
    return np.array([1.0, azimuth, azimuth**2])


def turn_of(landmarks: np.ndarray, neutral: np.ndarray) -> np.ndarray:
    """[2] azimuth and elevation, radians, of the rotation that best takes `neutral` [N, 3] onto `landmarks` [N, 3].

    Orthogonal Procrustes; landmarks are pixels as `subject.landmarks` has them, with a depth that the network guesses.
    """
    seen = landmarks * [1, -1, -1]
    left, _, right = np.linalg.svd((seen - seen.mean(0)).T @ (neutral - neutral.mean(0)))
    back = (left * [1, 1, np.sign(np.linalg.det(left @ right))] @ right)[2]
    return np.array([np.arctan2(back[0], back[2]), np.arcsin(np.clip(back[1], -1, 1))])


def save_landmark_model(model: LandmarkModel, path: Path, provenance: dict) -> Path:
    """Write a model as safetensors; `provenance` (JSON types) says what it was learned from."""
    tensors = {f.name: torch.from_numpy(np.ascontiguousarray(getattr(model, f.name))) for f in fields(model)}
    small = {name: value if value.dtype == torch.int64 else value.float() for name, value in tensors.items()}
    return write_tensors(path, small, {KEY: json.dumps({"version": VERSION, "provenance": provenance})})


def load_landmark_model(path: Path) -> LandmarkModel:
    """The model of `save_landmark_model`. Raises UserError where the file is missing, damaged or of another version."""
    with refusing(path):
        about = json_object(read_metadata(path)[KEY])
        if about["version"] != VERSION:
            raise ValueError(f"version {about['version']} is another than {VERSION}")
        expect_shapes(path, _shapes(shapes := read_shapes(path)), shapes)
        tensors = read_tensors(path)
        own = {f.name: tensors[f.name].numpy() for f in fields(LandmarkModel)}
        if own["vertices"].dtype.kind != "i" or not 0 <= own["vertices"].min() <= own["vertices"].max() < VERTICES:
            raise ValueError("its vertices are none of the template's")
        return LandmarkModel(**{n: v if n == "vertices" else v.astype(np.float64) for n, v in own.items()})


def _shapes(found: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """What the shapes should be, as far as landmarks, coefficients, factors and expressions are counted by `found`."""
    marks, known = found["vertices"][0], found["mean"][0]
    (person, photo), told = (found[f"{name}_factor"][1] for name in ("person", "photo")), found["usual"][0]
    square, numbers = (known, known), 2 * marks
    return {
        **dict.fromkeys(("vertices", "weights"), (marks, 3)),
        **dict.fromkeys(("covariance", "face_person", "face_photo"), square),
        **dict.fromkeys(("usual", "slope", "spread"), (told,)),
        "bias": (3, numbers),
        "pull": (numbers, known),
        "person_factor": (numbers, person),
        "photo_factor": (numbers, photo),
        "variance": (numbers,),
        "mean": (known,),
        "turn": (2, 2),
        "turn_spread": (2,),
        "fit_error": (1,),
    }
