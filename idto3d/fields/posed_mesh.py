"""A closed mesh as what a signed distance field starts from: of it nothing varies and nothing moves. Metres."""

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.geometry.mesh import face_normals, unit
from idto3d.head.ellipsoid import NO_HAIR
from idto3d.head.prior import SdfBasis
from idto3d.words.expressions import NAMES
from idto3d.words.traits import BEARDS, HAIR_STYLES


class PosedMesh:
    """A `fields.shape_field.Prior` whose surface is the mesh `vertices` [V, 3], `faces` [F, 3], wound outwards.

    It has `modes` coefficients, which change nothing.
    """

    def __init__(self, vertices: Tensor, faces: Tensor, modes: int):
        corners = vertices[faces]
        self._centres = corners.mean(1).double().cpu().numpy()
        self._normals = unit(face_normals(vertices.double(), faces)).cpu().numpy()
        self._reach = float((corners - corners.mean(1, keepdim=True)).norm(dim=-1).max())
        self._tree, self._modes = cKDTree(self._centres), modes

    def basis(self, points: Tensor) -> SdfBasis:
        """Distances at `points` [N, 3], metres; modes [N, K] zero; no hair anywhere."""
        mean = self.distance(points, points.new_zeros(self._modes))
        hair = points.new_full((len(points), len(HAIR_STYLES)), NO_HAIR)
        return SdfBasis(mean, points.new_zeros(len(points), self._modes), hair)

    def distance(self, points: Tensor, z: Tensor) -> Tensor:
        """[N] at `points` [N, 3]: to the plane of the nearest face near its middle, and farther off to that middle."""
        places = points.double().cpu().numpy()
        gap, near = self._tree.query(places)
        height = ((places - self._centres[near]) * self._normals[near]).sum(1)
        return torch.from_numpy(np.where(gap < self._reach, height, np.copysign(gap, height))).to(points)

    def beard(self, points: Tensor, z: Tensor) -> Tensor:
        """No beard: zeros [N, B]."""
        return points.new_zeros(len(points), len(BEARDS))

    def warp(self, points: Tensor, z: Tensor | None = None) -> Tensor:
        """No displacement: zeros [N, 13, 3]."""
        return points.new_zeros(len(points), len(NAMES), 3)
