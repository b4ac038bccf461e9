"""Coarser triangles over the same vertices: levels of detail that share positions, textures and morph targets.

Half-edge collapse by quadrics (Garland and Heckbert 1997): a vertex is pulled onto a neighbour that stays where it is.
"""

import heapq
from collections.abc import Sequence

import numpy as np
from numba import njit

from idto3d.export.gltf.mesh import PartMesh

POSES = 3  # how many of the expressions that move a part most must bear the collapse, besides the neutral
BORDER = 10.0  # how much more a border weighs than the surface beside it
LEAST_COSINE = 0.2  # of the angle that one collapse may turn a triangle by, in any pose
FREE, BORDERED, LOCKED = 0, 1, 2  # a vertex inside; on an open border; on a texture seam or where more surfaces meet


def coarser(parts: Sequence[PartMesh], share: float) -> tuple[np.ndarray, ...]:
    """Triangles [F', 3] over the vertices of each part, together about `share` of those they have.

    They go where they are missed least, whichever part that is. Open borders are thinned along themselves and vertices
    on texture seams stay, so that neither opens; more triangles are left where these do not allow fewer. Nothing turns
    over, on the surface or in the texture, in the neutral or in the expressions that move a part most.
    """
    starts = np.cumsum([0, *(len(part.positions) for part in parts)])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)])
    poses, kind = np.concatenate([_poses(part) for part in parts], axis=1), np.concatenate([*map(_kinds, parts)])
    uvs = np.concatenate([part.uvs for part in parts])
    arrays = (poses, faces, uvs, kind, _quadrics(poses, faces, kind))
    contiguous = (np.ascontiguousarray(one, np.int64 if one.dtype.kind == "i" else np.float64) for one in arrays)
    left = _collapsed(*contiguous, round(share * len(faces)))
    owner = np.searchsorted(starts, left[:, 0], side="right") - 1
    return tuple(left[owner == number] - starts[number] for number in range(len(parts)))


def _poses(part: PartMesh) -> np.ndarray:
    """The neutral and the POSES expressions that move the part most, [1 + POSES, V, 3] (fewer: the neutral again)."""
    moved = np.abs(part.displacements).sum((1, 2))
    most = [part.displacements[index] for index in np.argsort(-moved, kind="stable")[:POSES]]
    rest = [np.zeros_like(part.positions)] * (1 + POSES - len(most))
    return part.positions + np.stack([*rest, *most])


def _kinds(part: PartMesh) -> np.ndarray:
    """FREE, BORDERED or LOCKED for each vertex [V]."""
    count, faces = len(part.positions), part.faces
    kind = np.full(count, FREE)
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    found, times = np.unique(edges, axis=0, return_counts=True)
    kind[found[times == 1]] = BORDERED
    kind[found[times > 2]] = LOCKED
    open_edges = np.bincount(found[times == 1].ravel(), minlength=count)
    kind[open_edges > 2] = LOCKED  # where borders meet
    _, place, shared = np.unique(part.positions, axis=0, return_inverse=True, return_counts=True)
    kind[shared[place.reshape(-1)] > 1] = LOCKED
    return kind


def _quadrics(poses: np.ndarray, faces: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """The squared distances to the planes around each vertex as forms [P, V, 10] of each pose.

    Along a border stand upright planes besides, which hold its course. Large and small triangles weigh the same, so
    that the error is of one size on all parts.
    """
    forms = np.zeros((*poses.shape[:2], 10))
    for form, points in zip(forms, poses, strict=True):
        corners = points[faces]
        across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        length = np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-20)
        _add_planes(form, faces, across / length, corners[:, 0], np.ones(len(faces)))
        for k in range(3):
            edge = faces[:, [k, (k + 1) % 3]]
            along = points[edge[:, 1]] - points[edge[:, 0]]
            upright = np.cross(along, across / length)
            size = np.maximum(np.linalg.norm(upright, axis=1, keepdims=True), 1e-20)
            weight = BORDER * (kind[edge] != FREE).all(1)
            _add_planes(form, edge, upright / size, points[edge[:, 0]], weight)
    return forms


