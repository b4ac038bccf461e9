"""Where the outline of a mesh passes between two pixel centres, in plain torch on any device; all views at once.

The same as `silhouette`, in every bit, for hosts on which numba cannot reach the pictures. No gradient.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from idto3d.render.backends.silhouette import DEPTH_SLACK, DEPTH_STEP
from idto3d.render.backends.torch_visible import PIECE, project, spread

NOBODY = torch.iinfo(torch.int64).max


class Edges(NamedTuple):
    """The edges of a mesh, whatever it looks like; G of them.

    ends [G, 2] vertices. count [G]: how many faces share an edge; of [3 F]: the edge of each side of each face. first
    and last [G]: the first and the last such side, numbered 3 face + side. third [3 F]: the vertex across a side.
    """

    ends: Tensor
    count: Tensor
    of: Tensor
    first: Tensor
    last: Tensor
    third: Tensor


class Outline(NamedTuple):
    """N edges of outlines: view, its two ends and the third vertex of a face beside it, [N] int64 each."""

    view: Tensor
    a: Tensor
    b: Tensor
    c: Tensor


class Lines(NamedTuple):
    """How outline edges cross rows (axis 0, steep edges) or columns (axis 1) of pixel centres; [N] each.

    start and end: where the ends lie across; origin and slope: the place along of the first, and its change per line;
    depth: 1/w of the ends [N, 2]; first and count: the lines. near_is_lower: whether the object lies at lower places.
    """

    view: Tensor
    axis: Tensor
    start: Tensor
    end: Tensor
    origin: Tensor
    slope: Tensor
    depth: Tensor
    near_is_lower: Tensor
    first: Tensor
    count: Tensor


def edges_of(faces: Tensor, vertices: int) -> Edges:
    """The edges of faces [F, 3] between that many vertices, in the order in which `silhouette` goes through them."""
    a, b, third = faces.reshape(-1), faces.roll(-1, 1).reshape(-1), faces.roll(-2, 1).reshape(-1)
    low, high = torch.minimum(a, b), torch.maximum(a, b)
    key, order = torch.sort(low * vertices + high, stable=True)
    key, of, count = torch.unique_consecutive(key, return_inverse=True, return_counts=True)
    ends = count.cumsum(0)
    first, last = order[ends - count], order[ends - 1]
    sorted_first = torch.argsort(low[first] * len(a) + first)
    place = torch.empty_like(sorted_first)
    place[sorted_first] = torch.arange(len(place), device=place.device)
    edge_of_side = torch.empty_like(of)
    edge_of_side[order] = place[of]
    first, last = first[sorted_first], last[sorted_first]
    return Edges(torch.stack([low, high], 1)[first], count[sorted_first], edge_of_side, first, last, third)


def outline_crossings(clip: Tensor, faces: Tensor, edges: Edges, face: Tensor, barycentric: Tensor) -> Tensor:
    """Pairs of neighbouring pixels with an outline edge between them, [N, 6] int64, view after view.

    clip: [B, V, 4]. faces: [F, 3], edges: theirs. face [B, H, W], barycentric [B, H, W, 3]: from the rasteriser. The
    columns are those of `silhouette.outline_crossings`; numbers of vertices and pixels count on from view to view.
    """
    size = tuple(face.shape[1:])
    screen = project(clip, size)
    outline = _outline(edges, _facing(screen, faces))
    lines = _lines(screen, outline, size)
    owner = _outermost(lines, _eye_depth(clip, faces, face, barycentric), size)
    return _pairs(outline, owner, lines.near_is_lower, clip.shape[1], size)


def _facing(screen: Tensor, faces: Tensor) -> Tensor:
    """+1 or -1 per face [B, F] by its winding on the screen, 0 for none or where a corner is behind the camera."""
    x, y, _, inverse = screen[:, faces].unbind(-1)
    area = (x[..., 1] - x[..., 0]) * (y[..., 2] - y[..., 0])
    area = area - (y[..., 1] - y[..., 0]) * (x[..., 2] - x[..., 0])
    return area.sign().nan_to_num().long() * (inverse > 0).all(-1)


def _outline(edges: Edges, facing: Tensor) -> Outline:
    """The edges that have one face only, or whose faces turn opposite ways; facing [B, F]."""
    sides = facing.repeat_interleave(3, 1)
    total = torch.zeros(len(facing), len(edges.count), dtype=torch.int64, device=facing.device)
    total = total.index_add_(1, edges.of, sides)
    view, edge = ((edges.count == 1) | (total.abs() != edges.count)).nonzero(as_tuple=True)
    unseen = sides[view, edges.first[edge]] == 0
    third = edges.third[torch.where(unseen, edges.last[edge], edges.first[edge])]
    return Outline(view, edges.ends[edge, 0], edges.ends[edge, 1], third)


def _lines(screen: Tensor, outline: Outline, size: tuple[int, int]) -> Lines:
    """Of which lines each outline edge crosses how much; none where an end is behind the camera."""
    a, b, c = (screen[outline.view, vertex] for vertex in outline[1:])
    steep = (b[:, 1] - a[:, 1]).abs() >= (b[:, 0] - a[:, 0]).abs()
    along, across = ([torch.where(steep, p[:, i], p[:, 1 - i]) for p in (a, b, c)] for i in (0, 1))
    start, end = across[0], across[1]
    slope = (along[1] - along[0]) / (end - start)
    near_is_lower = along[2] < along[0] + (across[2] - start) * slope
    limit = torch.where(steep, *size)
    first = torch.minimum(start, end).ceil().nan_to_num().clamp(0, max(size)).long()
    last = torch.minimum(torch.maximum(start, end).ceil().nan_to_num().clamp(0, max(size)).long(), limit)
    there = (a[:, 3] > 0) & (b[:, 3] > 0) & (start != end) & slope.isfinite()
    depth = torch.stack([a[:, 3], b[:, 3] - a[:, 3]], 1)
    count = (last - first).clamp(min=0) * there
    return Lines(outline.view, (~steep).long(), start, end, along[0], slope, depth, near_is_lower, first, count)


def _eye_depth(clip: Tensor, faces: Tensor, face: Tensor, barycentric: Tensor) -> Tensor:
    """Distance along the viewing axis per pixel [B H W] double, infinite where nothing is seen."""
    view, row, column = (face >= 0).nonzero(as_tuple=True)
    corners = clip.float()[view[:, None], faces[face[view, row, column]], 3]
    parts = (barycentric[view, row, column].float() * corners).double()
    depth = torch.full(face.shape, torch.inf, dtype=torch.float64, device=clip.device)
    depth[view, row, column] = parts[:, 0] + parts[:, 1] + parts[:, 2]
    return depth.view(-1)


def _outermost(lines: Lines, depth: Tensor, size: tuple[int, int]) -> Tensor:
    """Which edge lies farthest out between each pixel and the next, [B 2 H W] int64, first in rows; -1 for none.

    Of edges equally far out the first counts.
    """
    best = torch.full((2 * len(depth),), -1.0, dtype=torch.float64, device=depth.device)
    owner = torch.full_like(best, -1, dtype=torch.int64)
    for edge, place in spread(lines.count, PIECE):
        slot, reach, edge = _crossed(Lines(*(value[edge] for value in lines)), place, edge, depth, size)
        farther = (reach > best[slot]).nonzero()[:, 0]
        slot, reach, edge = slot[farther], reach[farther], edge[farther]
        best.scatter_reduce_(0, slot, reach, "amax")
        candidate = torch.where(reach == best[slot], edge, NOBODY)
        owner[slot] = torch.full_like(owner, NOBODY).scatter_reduce_(0, slot, candidate, "amin")[slot]
    return owner


def _crossed(
    lines: Lines, place: Tensor, edge: Tensor, depth: Tensor, size: tuple[int, int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Crossings of one line each that separate two pixels: between which, how far out, and the edge."""
    height, width = size
    line = lines.first + place
    after = line - lines.start.double()
    at = lines.origin + after * lines.slope
    edge_depth = 1.0 / (lines.depth[:, 0] + after / (lines.end - lines.start) * lines.depth[:, 1])
    in_row = lines.axis == 0
    lower = at.floor()
    inside = (lower >= 0) & (lower < torch.where(in_row, width, height) - 1)
    lower = torch.where(inside, lower, 0).long()
    pixel = torch.where(in_row, line * width + lower, lower * width + line)
    first = lines.view * height * width + pixel
    ends = depth[first], depth[torch.where(inside, first + torch.where(in_row, 1, width), first)]
    near, far = torch.where(lines.near_is_lower, *ends), torch.where(lines.near_is_lower, *ends[::-1])
    parted = (near <= edge_depth * (1.0 + DEPTH_SLACK)) & (far >= edge_depth * (1.0 + DEPTH_STEP))
    reach = torch.where(lines.near_is_lower, at - lower, lower + 1 - at)
    slot = (2 * lines.view + lines.axis) * height * width + pixel
    kept = (inside & parted).nonzero()[:, 0]
    return slot[kept], reach[kept], edge[kept]


def _pairs(outline: Outline, owner: Tensor, near_is_lower: Tensor, vertices: int, size: tuple[int, int]) -> Tensor:
    """The columns of `outline_crossings` where an edge was found."""
    pixels = size[0] * size[1]
    slot = (owner >= 0).nonzero()[:, 0]
    edge, axis = owner[slot], slot // pixels % 2
    view, is_lower = outline.view[edge], near_is_lower[edge]
    lower = view * pixels + slot % pixels
    upper = lower + torch.where(axis == 0, 1, size[1])
    near, far = torch.where(is_lower, lower, upper), torch.where(is_lower, upper, lower)
    first, second = outline.a[edge] + view * vertices, outline.b[edge] + view * vertices
    return torch.stack([first, second, near, far, axis, 2 * is_lower.long() - 1], 1)
