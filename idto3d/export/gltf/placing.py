"""A part read from a file, moved to where its node puts it."""

from dataclasses import replace

import numpy as np

from idto3d.export.gltf.mesh import PartMesh


def placed(part: PartMesh, matrix: np.ndarray, pivot: np.ndarray) -> PartMesh:
    """`part` moved by `matrix` [4, 4], its positions then relative to `pivot` [3]; as it is where only the pivot moves.

    Normals stay of length 1 and keep their proportion to what expressions add to them; mirrored faces are turned over.
    """
    linear, shift = matrix[:3, :3], matrix[:3, 3] - pivot
    part = replace(part, pivot=pivot)
    if np.array_equal(linear, np.eye(3)):
        return replace(part, positions=(part.positions + shift).astype(np.float32)) if shift.any() else part
    normals, turns = (_turned(values, linear) for values in (part.normals, part.normal_displacements))
    length = np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
    tangents = part.tangents[:, :3] @ linear.T
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-12)
    mirrored = np.linalg.det(linear) < 0
    return replace(
        part,
        positions=(part.positions @ linear.T + shift).astype(np.float32),
        normals=(normals / length).astype(np.float32),
        tangents=np.concatenate([tangents, part.tangents[:, 3:] * (-1 if mirrored else 1)], 1).astype(np.float32),
        faces=part.faces[:, ::-1] if mirrored else part.faces,
        displacements=(part.displacements @ linear.T).astype(np.float32),
        normal_displacements=(turns / length).astype(np.float32),
    )


def _turned(directions: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Normals, or what is added to them, [..., 3], of a surface that is moved by `linear` [3, 3]."""
    return directions @ np.linalg.inv(linear)