def _add_planes(form: np.ndarray, vertices: np.ndarray, normal: np.ndarray, at: np.ndarray, weight: np.ndarray) -> None:
    """Add to the forms [V, 10] of `vertices` [N, k] the planes through `at` [N, 3] across unit `normal` [N, 3]."""
    plane = np.concatenate([normal, -(normal * at).sum(1, keepdims=True)], axis=1)
    rows, columns = np.triu_indices(4)
    values = plane[:, rows] * plane[:, columns] * weight[:, None]
    for corner in vertices.T:
        for k in range(10):
            form[:, k] += np.bincount(corner, values[:, k], len(form))


@njit(cache=True)
def _cost(quadrics, poses, vertex, onto):
    """What it costs to pull `vertex` onto `onto`: the sum over the poses of the squared distances to their planes."""
    total = 0.0
    for p in range(poses.shape[0]):
        x, y, z = poses[p, onto, 0], poses[p, onto, 1], poses[p, onto, 2]
        q, r = quadrics[p, vertex], quadrics[p, onto]
        total += (q[0] + r[0]) * x * x + 2.0 * (q[1] + r[1]) * x * y + 2.0 * (q[2] + r[2]) * x * z
        total += 2.0 * (q[3] + r[3]) * x + (q[4] + r[4]) * y * y + 2.0 * (q[5] + r[5]) * y * z
        total += 2.0 * (q[6] + r[6]) * y + (q[7] + r[7]) * z * z + 2.0 * (q[8] + r[8]) * z + q[9] + r[9]
    return total


