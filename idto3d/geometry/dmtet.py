"""From signed distances on a tetrahedral grid to a mesh, in a narrow band about the surface.

Marching tetrahedra as in DMTet (Shen et al. 2021): a mesh vertex sits where the distance, taken as linear along an
edge, is zero; the mesh is differentiable in the distances and in the positions of the grid.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from idto3d.geometry.tet_grid import TetGrid, cell_tets

TET_EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
NONE = (-1, -1, -1)
# Row: which corners lie inside (bit i for corner i). Entries: up to two triangles by edge number, wound outwards for
# a tetrahedron of positive volume.
TRIANGLES = (
    (NONE, NONE),
    ((0, 1, 2), NONE),
    ((0, 4, 3), NONE),
    ((1, 2, 4), (1, 4, 3)),
    ((1, 3, 5), NONE),
    ((0, 5, 2), (0, 3, 5)),
    ((0, 4, 5), (0, 5, 1)),
    ((2, 4, 5), NONE),
    ((2, 5, 4), NONE),
    ((0, 1, 5), (0, 5, 4)),
    ((0, 5, 3), (0, 2, 5)),
    ((1, 5, 3), NONE),
    ((1, 3, 4), (1, 4, 2)),
    ((0, 3, 4), NONE),
    ((0, 2, 1), NONE),
    (NONE, NONE),
)
SHORTEST = 1e-6  # metres; keeps the gradient of a crossing finite where both ends are almost on the surface
MARGIN = 1e-3  # least distance at the band's border, in grid spacings


class EmptyMesh(Exception):
    """The signed distance has one sign everywhere: there is no surface."""


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where a surface crosses a grid.

    faces [F, 3] int64 index the V mesh vertices, wound outwards; edges [V, 2] int64 are the two grid vertices each
    mesh vertex lies between; weight [V], 0 at the first and 1 at the second, differentiable; vertices [V, 3].
    """

    faces: Tensor
    edges: Tensor
    weight: Tensor
    vertices: Tensor

    def interpolate(self, attribute: Tensor) -> Tensor:
        """`interpolate_edges(attribute, self)`."""
        return interpolate_edges(attribute, self)


@dataclass(frozen=True, eq=False)
class Band:
    """The part of a grid near the surface. Everything but `points` indexes into `points`.

    points [P] int64 grid vertices; tets [T, 4]; edges [E, 2], each once; tet_edges [T, 6] in the order of TET_EDGES;
    border [P] int8: the sign a vertex on the band's border must keep, 0 for the free ones; margin: metres it keeps.
    """

    points: Tensor
    tets: Tensor
    edges: Tensor
    tet_edges: Tensor
    border: Tensor
    margin: float

    def hold(self, sdf: Tensor) -> Tensor:
        """`sdf` [P] with the border's values kept on their side of zero, so that the mesh stays closed."""
        held = torch.where(self.border > 0, sdf.clamp_min(self.margin), sdf)
        return torch.where(self.border < 0, held.clamp_max(-self.margin), held)

    def march(self, positions: Tensor, sdf: Tensor) -> Crossing:
        """The closed surface in the band. positions [P, 3] metres, sdf [P] metres. Raises EmptyMesh."""
        return _march(positions, self.hold(sdf), self.tets, self.edges, self.tet_edges)


def narrow_band(grid: TetGrid, sdf: Tensor, width: float) -> Band:
    """The cells of `grid` with a corner nearer than `width` metres to the surface, or crossed by it.

    sdf [N] metres. The faces of the box count as outside. Raises EmptyMesh when no cell is crossed.
    """
    values = _outside_at_the_box(sdf.detach().view(grid.shape))
    chosen = _cells_near(values, width)
    cells = chosen.nonzero()
    tets = cell_tets(grid.shape, cells)
    points, tets = _renumbered(tets, len(sdf))
    edges, tet_edges = unique_tet_edges(tets, len(points))
    side = 1 - 2 * (values.reshape(-1)[points] < 0).to(torch.int8)
    border = _border(chosen).view(-1)[points] * side
    return Band(points, tets, edges, tet_edges, border, MARGIN * grid.spacing)


def marching_tets(positions: Tensor, sdf: Tensor, tets: Tensor) -> Crossing:
    """The surface where `sdf` [P] is zero. positions [P, 3] metres; tets [T, 4] of positive volume. Raises EmptyMesh.

    For one-off use; a Band keeps its edges and marches faster.
    """
    edges, tet_edges = unique_tet_edges(tets, len(positions))
    return _march(positions, sdf, tets, edges, tet_edges)


def interpolate_edges(attribute: Tensor, crossing: Crossing) -> Tensor:
    """`attribute` [P, C] of the grid at the mesh vertices, [V, C]; differentiable in attribute and weight."""
    first, second = (attribute.index_select(0, crossing.edges[:, end]) for end in range(2))
    return torch.lerp(first, second, crossing.weight[:, None])


