"""Tangents as MikkTSpace makes them (Mikkelsen 2008), for smooth vertices that are already split along uv seams."""

import numpy as np

from idto3d.export.surface import normalised


def vertex_tangents(vertices: np.ndarray, normals: np.ndarray, uvs: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Tangents [V, 4] for glTF: xyz unit along rising u, w the side (+1 or -1) of `cross(normal, xyz) * w`.

    The bitangent points up in the texture (falling v), as green does in a normal map of OpenGL's convention.
    vertices, normals: [V, 3]. uvs: [V, 2], v down.
    """
    along_u, area = _face_directions(vertices, uvs, faces)
    summed, side = np.zeros((len(vertices), 3)), np.zeros(len(vertices))
    for k in range(3):
        corner, after, before = faces[:, k], faces[:, (k + 1) % 3], faces[:, (k + 2) % 3]
        normal = normals[corner]
        angle = _angle(
            _flattened(vertices[after] - vertices[corner], normal),
            _flattened(vertices[before] - vertices[corner], normal),
        )
        weighted = _flattened(along_u, normal) * angle[:, None]
        for axis in range(3):
            summed[:, axis] += np.bincount(corner, weighted[:, axis], len(vertices))
        side += np.bincount(corner, np.sign(area) * angle, len(vertices))
    tangent = _completed(_flattened(summed, normals), normals)
    return np.concatenate([tangent, np.where(side < 0.0, -1.0, 1.0)[:, None]], axis=1).astype(np.float32)


def _face_directions(vertices: np.ndarray, uvs: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per face the direction [F, 3] in which u rises, and the signed uv area [F] (positive where not mirrored)."""
    a, b, c = faces.T
    edge_b, edge_c = vertices[b] - vertices[a], vertices[c] - vertices[a]
    up = uvs.astype(np.float64) * (1.0, -1.0)  # MikkTSpace counts v upwards
    uv_b, uv_c = up[b] - up[a], up[c] - up[a]
    area = uv_b[:, 0] * uv_c[:, 1] - uv_b[:, 1] * uv_c[:, 0]
    direction = (edge_b * uv_c[:, 1:] - edge_c * uv_b[:, 1:]) * np.sign(area)[:, None]
    return direction, area


def _flattened(vectors: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """`vectors` [N, 3] laid into the plane across `normals` and brought to unit length; zero stays zero."""
    flat = vectors - normals * (vectors * normals).sum(1, keepdims=True)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-20)


def _angle(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.arccos(np.clip((a * b).sum(1), -1.0, 1.0))


def _completed(tangent: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """`tangent` with any direction across the normal where no face gave one."""
    axis = np.eye(3)[np.abs(normals).argmin(1)]
    lost = np.linalg.norm(tangent, axis=1, keepdims=True) < 0.5
    return normalised(np.where(lost, np.cross(normals, axis), tangent))
