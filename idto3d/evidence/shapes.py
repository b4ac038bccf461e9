"""The template where landmarks lie on it, and its expression shapes as the landmark network tells them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from idto3d.evidence.landmark_model import LandmarkModel
from idto3d.head.template_model import Template, shape_numbers
from idto3d.subject.face_points import BLENDSHAPES
from idto3d.words.arkit import arkit_recipe


@dataclass(frozen=True, eq=False)
class Shapes:
    """The template at its N landmarks: neutral [N, 3], by identity coefficients [N, 3, K], by expression [N, 3, E]."""

    neutral: np.ndarray
    identity: np.ndarray
    expression: np.ndarray

    def points(self, coefficients: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """[N, 3] metres, of identity `coefficients` [K] and expression `weights` [E]."""
        return self.neutral + self.identity @ coefficients + self.expression @ weights


def shapes_of(template: Template, model: LandmarkModel) -> Shapes:
    """The places of a `model`'s landmarks on the `template`, float64."""

    def read(fields: np.ndarray) -> np.ndarray:
        return np.einsum("...nkc,nk->...nc", fields[..., model.vertices, :].astype(np.float64), model.weights)

    identity, moves = read(template.identity.numpy(force=True)), read(template.dense_moves().numpy(force=True))
    return Shapes(read(template.neutral.numpy(force=True)), np.moveaxis(identity, 0, -1), np.moveaxis(moves, 0, -1))


def as_shapes(told: np.ndarray, shapes: Sequence[str]) -> np.ndarray:
    """[..., E] weights of the template's `shapes` as `told` [..., 51] in the order of BLENDSHAPES; 0 where not told."""
    named = np.zeros((len(BLENDSHAPES), len(shapes)))
    for row, name in zip(named, BLENDSHAPES, strict=True):
        for shape in arkit_recipe(name):
            row[shape_numbers(shape, shapes)] = 1.0
    return told @ named
