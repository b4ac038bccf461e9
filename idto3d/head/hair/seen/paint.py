"""Photos laid onto hair: every card that faces a camera gets a tile of its own with the pixels that lie behind it."""

import numpy as np

from idto3d.head.hair.atlas import COLUMNS, PAINTED, ROWS, Atlas, cap_uvs, tile_place, tile_size
from idto3d.head.hair.cards import Strips
from idto3d.head.hair.part import Layout
from idto3d.head.hair.seen.colours import seen_colour
from idto3d.head.hair.seen.view import HairView
from idto3d.render.backends.kernel import rasterize

DETAIL = 0.45  # exponent of the painted strands' tone that is kept over the photo's pixels
EVEN = 0.6  # of the painted relief that gives way to the photo's
CAP_TONE = 0.8  # of the photo on the cap, which lies a little in the shade


def with_own_tiles(layout: Layout, views: list[HairView]) -> tuple[Layout, list[np.ndarray]]:
    """The layout in which the cards that face a view most have a tile each, and which cards of each group those are."""
    own = COLUMNS * ROWS - PAINTED
    facing = [_facing(strips, views) for strips, _ in layout.groups]
    every = np.concatenate(facing)
    least = np.sort(every)[-own] if len(every) > own else 0.0
    groups, chosen, used = [], [], PAINTED
    for (strips, tiles), share in zip(layout.groups, facing, strict=True):
        rows = np.flatnonzero(share > max(least, 0.02))
        tiles = tiles % PAINTED
        tiles[rows] = used + np.arange(len(rows))
        used += len(rows)
        groups.append((strips, tiles))
        chosen.append(rows)
    return Layout(layout.cap, groups), chosen


def _facing(strips: Strips, views: list[HairView]) -> np.ndarray:
    """[C] how much of each card some view sees; outer layers count more."""
    middle, normals = strips.vertices.mean(2), strips.normals
    best = np.zeros(len(middle))
    for view in views:
        worth = seen_colour(view, view.colour, middle.reshape(-1, 3), normals.reshape(-1, 3))[1]
        best = np.maximum(best, worth.reshape(middle.shape[:2]).mean(1))
    return best * (0.5 + 0.5 * strips.level)


def lay_photos(
    atlas: Atlas, layout: Layout, chosen: list[np.ndarray], views: list[HairView], even: list[np.ndarray]
) -> Atlas:
    """The atlas with the pixels of the views, evened in light [S, S, 3], on the chosen cards and on the cap."""
    albedo, slope, size = atlas.albedo.copy(), atlas.slope.copy(), len(atlas.albedo)
    height, width = tile_size(size)
    for (strips, tiles), rows in zip(layout.groups, chosen, strict=True):
        points, normals = _texels(strips.vertices[rows], strips.normals[rows], height, width)
        colour, worth = _best(points, normals, views, even)
        for number, card in enumerate(rows):
            place = tile_place(int(tiles[card]), size)
            albedo[place] = _over(albedo[place], colour[number], worth[number], DETAIL)
            slope[place] *= 1 - EVEN * worth[number]
    there, colour, worth = _on_cap(layout, size, views, even)
    albedo[there] += worth[:, None] * (CAP_TONE * colour - albedo[there])
    slope[there] *= 1 - worth
    return Atlas(np.clip(albedo, 0, 1), atlas.opacity, slope)


def _over(painted: np.ndarray, colour: np.ndarray, worth: np.ndarray, detail: float) -> np.ndarray:
    """The photo's colour over the painted one, with some of the painted strands' tone."""
    grey = painted.mean(-1, keepdims=True)
    tone = (grey / max(float(grey.mean()), 1e-4)) ** detail
    return painted + worth[..., None] * (colour * tone - painted)


def _texels(vertices: np.ndarray, normals: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals [C, H, W, 3] of the texels of cards, vertices [C, T, 2, 3] and normals [C, T, 3]."""
    place = (np.arange(height) + 0.5) / height * (vertices.shape[1] - 1)
    low = np.minimum(place.astype(int), vertices.shape[1] - 2)
    share = place - low
    rows = vertices[:, low] * (1 - share)[:, None, None] + vertices[:, low + 1] * share[:, None, None]
    across = ((np.arange(width) + 0.5) / width)[:, None]
    points = rows[:, :, None, 0] * (1 - across) + rows[:, :, None, 1] * across
    turned = normals[:, low] * (1 - share)[:, None] + normals[:, low + 1] * share[:, None]
    return points, np.broadcast_to(turned[:, :, None], points.shape)


def _best(points: np.ndarray, normals: np.ndarray, views: list[HairView], even: list[np.ndarray]):
    """Colours [..., 3] and worth [...] of the views at `points` [..., 3], each weighted by what it sees."""
    shape, flat, turned = points.shape[:-1], points.reshape(-1, 3), normals.reshape(-1, 3)
    total, weights, most = np.zeros_like(flat), np.full(len(flat), 1e-6), np.zeros(len(flat))
    for view, pixels in zip(views, even, strict=True):
        colour, worth = seen_colour(view, pixels, flat, turned)
        total, weights = total + (worth**2)[:, None] * colour, weights + worth**2
        most = np.maximum(most, worth)
    return (total / weights[:, None]).reshape(*shape, 3), most.reshape(shape)


def _on_cap(layout: Layout, size: int, views: list[HairView], even: list[np.ndarray]):
    """Which texels [S, S] the cap takes, and the views' colours [P, 3] and worth [P] there.

    Where two sheets of it lie over each other, the texels are the outer one's.
    """
    cap = layout.cap
    corners = cap_uvs(cap.uvs, size).reshape(-1, 2) * [2, -2] + [-1, 1]
    depth = 0.5 - np.linalg.norm(cap.vertices[cap.faces].reshape(-1, 3), axis=1, keepdims=True)
    flat = np.concatenate([corners, depth, np.ones((len(corners), 1))], 1).astype(np.float32)
    own = np.arange(len(corners), dtype=np.int32).reshape(-1, 3)
    face, weight, _ = rasterize(flat, own, size, size)
    there = face >= 0
    points, normals = (
        np.einsum("pk,pkc->pc", weight[there], values[cap.faces[face[there]]]) for values in (cap.vertices, cap.normals)
    )
    return there, *_best(points, normals, views, even)