def unique_tet_edges(tets: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Edges [E, 2] (lower index first), each once, and each tetrahedron's edges [T, 6] among them."""
    ends = tets[:, TET_EDGES].sort(-1).values.view(-1, 2)
    keys, places = torch.unique(ends[:, 0] * count + ends[:, 1], return_inverse=True)
    return torch.stack([keys // count, keys % count], -1), places.view(-1, 6)


def without_islands(grid: TetGrid, sdf: Tensor) -> Tensor:
    """`sdf` [N] in which only the largest solid and the space around it are left; floating bits and bubbles are gone.

    Vertices of a bit that goes take a large value of the other sign, so that no band is made about them.
    """
    inside = (sdf.detach() < 0).view(grid.shape).cpu().numpy()
    solid = _largest_part(inside, np.ones((3, 3, 3)))
    hollow = _largest_part(~solid, None)
    far = float(sdf.detach().abs().max())
    cleaned = torch.where(torch.from_numpy(inside & ~solid).view(-1).to(sdf.device), far, sdf)
    return torch.where(torch.from_numpy(~inside & ~hollow).view(-1).to(sdf.device), -far, cleaned)


def _march(positions: Tensor, sdf: Tensor, tets: Tensor, edges: Tensor, tet_edges: Tensor) -> Crossing:
    inside = sdf.detach() < 0
    first, second = inside.index_select(0, edges[:, 0]), inside.index_select(0, edges[:, 1])
    crossed = first != second
    if not bool(crossed.any()):
        raise EmptyMesh("the signed distance does not change its sign")
    number = crossed.cumsum(0) - 1
    faces = number[_triangle_edges(inside, tets, tet_edges)]
    ends = edges[crossed]
    weight = _crossing_weight(sdf, ends)
    vertices = torch.lerp(positions[ends[:, 0]], positions[ends[:, 1]], weight[:, None])
    return Crossing(faces, ends, weight, vertices)


def _crossing_weight(sdf: Tensor, ends: Tensor) -> Tensor:
    first, second = sdf.index_select(0, ends[:, 0]).abs(), sdf.index_select(0, ends[:, 1]).abs()
    return first / (first + second).clamp_min(SHORTEST)


def _triangle_edges(inside: Tensor, tets: Tensor, tet_edges: Tensor) -> Tensor:
    """Edge numbers [F, 3] of the triangles in every tetrahedron that has corners on both sides."""
    corner = inside.to(torch.uint8)
    case = sum(corner.index_select(0, tets[:, place]) << place for place in range(4))
    mixed = ((case > 0) & (case < 15)).nonzero()[:, 0]
    rows = torch.tensor(TRIANGLES, device=tets.device)[case[mixed].long()]
    edges = tet_edges[mixed].gather(1, rows.clamp_min(0).view(-1, 6)).view(-1, 3)
    return edges[rows[..., 0].view(-1) >= 0]


def _outside_at_the_box(values: Tensor) -> Tensor:
    """`values` [X, Y, Z] with every vertex on a face of the box outside the surface."""
    inner = torch.zeros_like(values, dtype=torch.bool)
    inner[1:-1, 1:-1, 1:-1] = True
    return torch.where(inner, values, values.clamp_min(SHORTEST))


def _cells_near(values: Tensor, width: float) -> Tensor:
    """Which cells [X-1, Y-1, Z-1] have a corner within `width` of zero or corners of both signs. Raises EmptyMesh."""
    near, inside = _any_corner(values.abs() < width), _any_corner(values < 0)
    crossed = inside & _any_corner(values >= 0)
    if not bool(crossed.any()):
        raise EmptyMesh("the signed distance does not change its sign inside the box")
    return near | crossed


def _any_corner(flags: Tensor) -> Tensor:
    """Per cell, whether any of its eight corners is set: [X, Y, Z] to [X-1, Y-1, Z-1]."""
    for axis in range(3):
        count = flags.shape[axis]
        flags = flags.narrow(axis, 0, count - 1) | flags.narrow(axis, 1, count - 1)
    return flags


def _border(chosen: Tensor) -> Tensor:
    """Which vertices [X, Y, Z] have a neighbouring cell that is not chosen; the box's faces always do."""
    return _any_corner(torch.nn.functional.pad(~chosen, (1, 1, 1, 1, 1, 1), value=True))


def _renumbered(tets: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The vertices in use [P], ascending, and `tets` as indices into them."""
    used = torch.zeros(count, dtype=torch.bool, device=tets.device)
    used[tets.view(-1)] = True
    number = used.cumsum(0) - 1
    return used.nonzero()[:, 0], number[tets]


def _largest_part(mask: np.ndarray, neighbours: np.ndarray | None) -> np.ndarray:
    """The largest connected part of `mask` [X, Y, Z], as a mask."""
    labels, count = ndimage.label(mask, neighbours)
    if count < 2:
        return mask
    return labels == np.bincount(labels[mask]).argmax()
