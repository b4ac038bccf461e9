"""Which point of a surface each texel of its texture shows. Texture coordinates: u to the right, v down, 0..1."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import distance_transform_edt

from idto3d.head.template_model import Template
from idto3d.render.backends.kernel import rasterize


@dataclass(frozen=True, eq=False)
class Texels:
    """The N texels of a square texture whose centres lie on the surface, row by row.

    covered [S, S] bool; corners [N, 3] int64 the vertices of the face below each; weights [N, 3] float32 its place
    there; uvs [N, 2] the texel's own coordinates.
    """

    covered: np.ndarray
    corners: np.ndarray
    weights: np.ndarray
    uvs: np.ndarray

    @cached_property
    def nearest(self) -> np.ndarray:
        """[S, S] int32 the closest of the N for every texel; worked out where somebody asks, for it takes longest."""
        number = np.cumsum(self.covered.ravel(), dtype=np.int32).reshape(self.covered.shape) - 1
        rows, columns = distance_transform_edt(~self.covered, return_distances=False, return_indices=True)
        return number[rows, columns]

    def read(self, values: np.ndarray) -> np.ndarray:
        """Vertex `values` [V, C] at the texels, [N, C]."""
        return np.einsum("nk,nkc->nc", self.weights, values[self.corners])

    def spread(self, values: np.ndarray) -> np.ndarray:
        """The texture [S, S, C] of `values` [N, C]; texels off the surface copy their nearest."""
        return values[self.nearest]


def texels_of(faces: np.ndarray, uvs: np.ndarray, size: int) -> Texels:
    """The texels of a texture of `size` pixels for faces [F, 3] with corners at uvs [F, 3, 2]."""
    flat = np.zeros((len(faces) * 3, 4), np.float32)
    flat[:, 0], flat[:, 1], flat[:, 3] = 2 * uvs[..., 0].ravel() - 1, 1 - 2 * uvs[..., 1].ravel(), 1.0
    face, weights, _ = rasterize(flat, np.arange(len(flat), dtype=np.int32).reshape(-1, 3), size, size)
    covered = face >= 0
    rows, columns = np.nonzero(covered)
    own = (np.stack([columns, rows], 1) + 0.5) / size
    return Texels(covered, faces[face[covered]], weights[covered], own.astype(np.float32))


def texels_of_parts(template: Template, names: Sequence[str], size: int) -> Texels:
    """The texels of a square that the template's parts of these `names` share; corners are the template's vertices."""
    parts = [template.part(name) for name in names]
    faces = np.concatenate([part.faces.cpu().numpy() + part.vertices.start for part in parts])
    return texels_of(faces, np.concatenate([part.uvs.cpu().numpy() for part in parts]), size)
