"""The template where landmarks lie on it, and its expression shapes as the landmark network tells them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from idto3d.evidence.landmark_model import LandmarkModel
from idto3d.evidence.projection import Posed
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.template import SKIN
from idto3d.head.template_model import Template, shape_numbers
from idto3d.subject.face_points import BLENDSHAPES
from idto3d.words.arkit import arkit_recipe

FACE_M = 0.03  # height over the ears' middle, to the front, from which on skin is a face's
NECK_TOP_M, NECK_FRONT_M = -0.04, 0.05  # below the one and behind the other it is a neck's, which leans as it likes


@dataclass(frozen=True, eq=False)
class Shapes:
    """The template at its N landmarks: neutral [N, 3], by identity coefficients [N, 3, K], by expression [N, 3, E]."""

    neutral: np.ndarray
    identity: np.ndarray
    expression: np.ndarray

    def points(self, coefficients: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """[N, 3] metres, of identity `coefficients` [K] and expression `weights` [E]."""
        return self.neutral + self.identity @ coefficients + self.expression @ weights


@dataclass(frozen=True, eq=False)
class Surface:
    """The whole template, float32: shapes over its V vertices, faces [F, 3], and those [G, 3] that have an outline."""

    shapes: Shapes
    faces: np.ndarray
    outlined: np.ndarray

    def posed(self, coefficients: np.ndarray, weights: np.ndarray) -> Posed:
        """The head of identity `coefficients` [K] and expression `weights` [E], moved by the shapes alone."""
        points = self.shapes.points(coefficients.astype(np.float32), weights.astype(np.float32))
        normals = vertex_normals(torch.from_numpy(points), torch.from_numpy(self.faces))
        return Posed(points, normals.numpy(), self.faces, np.zeros(len(points), np.float32))


def surface_of(template: Template) -> Surface:
    """The `template` as the fit needs it where it looks at outlines: of forehead, cheeks and jaw."""
    neutral, moves = template.neutral.numpy(force=True), template.dense_moves().numpy(force=True)
    modes = (template.identity.numpy(force=True), moves)
    shapes = Shapes(neutral, *(np.ascontiguousarray(np.moveaxis(one, 0, -1)) for one in modes))
    own = np.zeros(len(neutral), bool)
    up, front = neutral[SKIN, 1], neutral[SKIN, 2]
    own[SKIN] = (front > NECK_FRONT_M) | (front > FACE_M) & (up > NECK_TOP_M)
    faces = template.faces.numpy(force=True)
    return Surface(shapes, faces, faces[own[faces].all(1)])


def shapes_of(template: Template, model: LandmarkModel) -> Shapes:
    """The places of a `model`'s landmarks on the `template`, float64."""
    corners = template.numbered(model.vertices)

    def read(fields: np.ndarray) -> np.ndarray:
        return np.einsum("...nkc,nk->...nc", fields[..., corners, :].astype(np.float64), model.weights)

    identity, moves = read(template.identity.numpy(force=True)), read(template.dense_moves().numpy(force=True))
    return Shapes(read(template.neutral.numpy(force=True)), np.moveaxis(identity, 0, -1), np.moveaxis(moves, 0, -1))


def as_shapes(told: np.ndarray, shapes: Sequence[str]) -> np.ndarray:
    """[..., E] weights of the template's `shapes` as `told` [..., 51] in the order of BLENDSHAPES; 0 where not told."""
    named = np.zeros((len(BLENDSHAPES), len(shapes)))
    for row, name in zip(named, BLENDSHAPES, strict=True):
        for shape in arkit_recipe(name):
            row[shape_numbers(shape, shapes)] = 1.0
    return told @ named
