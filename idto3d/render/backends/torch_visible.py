"""Which triangle each pixel sees, in plain torch on any device. No gradient; all views at once.

A triangle is spread over the rows of pixel centres that it meets, a row over the pixels between the triangle's sides,
and the pixels ask the triangle. Both lists are gone through in pieces, so that memory does not grow with the picture or
the mesh. Every number is rounded as `kernel.rasterize` rounds it, and equal depths go to the same triangle: the two
agree in every bit.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from idto3d.render.backends.torch_holes import TorchHoles, is_hole

PIECE = 2**20  # rows, or pixels, that are looked at together; a pixel takes about 250 bytes
CLOSE = 1e-3  # pixels by which a row may miss a side and still count as meeting it
NOBODY = torch.iinfo(torch.int64).min


class Seen(NamedTuple):
    """As `kernel.rasterize`, for each view: face [B, H, W] int64, barycentric [B, H, W, 3], depth [B, H, W]."""

    face: Tensor
    barycentric: Tensor
    depth: Tensor


class Triangles(NamedTuple):
    """T triangles on the screen: corner positions x, y, z and 1/w [T, 3, 4] float32, and their areas [T] float32."""

    corners: Tensor
    area: Tensor

    def some(self, which: Tensor) -> "Triangles":
        """Those at the places `which`."""
        return Triangles(self.corners[which], self.area[which])


class Scene(NamedTuple):
    """What is drawn: the triangles of all views, view after view, of the faces [F, 3], and their holes."""

    triangles: Triangles
    faces: Tensor
    holes: TorchHoles | None


class Boxes(NamedTuple):
    """The rows and columns of pixel centres within each triangle's bounds, first and last, [T] int64."""

    top: Tensor
    bottom: Tensor
    left: Tensor
    right: Tensor


class Places(NamedTuple):
    """P pixels and the triangle each asks: row, column, number of the pixel among all views', number of the triangle.

    [P] int64 each.
    """

    row: Tensor
    column: Tensor
    pixel: Tensor
    triangle: Tensor


def project(clip: Tensor, size: tuple[int, int]) -> Tensor:
    """Column, row, ndc depth and 1/w [B, V, 4] float32 of clip positions [B, V, 4]; 1/w is 0 behind the camera."""
    height, width = size
    x, y, z, w = clip.float().double().unbind(-1)
    inverse = torch.where(w > 1e-8, 1 / w, torch.zeros_like(w))
    column = (x * inverse * 0.5 + 0.5) * width - 0.5
    row = (0.5 - y * inverse * 0.5) * height - 0.5
    return torch.stack([column, row, z * inverse, inverse], -1).float()


def spread(counts: Tensor, piece: int = PIECE) -> Iterator[tuple[Tensor, Tensor]]:
    """Owners and places for `counts` [N] things of each owner, at most `piece` at a time, in order.

    An owner n comes up counts[n] times, with the places 0 .. counts[n] - 1.
    """
    ends = counts.cumsum(0)
    total = int(ends[-1]) if len(ends) else 0
    for first in range(0, total, piece):
        number = torch.arange(first, min(first + piece, total), device=counts.device)
        owner = torch.searchsorted(ends, number, right=True)
        yield owner, number - (ends - counts)[owner]


def visible(
    clip: Tensor, faces: Tensor, size: tuple[int, int], holes: TorchHoles | None = None, piece: int = PIECE
) -> Seen:
    """The nearest triangle per pixel centre of faces [F, 3] at clip positions [B, V, 4], as `kernel.rasterize`."""
    corners = project(clip, size)[:, faces].flatten(0, 1)
    scene = Scene(Triangles(corners, _area(corners)), faces, holes)
    depth = clip.new_ones(len(clip) * size[0] * size[1], dtype=torch.float32)
    owner = torch.full_like(depth, -1, dtype=torch.int64)
    for places in _asked(scene, size, piece):
        _ask(places, scene, depth, owner)
    barycentric = _barycentric(scene.triangles, owner, size)
    face = torch.where(owner >= 0, owner % max(len(faces), 1), owner)
    shape = (len(clip), *size)
    return Seen(face.view(shape), barycentric.view(*shape, 3), depth.view(shape))


def _area(corners: Tensor) -> Tensor:
    """Twice the signed areas [T] of triangles [T, 3, 4], in float32."""
    x, y = corners[..., 0], corners[..., 1]
    return (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])


def _boxes(triangles: Triangles, size: tuple[int, int]) -> Boxes:
    """Those of all triangles; empty where one is not drawn."""
    height, width = size
    low, high = triangles.corners[..., :2].amin(1), triangles.corners[..., :2].amax(1)
    drawn = (triangles.corners[..., 3] > 0).all(1) & (triangles.area != 0)
    drawn &= (low.isfinite() & high.isfinite()).all(1)
    left, top = low.ceil().nan_to_num().clamp(min=0).unbind(1)
    right, bottom = high.floor().nan_to_num().unbind(1)
    right, bottom = right.clamp(max=width - 1), torch.where(drawn, bottom.clamp(max=height - 1), -1)
    return Boxes(*(edge.clamp(-1, max(size)).long() for edge in (top, bottom, left, right)))


def _asked(scene: Scene, size: tuple[int, int], piece: int) -> Iterator[Places]:
    """All pixels that triangles may cover, in the order of the triangles, in pieces."""
    height, width = size
    boxes = _boxes(scene.triangles, size)
    some = ((boxes.bottom >= boxes.top) & (boxes.right >= boxes.left)).nonzero()[:, 0]
    boxes, sides = Boxes(*(edge[some] for edge in boxes)), _true_sides(scene.triangles.some(some))
    for owner, place in spread(boxes.bottom - boxes.top + 1, piece):
        row = boxes.top[owner] + place
        low, high = _meets(sides[owner], row)
        left = torch.maximum(boxes.left[owner].double(), (low - CLOSE).ceil()).long()
        right = torch.minimum(boxes.right[owner].double(), (high + CLOSE).floor()).long()
        triangle = some[owner]
        for span, step in spread((right - left + 1).clamp(min=0), piece):
            column, line = left[span] + step, row[span]
            view = triangle[span] // len(scene.faces)
            yield Places(line, column, (view * height + line) * width + column, triangle[span])