@njit(cache=True)
def _around(faces, alive, first, following, vertex):
    """The living triangles of a vertex, from its chain of corners."""
    found = []
    corner = first[vertex]
    while corner >= 0:
        if alive[corner // 3]:
            found.append(corner // 3)
        corner = following[corner]
    return found


@njit(cache=True)
def _neighbours(faces, ring, vertex):
    found = []  # a set takes seconds to compile, and there are few
    for face in ring:
        for k in range(3):
            if faces[face, k] != vertex and not _holds(found, faces[face, k]):
                found.append(faces[face, k])
    return found


@njit(cache=True)
def _holds(numbers, number):
    for one in numbers:  # noqa: SIM110
        if one == number:
            return True
    return False


@njit(cache=True)
def _turned_over(poses, uvs, corners, k, onto):
    """Whether the triangle `corners` turns over, on the surface or in the texture, with `onto` as its corner k."""
    b, c, a = corners[(k + 1) % 3], corners[(k + 2) % 3], corners[k]
    before = (uvs[b, 0] - uvs[a, 0]) * (uvs[c, 1] - uvs[a, 1]) - (uvs[b, 1] - uvs[a, 1]) * (uvs[c, 0] - uvs[a, 0])
    after = (uvs[b, 0] - uvs[onto, 0]) * (uvs[c, 1] - uvs[onto, 1])
    after -= (uvs[b, 1] - uvs[onto, 1]) * (uvs[c, 0] - uvs[onto, 0])
    if before * after < 0.0:
        return True
    for p in range(poses.shape[0]):
        side = _way(poses[p], b, c)
        old, new = _cross(side, _way(poses[p], b, a)), _cross(side, _way(poses[p], b, onto))
        if _dot(old, new) <= LEAST_COSINE * np.sqrt(_dot(old, old) * _dot(new, new)):
            return True
    return False


# Three numbers each, as tuples: what numpy has for it takes seconds to compile.


@njit(cache=True)
def _way(points, start, end):
    return (
        points[end, 0] - points[start, 0],
        points[end, 1] - points[start, 1],
        points[end, 2] - points[start, 2],
    )


@njit(cache=True)
def _cross(a, b):
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@njit(cache=True)
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True)
def _allowed(poses, faces, uvs, kind, ring, onto_ring, vertex, onto):
    """Whether the surface stays one, and the way it faces, when `vertex` is pulled onto `onto`."""
    shared = 0
    for face in ring:
        holds = False
        for k in range(3):
            holds = holds or faces[face, k] == onto
        shared += holds
    common, others = 0, _neighbours(faces, onto_ring, onto)
    for neighbour in _neighbours(faces, ring, vertex):
        common += _holds(others, neighbour)
    if shared == 0 or common != shared or (kind[vertex] == BORDERED and shared != 1):
        return False
    if len(ring) == shared and len(onto_ring) == shared:
        return False  # nothing would be left of this piece
    for face in ring:
        corners = faces[face]
        if corners[0] == onto or corners[1] == onto or corners[2] == onto:
            continue
        k = 0 if corners[0] == vertex else 1 if corners[1] == vertex else 2
        if _turned_over(poses, uvs, corners, k, onto):
            return False
    return True


@njit(cache=True)
def _collapsed(poses, faces, uvs, kind, quadrics, target):
    faces, left = faces.copy(), len(faces)
    alive, stamp = np.ones(len(faces), np.bool_), np.zeros(poses.shape[1], np.int64)
    first, last, following = _chains(faces, poses.shape[1])
    heap = _offers(poses, faces, kind, quadrics, stamp)
    while left > target and len(heap):
        _, vertex, onto, then, there = heapq.heappop(heap)
        if stamp[vertex] != then or stamp[onto] != there:
            continue  # one of the two is not what it was when this was offered
        ring = _around(faces, alive, first, following, vertex)
        onto_ring = _around(faces, alive, first, following, onto)
        if not _allowed(poses, faces, uvs, kind, ring, onto_ring, vertex, onto):
            continue
        left -= _pull(faces, alive, ring, vertex, onto)
        following[last[onto]] = first[vertex]
        last[onto] = last[vertex]
        for p in range(quadrics.shape[0]):
            for k in range(quadrics.shape[2]):
                quadrics[p, onto, k] += quadrics[p, vertex, k]
        stamp[vertex], stamp[onto] = -1, stamp[onto] + 1
        for neighbour in _neighbours(faces, _around(faces, alive, first, following, onto), onto):
            _offer(heap, poses, kind, quadrics, stamp, onto, neighbour)
            _offer(heap, poses, kind, quadrics, stamp, neighbour, onto)
    return faces[alive]


@njit(cache=True)
def _chains(faces, count):
    """The corners of each vertex as chains: its first, its last, and which one follows each (-1: none)."""
    first, last, following = np.full(count, -1), np.full(count, -1), np.full(3 * len(faces), -1)
    for corner in range(3 * len(faces)):
        vertex = faces[corner // 3, corner % 3]
        if first[vertex] < 0:
            first[vertex] = corner
        else:
            following[last[vertex]] = corner
        last[vertex] = corner
    return first, last, following


@njit(cache=True)
def _offers(poses, faces, kind, quadrics, stamp):
    """All collapses that there are to begin with, as a heap."""
    heap = [(0.0, faces[0, 0], faces[0, 0], stamp[0], stamp[0])]
    heap.clear()
    for face in range(len(faces)):
        for k in range(3):
            _offer(heap, poses, kind, quadrics, stamp, faces[face, k], faces[face, (k + 1) % 3])
            _offer(heap, poses, kind, quadrics, stamp, faces[face, (k + 1) % 3], faces[face, k])
    return heap


@njit(cache=True)
def _offer(heap, poses, kind, quadrics, stamp, vertex, onto):
    """Put the collapse of `vertex` onto `onto` into the heap, where their kinds allow it."""
    if kind[vertex] == FREE or (kind[vertex] == BORDERED and kind[onto] != FREE):
        heapq.heappush(heap, (_cost(quadrics, poses, vertex, onto), vertex, onto, stamp[vertex], stamp[onto]))


@njit(cache=True)
def _pull(faces, alive, ring, vertex, onto):
    """Put `onto` in the place of `vertex` in its triangles; returns how many of them vanish."""
    gone = 0
    for face in ring:
        for k in range(3):
            if faces[face, k] == onto:
                alive[face] = False
                gone += 1
    for face in ring:
        for k in range(3):
            if faces[face, k] == vertex:
                faces[face, k] = onto
    return gone
