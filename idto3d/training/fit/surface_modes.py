"""The directions in which people's heads vary most, counted as movements of their surfaces."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from idto3d.errors import UserError
from idto3d.training.people.ict import IctModel
from idto3d.training.people.person import draw_coefficients
from idto3d.training.people.sculptor import SKIN

SHAPES_SEED = 3_000_000  # of the people whose shapes are measured, far from those trained on
SHAPES_MEASURED = 2000  # of them
MODES = 64
MIRROR = np.array([-1, 1, 1], np.float32)  # left and right change places


@dataclass(frozen=True, eq=False)
class SurfaceModes:
    """Mean coefficients [C] of people, `modes` [K, C], and the map [C, K] from coefficients about the mean to modes.

    `deviation` [K] is how much of each mode people have.

    Each mode moves the vertices of the head by one metre together (root of the sum of squares), so that errors of
    amounts are errors of surfaces.
    """

    mean: np.ndarray
    modes: np.ndarray
    map: np.ndarray
    deviation: np.ndarray

    def amounts(self, coefficients: np.ndarray) -> np.ndarray:
        """[n, K] how much of each mode heads of `coefficients` [n, C] have."""
        return (coefficients - self.mean) @ self.map


def surface_modes(model: IctModel) -> SurfaceModes:
    """At most 64 modes of the heads of `model`, the strongest first."""
    drawn = draw_coefficients(SHAPES_MEASURED, model.words, SHAPES_SEED).astype(np.float64)
    average, gram = drawn.mean(0), surface_gram(model)
    half = np.linalg.cholesky(gram + 1e-9 * np.trace(gram) * np.eye(len(gram)))
    _, sizes, directions = np.linalg.svd((drawn - average) @ half, full_matrices=False)
    modes = np.linalg.solve(half.T, directions[:MODES].T).T
    parts = (average, modes, gram @ modes.T, sizes[:MODES] / SHAPES_MEASURED**0.5)
    return SurfaceModes(*(part.astype(np.float32) for part in parts))


def mirror_of(model: IctModel, shapes: SurfaceModes) -> np.ndarray:
    """[K, K]: `mirror @ amounts` are about those of the mirrored head, as far as the modes hold it."""
    rest = model.neutral[:SKIN]
    _, other = cKDTree(rest).query(rest * MIRROR)  # the model's vertices come in pairs
    moved = np.tensordot(shapes.modes, model.identity[:, :SKIN], 1)
    return np.einsum("kvc,lvc->kl", moved, (moved * MIRROR)[:, other])


def check_people(coefficients: np.ndarray, model: IctModel) -> None:
    """Raises UserError unless `coefficients` [n, C] are of people of `model`."""
    if coefficients.shape[1] != len(model.identity):
        what = f"The people have {coefficients.shape[1]} coefficients, the model {len(model.identity)}."
        raise UserError(what, "Give the --ict that the people were drawn with.")


def surface_gram(model: IctModel) -> np.ndarray:
    """[C, C]: `d @ gram @ d` is the sum of squares by which coefficients `d` move the head's vertices."""
    flat = model.identity[:, :SKIN].reshape(len(model.identity), -1).astype(np.float64)
    return flat @ flat.T
