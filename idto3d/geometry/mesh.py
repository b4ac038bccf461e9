"""A triangle mesh and its normals. Lengths are metres."""

from dataclasses import dataclass

import torch
from torch import Tensor

SMALLEST = 1e-12  # square metres; a normal of less area than this has no direction worth a gradient


@dataclass(frozen=True, eq=False)
class Mesh:
    """vertices [V, 3] float32, metres; faces [F, 3] int64, counter-clockwise seen from outside."""

    vertices: Tensor
    faces: Tensor


def face_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Outward normals [..., F, 3] whose length is twice the face's area. vertices [..., V, 3], faces [F, 3]."""
    first, second, third = (vertices.index_select(-2, faces[:, corner]) for corner in range(3))
    return torch.linalg.cross(second - first, third - first)


def unit(vectors: Tensor) -> Tensor:
    """`vectors` [..., 3] scaled to length 1; those without a length become (0, 0, 1) and carry no gradient."""
    squared = vectors.square().sum(-1, keepdim=True)
    measurable = squared > SMALLEST**2
    scaled = vectors * torch.rsqrt(torch.where(measurable, squared, 1.0))
    return torch.where(measurable, scaled, scaled.new_tensor([0.0, 0.0, 1.0]))


def vertex_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals [..., V, 3], the area-weighted mean of the faces around each vertex, differentiable.

    vertices [..., V, 3], metres; faces [F, 3]. A vertex without area gets (0, 0, 1).
    """
    normals = face_normals(vertices, faces)
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(-2, faces[:, corner], normals)
    return unit(total)


def volume(vertices: Tensor, faces: Tensor) -> Tensor:
    """Signed volume of a closed mesh, cubic metres, positive when it is wound outwards. vertices [..., V, 3]."""
    first, second, third = (vertices.index_select(-2, faces[:, corner]) for corner in range(3))
    return (first * torch.linalg.cross(second, third)).sum((-1, -2)) / 6
