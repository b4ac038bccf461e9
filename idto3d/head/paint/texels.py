"""From a part's texture square to its surface: where on the head each texel lies."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from idto3d.head.template_model import TemplatePart
from idto3d.render.backends.kernel import rasterize


@dataclass(frozen=True, eq=False)
class TexelMap:
    """Which face each texel of a square [S, S] shows, -1 outside; barycentric [S, S, 3] within it; row 0 on top."""

    face: np.ndarray
    barycentric: np.ndarray

    @property
    def covered(self) -> np.ndarray:
        """[S, S] bool."""
        return self.face >= 0

    def read(self, corners: np.ndarray) -> np.ndarray:
        """[P, C] at the covered texels, in row-major order, of values [F, 3, C] of the faces' corners."""
        return np.einsum("pk,pkc->pc", self.barycentric[self.covered], corners[self.face[self.covered]])

    def filled(self, values: np.ndarray) -> np.ndarray:
        """The texture [S, S, C] of `values` [P, C] at the covered texels; the others copy their nearest."""
        image = np.zeros((*self.face.shape, values.shape[-1]), np.float32)
        image[self.covered] = values
        rows, columns = distance_transform_edt(~self.covered, return_distances=False, return_indices=True)
        return image[rows, columns]


def texel_map(uvs: np.ndarray, size: int) -> TexelMap:
    """The map of a texture of size x size texels for faces with corners at `uvs` [F, 3, 2], u right, v down, 0..1."""
    flat = np.zeros((3 * len(uvs), 4), np.float32)
    flat[:, 0], flat[:, 1], flat[:, 3] = 2 * uvs.reshape(-1, 2)[:, 0] - 1, 1 - 2 * uvs.reshape(-1, 2)[:, 1], 1
    face, barycentric, _ = rasterize(flat, np.arange(3 * len(uvs), dtype=np.int32).reshape(-1, 3), size, size)
    return TexelMap(face, barycentric)


def corners_of(values: np.ndarray, part: TemplatePart) -> np.ndarray:
    """[F, 3, C] at the corners of a part's faces of per-vertex `values` [V, C] of the whole template."""
    return values[part.vertices][part.faces.cpu().numpy()]
