"""Where the outline of a mesh passes between two pixel centres. Numba, no gradient, one mesh per call.

An edge belongs to the outline when its faces turn opposite ways on the screen, or when it has one face only. Looking
for edges rather than for the faces that the pixels happen to see keeps the outline complete when triangles are
smaller than pixels. Pairs of pixels across a steep edge are neighbours in a row, across a flat one in a column, so
that each piece of the outline counts once in the derivative of an area.
"""

import numpy as np
from numba import njit

from idto3d.render.backends.kernel import _project

DEPTH_STEP = 0.003  # least distance from the edge to what it hides, relative to its distance from the camera
DEPTH_SLACK = 0.02  # most that the seen surface may lie behind its own outline, likewise


@njit(nogil=True, cache=True)
def _facing(screen, faces):
    """+1 or -1 per face by its winding on the screen, 0 for none or where a corner is behind the camera."""
    facing = np.zeros(len(faces), np.int8)
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        if screen[a, 3] <= 0.0 or screen[b, 3] <= 0.0 or screen[c, 3] <= 0.0:
            continue
        area = (screen[b, 0] - screen[a, 0]) * (screen[c, 1] - screen[a, 1])
        area -= (screen[b, 1] - screen[a, 1]) * (screen[c, 0] - screen[a, 0])
        facing[f] = 1 if area > 0.0 else -1 if area < 0.0 else 0
    return facing


@njit(nogil=True, cache=True)
def _bucket_edges(faces, vertex_count):
    """Half-edges sorted by their lower vertex: start [V+1], then per half-edge the upper and the third vertex, face."""
    start = np.zeros(vertex_count + 1, np.int64)
    for f in range(len(faces)):
        for k in range(3):
            start[min(faces[f, k], faces[f, (k + 1) % 3]) + 1] += 1
    for v in range(vertex_count):
        start[v + 1] += start[v]
    cursor = start[:-1].copy()
    entry = np.empty((3 * len(faces), 3), np.int32)
    for f in range(len(faces)):
        for k in range(3):
            i, j = faces[f, k], faces[f, (k + 1) % 3]
            at = cursor[min(i, j)]
            cursor[min(i, j)] += 1
            entry[at, 0], entry[at, 1], entry[at, 2] = max(i, j), faces[f, (k + 2) % 3], f
    return start, entry


@njit(nogil=True, cache=True)
def _outline_edges(faces, facing, vertex_count):
    """Edges [N, 3] of the outline: two ends and the third vertex of a face beside it."""
    start, entry = _bucket_edges(faces, vertex_count)
    used = np.zeros(len(entry), np.bool_)
    edges = np.empty((len(entry), 3), np.int32)
    count = 0
    for v in range(vertex_count):
        for i in range(start[v], start[v + 1]):
            if used[i]:
                continue
            number, total, third = 1, int(facing[entry[i, 2]]), entry[i, 1]
            for j in range(i + 1, start[v + 1]):
                if entry[j, 0] == entry[i, 0]:
                    used[j] = True
                    number += 1
                    total += facing[entry[j, 2]]
                    if facing[entry[i, 2]] == 0:
                        third = entry[j, 1]
            if number == 1 or abs(total) != number:
                edges[count, 0], edges[count, 1], edges[count, 2] = v, entry[i, 0], third
                count += 1
    return edges[:count]


@njit(nogil=True, cache=True)
def _eye_depth(clip, faces, face, barycentric):
    """Distance along the viewing axis per pixel, infinite where nothing is seen."""
    depth = np.full(face.shape, np.inf)
    for y in range(face.shape[0]):
        for x in range(face.shape[1]):
            if face[y, x] >= 0:
                corners = faces[face[y, x]]
                depth[y, x] = 0.0
                for k in range(3):
                    depth[y, x] += barycentric[y, x, k] * clip[corners[k], 3]
    return depth


@njit(nogil=True, cache=True)
def _record(best, owner, axis, line, along, near_is_lower, edge, edge_depth, depth):
    """Keep the crossing if it separates its two pixels and lies farther out than the one already known."""
    lower = int(np.floor(along))
    limit = depth.shape[1 - axis] - 1
    if lower < 0 or lower >= limit:
        return
    low = depth[line, lower] if axis == 0 else depth[lower, line]
    high = depth[line, lower + 1] if axis == 0 else depth[lower + 1, line]
    near, far = (low, high) if near_is_lower else (high, low)
    if near > edge_depth * (1.0 + DEPTH_SLACK) or far < edge_depth * (1.0 + DEPTH_STEP):
        return
    reach = along - lower if near_is_lower else lower + 1 - along
    y, x = (line, lower) if axis == 0 else (lower, line)
    if reach > best[axis, y, x]:
        best[axis, y, x] = reach
        owner[axis, y, x] = 2 * edge + (1 if near_is_lower else 0)


@njit(nogil=True, cache=True)
def _cross_lines(screen, edges, depth, best, owner):
    """Walk every outline edge over the rows (steep edges) or columns (flat edges) of pixel centres it crosses."""
    for e in range(len(edges)):
        a, b, c = edges[e, 0], edges[e, 1], edges[e, 2]
        if screen[a, 3] <= 0.0 or screen[b, 3] <= 0.0:
            continue
        steep = abs(screen[b, 1] - screen[a, 1]) >= abs(screen[b, 0] - screen[a, 0])
        axis, along, across = (0, 0, 1) if steep else (1, 1, 0)
        start, end = screen[a, across], screen[b, across]
        if start == end:
            continue
        slope = (screen[b, along] - screen[a, along]) / (end - start)
        near_is_lower = screen[c, along] < screen[a, along] + (screen[c, across] - start) * slope
        first = max(0, int(np.ceil(min(start, end))))
        last = min(depth.shape[axis], int(np.ceil(max(start, end))))
        for line in range(first, last):
            t = (line - start) / (end - start)
            edge_depth = 1.0 / (screen[a, 3] + t * (screen[b, 3] - screen[a, 3]))
            crossing = screen[a, along] + (line - start) * slope
            _record(best, owner, axis, line, crossing, near_is_lower, e, edge_depth, depth)


def outline_crossings(clip: np.ndarray, faces: np.ndarray, face: np.ndarray, barycentric: np.ndarray) -> np.ndarray:
    """Pairs of neighbouring pixels with an outline edge between them, [N, 6] int64.

    clip: [V, 4] float32. faces: [F, 3] int32. face [H, W] int32, barycentric [H, W, 3] float32: from the rasteriser.
    Columns: the edge's two vertices; the pixel (row * W + column) on the object; the pixel beyond it; axis, 0 for
    neighbours in a row and 1 in a column; direction from the first pixel to the second, +1 or -1.
    Of several edges between one pair the outermost is returned.
    """
    height, width = face.shape
    screen = _project(clip, height, width)
    edges = _outline_edges(faces, _facing(screen, faces), len(clip))
    best = np.full((2, height, width), -1.0)
    owner = np.full((2, height, width), -1, np.int64)
    _cross_lines(screen, edges, _eye_depth(clip, faces, face, barycentric), best, owner)
    axis, y, x = np.nonzero(owner >= 0)
    owned = owner[axis, y, x]
    near_is_lower = owned % 2
    lower = y * width + x
    upper = lower + np.where(axis == 0, 1, width)
    near, far = np.where(near_is_lower, lower, upper), np.where(near_is_lower, upper, lower)
    ends = edges[owned // 2, :2].astype(np.int64)
    return np.stack([ends[:, 0], ends[:, 1], near, far, axis, 2 * near_is_lower - 1], axis=1)