def _true_sides(triangles: Triangles) -> Tensor:
    """Corners [T, 3, 2] double of the triangles as they are drawn; not a number where they cannot be told.

    The weights of a pixel are divided by an area in float32. Where that is off by a factor r from the true one, what is
    drawn is the triangle scaled by r about its third corner, within its own bounds.
    """
    corners = triangles.corners[..., :2].double()
    third = corners[:, 2:]
    x, y = (corners - third).unbind(-1)
    ratio = triangles.area.double() / (x[:, 0] * y[:, 1] - y[:, 0] * x[:, 1])
    ratio = torch.where((ratio - 1).abs() < 0.5, ratio, torch.nan)[:, None, None]
    return third + ratio * (corners - third)


def _meets(sides: Tensor, row: Tensor) -> tuple[Tensor, Tensor]:
    """From where to where along their `row` [S] triangles [S, 3, 2] reach: columns [S] double, a hair generous.

    Infinitely far both ways where a triangle's sides are not a number.
    """
    (x, y), (after_x, after_y) = sides.unbind(-1), sides.roll(-1, 1).unbind(-1)
    row, rise = row[:, None].double(), after_y - y
    flat = rise.abs() < CLOSE
    share = ((row - y) / torch.where(flat, 1.0, rise)).clamp(0, 1)
    at = x + share * (after_x - x)
    met = (row >= torch.minimum(y, after_y) - CLOSE) & (row <= torch.maximum(y, after_y) + CLOSE)
    low = torch.where(met, torch.where(flat, torch.minimum(x, after_x), at), torch.inf).amin(1)
    high = torch.where(met, torch.where(flat, torch.maximum(x, after_x), at), -torch.inf).amax(1)
    known = sides[:, 0, 0].isfinite()
    return torch.where(known, low, -torch.inf), torch.where(known, high, torch.inf)


def _weights(triangles: Triangles, row: Tensor, column: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How much each corner counts at pixel centres, [P] double each, before perspective; one triangle per pixel."""
    (ax, bx, cx), (ay, by, cy) = (triangles.corners[..., axis].double().unbind(1) for axis in (0, 1))
    area = triangles.area.double()
    u = ((bx - column) * (cy - row) - (by - row) * (cx - column)) / area
    v = ((cx - column) * (ay - row) - (cy - row) * (ax - column)) / area
    return u, v, 1.0 - u - v


def _ask(places: Places, scene: Scene, depth: Tensor, owner: Tensor) -> None:
    """Let `places` put what is nearer into `depth` and `owner` [B H W].

    As if one triangle came after the other, each asking whether its own depth, in double precision, is less than the
    one that is there in single precision. Of those that round to the least depth, so, the last one that lies below its
    rounded value stays, or else the first.
    """
    z, places = _nearer(places, scene, depth)
    pixel, triangle = places.pixel, places.triangle
    depth.scatter_reduce_(0, pixel, z.float(), "amin")
    least = depth[pixel]
    rank = torch.where(z < least, triangle, -1 - triangle)
    rank = torch.where(z.float() == least, rank, NOBODY)
    best = torch.full_like(owner, NOBODY).scatter_reduce_(0, pixel, rank, "amax")[pixel]
    owner[pixel] = torch.where(best < 0, -1 - best, best)


def _nearer(places: Places, scene: Scene, depth: Tensor) -> tuple[Tensor, Places]:
    """Those `places` whose triangle covers the pixel, is solid there and nearer than `depth`; theirs is [P] double."""
    asked = scene.triangles.some(places.triangle)
    weights = _weights(asked, places.row, places.column)
    a, b, c = asked.corners[..., 2].double().unbind(1)
    z = weights[0] * a + weights[1] * b + weights[2] * c
    inside = (weights[0] >= 0) & (weights[1] >= 0) & (weights[2] >= 0)
    kept = (inside & (z >= -1.0) & (z < depth[places.pixel])).nonzero()[:, 0]
    if scene.holes is not None:
        some = Places(*(values[kept] for values in places))
        weights = _in_perspective(torch.stack(weights, -1)[kept], asked.corners[kept, :, 3])
        face = some.triangle % len(scene.faces)
        kept = kept[~is_hole(scene.holes, scene.faces, face, weights, (some.row, some.column))]
    return z[kept], Places(*(values[kept] for values in places))


def _barycentric(triangles: Triangles, owner: Tensor, size: tuple[int, int]) -> Tensor:
    """Perspective-correct weights [B H W, 3] float32 of the triangles that pixels see; 0 where there is none."""
    height, width = size
    pixel = (owner >= 0).nonzero()[:, 0]
    seen = triangles.some(owner[pixel])
    weights = torch.stack(_weights(seen, pixel // width % height, pixel % width), -1)
    barycentric = torch.zeros(len(owner), 3, device=owner.device)
    barycentric[pixel] = _in_perspective(weights, seen.corners[..., 3]).float()
    return barycentric


def _in_perspective(weights: Tensor, inverse_w: Tensor) -> Tensor:
    """How much each corner counts on the surface, [P, 3] double, from how much it does on the screen."""
    weights = weights * inverse_w.double()
    return weights / (weights[:, 0] + weights[:, 1] + weights[:, 2])[:, None]
