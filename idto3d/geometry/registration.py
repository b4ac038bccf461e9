"""Laying one mesh onto another: closest points that face alike, and a displacement that is smooth (non-rigid ICP).

The displacement d of the mesh minimises

    integral of  trust |d - to the surface|^2 + hold |d|^2 + length^2 |grad d|^2

so that `length` is the size, in metres, of what it may follow; it goes from coarse to fine. The integrals are those of
linear elements (Pinkall and Polthier 1993: cotangents of the angles), hence the same on fine and on coarse triangles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_matrix, csc_matrix, diags
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals

COARSE_TO_FINE = (0.02, 0.01, 0.005, 0.0025)  # lengths, metres
ROUNDS = 3  # of closest points at each length
CANDIDATES = 6  # nearest vertices among which one that faces alike is looked for
ALIKE = (0.5, 0.8)  # cosines of the angle of two normals between which a pair begins to count, and counts fully
NEAR_M = (0.006, 0.012)  # distances at which it counts fully, and no longer
NO_LESS = 1e-6  # of holding, so that what nothing tells of follows its neighbours


@dataclass(frozen=True, eq=False)
class Surface:
    """What a mesh is laid onto: points [N, 3] metres, unit normals [N, 3], and how far each counts, share [N] 0..1."""

    points: np.ndarray
    normals: np.ndarray
    share: np.ndarray


def surface_of(vertices: Tensor, faces: Tensor, share: Tensor) -> Surface:
    """A mesh `vertices` [V, 3] metres, `faces` [F, 3] as what another is laid onto; share [V] 0..1."""
    points = vertices.detach().double()
    return Surface(*(values.cpu().numpy() for values in (points, vertex_normals(points, faces), share.double())))


def laid_onto(
    surface: Surface,
    vertices: Tensor,
    faces: Tensor,
    trust: Tensor,
    hold: Tensor,
    lengths: Sequence[float] = COARSE_TO_FINE,
) -> Tensor:
    """[V, 3] metres that take a mesh `vertices` [V, 3], `faces` [F, 3], which lies about there, onto `surface`.

    trust [V]: 0..1, how far each vertex shall lie on it; hold [V]: how firmly it stays.
    """
    points, corners = (values.detach().cpu().numpy() for values in (vertices.double(), faces))
    area, bending = _elements(points, corners)
    tree, moved = cKDTree(surface.points), np.zeros_like(points)
    kept, trusted = (values.cpu().double().numpy() for values in (hold, trust))
    for length in np.repeat(lengths, ROUNDS):
        target, weight = _targets(surface, tree, points + moved, corners)
        weight = area * trusted * weight
        system = length**2 * bending + diags(weight + area * kept + NO_LESS * area)
        moved = splu(csc_matrix(system)).solve(weight[:, None] * (target - points))
    return torch.from_numpy(moved).to(vertices)


def _targets(surface: Surface, tree: cKDTree, points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where on the surface each of `points` [V, 3] belongs, [V, 3], and how far that counts, [V] 0..1.

    The foot on the plane through the nearest vertex that faces as the point does.
    """
    normals = vertex_normals(torch.from_numpy(points), torch.from_numpy(faces)).numpy()
    gap, near = tree.query(points, k=CANDIDATES)
    alike = np.einsum("vkc,vc->vk", surface.normals[near], normals)
    chosen = np.where(alike > ALIKE[0], gap, np.inf).argmin(1)
    own = np.arange(len(points)), chosen
    place, normal = surface.points[near[own]], surface.normals[near[own]]
    foot = points + normal * ((place - points) * normal).sum(1, keepdims=True)
    says = _ramp(alike[own], *ALIKE) * _ramp(-gap[own], -NEAR_M[1], -NEAR_M[0])
    return foot, says * surface.share[near[own]]


def _ramp(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((values - low) / (high - low), 0, 1)


def _elements(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, csc_matrix]:
    """The area [V] around each vertex, square metres, and the form [V, V] of the integral of |grad|^2."""
    count, area, rows, columns, weights = len(points), np.zeros(len(points)), [], [], []
    for k in range(3):
        corner, first, second = (faces[:, (k + step) % 3] for step in range(3))
        a, b = points[first] - points[corner], points[second] - points[corner]
        twice = np.linalg.norm(np.cross(a, b), axis=1)
        area += np.bincount(corner, twice / 6, count)
        cotangent = np.maximum((a * b).sum(1) / np.maximum(twice, 1e-12), 1e-3)  # obtuse angles would bend outwards
        rows, columns, weights = [*rows, first], [*columns, second], [*weights, cotangent / 2]
    links = coo_matrix((np.concatenate(weights), (np.concatenate(rows), np.concatenate(columns))), (count, count))
    links = links + links.T
    return area, diags(np.asarray(links.sum(1)).ravel()) - links
