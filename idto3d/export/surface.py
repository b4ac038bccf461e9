"""Where the vertices and texels of a decimated mesh lie on the dense one. numpy, metres, faces int64 [F, 3]."""

from dataclasses import dataclass

import numpy as np
import torch
from numba import njit

from idto3d.geometry.mesh import vertex_normals


@dataclass(frozen=True)
class Groups:
    """Lists of integers, one per group: group g holds `members[start[g]:start[g + 1]]` (both int64)."""

    start: np.ndarray
    members: np.ndarray


@dataclass(frozen=True)
class Correspondence:
    """Points on another mesh: the three `corners` [N, 3] int64 of the triangle and their `weights` [N, 3], sum 1."""

    corners: np.ndarray
    weights: np.ndarray


def grouped(labels: np.ndarray, count: int) -> Groups:
    """The positions 0..N-1 of `labels` [N] (values 0..count-1), listed per label."""
    start = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(labels, minlength=count), out=start[1:])
    return Groups(start, np.argsort(labels, kind="stable").astype(np.int64))


def faces_around(faces: np.ndarray, count: int) -> Groups:
    """The faces that touch each of `count` vertices."""
    corners = grouped(faces.ravel(), count)
    return Groups(corners.start, corners.members // 3)


def carry(attribute: np.ndarray, onto: Correspondence) -> np.ndarray:
    """`attribute` [..., V, C] of the other mesh's vertices, interpolated at the N points -> [..., N, C]."""
    return sum(attribute[..., onto.corners[:, k], :] * onto.weights[:, k, None] for k in range(3))


def smooth_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [V, 3] of `vertices` [V, 3], faces weighted by area."""
    return vertex_normals(torch.from_numpy(vertices), torch.from_numpy(faces)).numpy()


def pose_normals(poses: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """`smooth_normals` [P, V, 3] of each of `poses` [P, V, 3]; +Z where a vertex has no area around it."""
    return normalised(_area_normals(np.ascontiguousarray(poses, np.float64), np.ascontiguousarray(faces, np.int64)))


@njit(cache=True)
def _way(poses, p, start, end):
    x, y, z = poses[p, start, 0], poses[p, start, 1], poses[p, start, 2]
    return poses[p, end, 0] - x, poses[p, end, 1] - y, poses[p, end, 2] - z


@njit(cache=True)
def _area_normals(poses, faces):
    total = np.zeros(poses.shape)
    for p in range(poses.shape[0]):
        for f in range(faces.shape[0]):
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            ux, uy, uz = _way(poses, p, a, b)
            vx, vy, vz = _way(poses, p, a, c)
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            for corner in (a, b, c):
                total[p, corner, 0] += nx
                total[p, corner, 1] += ny
                total[p, corner, 2] += nz
    return total


def eased_normals(vertices: np.ndarray, faces: np.ndarray, passes: int = 2) -> np.ndarray:
    """`smooth_normals` averaged with those around, `passes` times: without the facets that a coarse grid leaves."""
    normals, around = smooth_normals(vertices, faces), faces_around(faces, len(vertices))
    vertex = np.repeat(np.arange(len(vertices)), np.diff(around.start))
    for _ in range(passes):
        of_faces = normals[faces].sum(1)[around.members]
        normals = normalised(np.stack([np.bincount(vertex, one, len(vertices)) for one in of_faces.T], 1))
    return normals


def normalised(vectors: np.ndarray) -> np.ndarray:
    """`vectors` [N, 3] at unit length; +Z in place of a zero vector."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(length > 1e-20, vectors / np.maximum(length, 1e-20), np.array([0.0, 0.0, 1.0]))


def closest_in_groups(
    points: np.ndarray, asked: np.ndarray, clusters: Groups, vertices: np.ndarray, faces: np.ndarray
) -> Correspondence:
    """The closest point of a surface to each of `points` [N, 3], among triangles that touch given vertices.

    asked: [N, k] int64, the clusters of surface vertices each point may lie near. Searching by cluster
    instead of by distance keeps touching surfaces apart, such as closed lips.
    """
    ring, vertices = faces_around(faces, len(vertices)), np.ascontiguousarray(vertices, np.float64)
    face, weights = _search(
        np.ascontiguousarray(points, np.float64),
        np.ascontiguousarray(asked, np.int64),
        clusters.start,
        clusters.members,
        ring.start,
        ring.members,
        vertices,
        np.ascontiguousarray(faces, np.int64),
        _reach(vertices, faces),
    )
    if (face < 0).any():
        raise ValueError("closest_in_groups: a point was given no triangle to lie on")
    return Correspondence(faces[face], weights)


def _reach(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Per vertex [V] the length of the longest edge it is on."""
    reach = np.zeros(len(vertices))
    for k in range(3):
        start, end = faces[:, k], faces[:, (k + 1) % 3]
        length = np.linalg.norm(vertices[start] - vertices[end], axis=1)
        np.maximum.at(reach, start, length)
        np.maximum.at(reach, end, length)
    return reach


@njit(cache=True, error_model="numpy")
def _closest_weights(to_b, to_c, bb, bc, cc):
    """Weights of corners b and c at the point of triangle a, b, c that is closest to p (Ericson 2005, 5.1.5).

    With u = b - a, v = c - a, d = p - a: to_b = u.d, to_c = v.d, bb = u.u, bc = u.v, cc = v.v.
    """
    b_to_b, b_to_c, c_to_b, c_to_c = to_b - bb, to_c - bc, to_b - bc, to_c - cc
    if to_b <= 0.0 and to_c <= 0.0:
        return 0.0, 0.0
    if b_to_b >= 0.0 and b_to_c <= b_to_b:
        return 1.0, 0.0
    area_c = to_b * b_to_c - b_to_b * to_c
    if area_c <= 0.0 and to_b >= 0.0 and b_to_b <= 0.0:
        return to_b / bb, 0.0
    if c_to_c >= 0.0 and c_to_b <= c_to_c:
        return 0.0, 1.0
    area_b = c_to_b * to_c - to_b * c_to_c
    if area_b <= 0.0 and to_c >= 0.0 and c_to_c <= 0.0:
        return 0.0, to_c / cc
    area_a = b_to_b * c_to_c - c_to_b * b_to_c
    if area_a <= 0.0 and b_to_c >= b_to_b and c_to_b >= c_to_c:
        along = (b_to_c - b_to_b) / ((b_to_c - b_to_b) + (c_to_b - c_to_c))
        return 1.0 - along, along
    total = area_a + area_b + area_c
    return area_b / total, area_c / total


@njit(cache=True, error_model="numpy")
def _on_triangle(point, a, b, c):
    """Weights of b and c, and the squared distance, of the closest point of one triangle. All arguments are [3]."""
    to_b = to_c = bb = bc = cc = dd = 0.0
    for k in range(3):
        u, v, d = b[k] - a[k], c[k] - a[k], point[k] - a[k]
        to_b += u * d
        to_c += v * d
        bb += u * u
        bc += u * v
        cc += v * v
        dd += d * d
    s, t = _closest_weights(to_b, to_c, bb, bc, cc)
    return s, t, dd - 2.0 * (s * to_b + t * to_c) + s * s * bb + 2.0 * s * t * bc + t * t * cc


@njit(cache=True, error_model="numpy")
def _search(points, asked, cluster_start, cluster, ring_start, ring, vertices, faces, reach):
    face = np.full(points.shape[0], -1, np.int64)
    weights = np.zeros((points.shape[0], 3), np.float64)
    for i in range(points.shape[0]):
        nearest = np.inf
        for k in range(asked.shape[1]):
            group = asked[i, k]
            for m in range(cluster_start[group], cluster_start[group + 1]):
                vertex = cluster[m]
                if _length(points[i], vertices[vertex]) - reach[vertex] > np.sqrt(nearest):
                    continue  # no triangle of this vertex comes closer
                for r in range(ring_start[vertex], ring_start[vertex + 1]):
                    corner = faces[ring[r]]
                    s, t, distance = _on_triangle(
                        points[i], vertices[corner[0]], vertices[corner[1]], vertices[corner[2]]
                    )
                    if distance < nearest:  # false for NaN, so triangles without area are passed over
                        nearest, face[i] = max(distance, 0.0), ring[r]
                        weights[i, 0], weights[i, 1], weights[i, 2] = 1.0 - s - t, s, t
    return face, weights


@njit(cache=True)
def _length(a, b):
    return np.sqrt((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2)
