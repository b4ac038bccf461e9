"""From the dense mesh to the triangles that are exported, keeping track of which point became which. numpy, metres."""

from dataclasses import dataclass

import fast_simplification
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from idto3d.export.surface import Correspondence, Groups, closest_in_groups, grouped

WELD = 1e-6  # vertices closer than this many metres in every pose are one
FEWEST = 32  # triangles that a connected piece may keep, however small it is beside the others
FACE_GAIN = 0.6  # how much larger than the back of the head the face is made before detail is shared out


@dataclass(frozen=True)
class LowMesh:
    """A decimated mesh that remembers the dense one.

    faces: [F, 3] int64. onto: where its V vertices lie on the dense mesh. clusters: the dense vertices that were
    merged into each of its vertices.
    """

    faces: np.ndarray
    onto: Correspondence
    clusters: Groups


def tidied(poses: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices that coincide in all `poses` [P, V, 3] welded, faces without three corners and loose vertices dropped.

    Returns the indices [V'] of the vertices that stay, and faces [F', 3] int64 into them. Every connected piece stays.
    """
    places = np.round(poses / WELD).transpose(1, 0, 2).reshape(poses.shape[1], -1)
    _, first, inverse = np.unique(places, axis=0, return_index=True, return_inverse=True)
    welded = first[inverse.reshape(-1)][faces]
    kept, flat = np.unique(welded[three_corners(welded)], return_inverse=True)
    return kept, flat.reshape(-1, 3).astype(np.int64)


def three_corners(faces: np.ndarray) -> np.ndarray:
    """Which [F] of `faces` do not name a vertex twice."""
    a, b, c = faces.T
    return (a != b) & (b != c) & (c != a)


def areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The area [F] of each of `faces`, in the squared unit of `points` [V, 3]."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    return 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)


def attention(points: np.ndarray) -> np.ndarray:
    """`points` [N, 3] metres with the front of the head swollen, so that triangles and texels gather on the face."""
    front = np.clip(points[:, 2:] / 0.08, 0.0, 1.0)
    return points * (1.0 + FACE_GAIN * front * front * (3.0 - 2.0 * front))


def decimate(vertices: np.ndarray, faces: np.ndarray, target: int) -> LowMesh:
    """About `target` triangles of the tidy mesh `vertices` [V, 3], `faces` [F, 3]; a small mesh is kept as it is.

    Quadric edge collapse (Garland and Heckbert 1997) in the space of `attention`. Each connected piece has its share
    of the triangles by area, never less than FEWEST, so that none vanishes.
    """
    points = attention(vertices)
    low_points, low_faces, merged = _collapsed_pieces(points, faces, target)
    low_faces = low_faces[three_corners(low_faces)]
    used, flat = np.unique(low_faces, return_inverse=True)
    clusters = _compacted(grouped(merged, len(low_points)), used)
    onto = closest_in_groups(low_points[used], np.arange(len(used))[:, None], clusters, points, faces)
    return LowMesh(flat.reshape(-1, 3).astype(np.int64), onto, clusters)


def _collapsed_pieces(points: np.ndarray, faces: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `_collapsed`, each connected piece for itself."""
    if len(faces) <= target:
        return points, faces, np.arange(len(points))
    area, low_points, low_faces, count = areas(points, faces), [], [], 0
    merged = np.zeros(len(points), np.int64)
    for rows in pieces(faces, len(points)):
        own, flat = np.unique(faces[rows], return_inverse=True)
        share = max(FEWEST, round(target * area[rows].sum() / area.sum()))
        low, triangles, onto = _collapsed(points[own], flat.reshape(-1, 3), share)
        merged[own] = onto + count
        low_points.append(low)
        low_faces.append(triangles + count)
        count += len(low)
    return np.concatenate(low_points), np.concatenate(low_faces), merged


def pieces(faces: np.ndarray, count: int) -> list[np.ndarray]:
    """The rows of `faces` [F, 3] over `count` vertices, ascending, of each connected piece."""
    rows, columns = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    links = coo_matrix((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    label = connected_components(links, directed=False)[1][faces[:, 0]]
    return np.split(np.argsort(label, kind="stable"), np.cumsum(np.bincount(label))[:-1])


def _collapsed(points: np.ndarray, faces: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decimated points, faces, and the index [V] of the decimated point each original one was merged into."""
    if len(faces) <= target:
        return points, faces, np.arange(len(points))
    _, _, collapses = fast_simplification.simplify(points, faces, target_count=target, agg=5, return_collapses=True)
    low_points, low_faces, merged = fast_simplification.replay_simplification(points, faces, collapses)
    return low_points, low_faces.astype(np.int64), merged.astype(np.int64)


def _compacted(groups: Groups, used: np.ndarray) -> Groups:
    """The groups named in `used`, in that order."""
    sizes = np.diff(groups.start)[used]
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    members = [groups.members[groups.start[g] : groups.start[g + 1]] for g in used]
    return Groups(start, np.concatenate(members).astype(np.int64))
