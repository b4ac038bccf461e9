"""Photos laid onto cards: those that face a camera most get a tile of their own, with what the cap shows below them."""

import numpy as np
from scipy.ndimage import gaussian_filter1d, map_coordinates

from idto3d.head.hair.atlas import PHOTOS, Atlas, cap_uvs
from idto3d.head.hair.cap import unrolled
from idto3d.head.hair.cards import Strips
from idto3d.head.hair.part import Layout
from idto3d.head.hair.seen.colours import seen_colour, shown_as_other
from idto3d.head.hair.seen.surface import SHADE, STRAY, Evidence, best_colour, density

DETAIL = 0.35  # exponent of the painted strands' tone that is kept over the photo's pixels
ALIKE, APART = 1.0, 2.2  # texels over which strands of a card end alike; how far apart, against cards
ALONG = 0.05  # of a card's length over which a photo's colours are averaged along it, standard deviation
UNEVEN, DARKEST = 0.08, 1e-3  # deviation of the logarithm of cards' brightness from the cap's; linear
RELIEF = 0.5  # of the painted strands' relief: photos show the strands' light already


def with_own_tiles(layout: Layout, evidence: Evidence) -> tuple[Layout, list[np.ndarray]]:
    """The layout in which the cards that face a view most have a tile each, and which cards of each group those are.

    Those that lie over a border of the hair in it come first: only a tile of their own can end there.
    """
    own = PHOTOS.own
    facing = [_facing(strips, evidence) * (tiles < PHOTOS.body) for strips, tiles in layout.groups]
    every = np.concatenate(facing)
    least = np.sort(every)[-own] if len(every) > own else 0.0
    groups, chosen, used = [], [], PHOTOS.shared
    for (strips, tiles), share in zip(layout.groups, facing, strict=True):
        rows = np.flatnonzero(share > max(least, 0.02))
        tiles = tiles.copy()
        tiles[rows] = used + np.arange(len(rows))
        used += len(rows)
        groups.append((strips, tiles))
        chosen.append(rows)
    return Layout(layout.cap, groups, layout.grid), chosen


def _facing(strips: Strips, evidence: Evidence) -> np.ndarray:
    """[C] how much of each card some view sees, and 1 more where it shows something else than hair on its rim."""
    middle, normals = strips.vertices.mean(2), strips.normals
    best, over = np.zeros(len(middle)), np.zeros(len(middle))
    for view in evidence.views:
        worth = seen_colour(view, view.colour, middle.reshape(-1, 3), normals.reshape(-1, 3))[1]
        best = np.maximum(best, worth.reshape(middle.shape[:2]).mean(1))
        rim = strips.vertices.reshape(-1, 3), np.repeat(normals.reshape(-1, 3), 2, 0)
        other = shown_as_other(view, *rim, np.zeros(len(rim[0])))
        over = np.maximum(over, other.reshape(len(middle), -1).max(1))
    return best + (over > 0.5)


def painted_cards(
    atlas: Atlas, layout: Layout, chosen: list[np.ndarray], evidence: Evidence, random: np.random.Generator
) -> Atlas:
    """The atlas with what its cap shows on the chosen cards as well, which end where photos show no hair."""
    albedo, opacity, size = atlas.albedo.copy(), atlas.opacity.copy(), len(atlas.albedo)
    height, width = PHOTOS.tile_size(size)
    for (strips, tiles), rows in zip(layout.groups, chosen, strict=True):
        points, normals = _texels(strips.vertices[rows], strips.normals[rows], height, width)
        flat = points.reshape(-1, 3)
        colour = _shown(atlas, layout, points, normals, evidence)
        stray = np.repeat(_strays(len(rows), width, random)[:, None], height, 1).reshape(-1)
        dense = density(flat, normals.reshape(-1, 3), stray, evidence).reshape(points.shape[:3])
        for number, card in enumerate(rows):
            place = PHOTOS.place(int(tiles[card]), size)
            albedo[place] = colour[number] * _tone(albedo[place])
            opacity[place] *= dense[number]
    return Atlas(np.clip(albedo, 0, 1), opacity, RELIEF * atlas.slope)


def _shown(atlas: Atlas, layout: Layout, points: np.ndarray, normals: np.ndarray, evidence: Evidence) -> np.ndarray:
    """[C, H, W, 3] the photos' pixels averaged along the strands of cards, and what the cap shows where they see none.

    The cap's texture is laid over a dome: what stands upright on that shows streaks there.
    """
    flat = points.reshape(-1, 3)
    below = _on_cap(atlas, layout, flat) / SHADE
    colour, worth = best_colour(flat, normals.reshape(-1, 3), evidence)
    colour, below = colour.reshape(points.shape), below.reshape(points.shape)
    worth = worth.reshape(*points.shape[:3], 1)
    spread = ALONG * points.shape[1]
    drawn, say = (gaussian_filter1d(values, spread, axis=1) for values in (colour * worth, worth))
    return below + np.minimum(worth, say) * (drawn / np.maximum(say, 1e-6) - below)


def _strays(count: int, width: int, random: np.random.Generator) -> np.ndarray:
    """[C, W] metres by which the strands of cards end later than the mean: a card alone, and its strands besides."""
    strands = gaussian_filter1d(random.normal(size=(count, width)), ALIKE, axis=1)
    return STRAY * (random.normal(size=(count, 1)) + APART * strands)


def toned(layout: Layout, atlas: Atlas, random: np.random.Generator) -> Layout:
    """The layout in which cards without a tile of their own have one that is as bright as the cap below them."""
    size = len(atlas.albedo)
    bright = np.log([_brightness(atlas, number, size) for number in range(PHOTOS.body)])
    groups = []
    for strips, tiles in layout.groups:
        middle = strips.vertices[:, strips.vertices.shape[1] // 2].mean(1)
        below = np.log(np.maximum(_on_cap(atlas, layout, middle).mean(1), DARKEST) / SHADE)
        wanted = below + random.normal(0, UNEVEN, len(below))
        nearest = np.abs(wanted[:, None] - bright).argmin(1) if len(wanted) else tiles
        kept = tiles >= PHOTOS.body  # fine hairs, and tiles of their own
        nearest[kept] = tiles[kept]
        groups.append((strips, nearest))
    return Layout(layout.cap, groups, layout.grid)


def _brightness(atlas: Atlas, number: int, size: int) -> float:
    """The mean brightness of what is opaque of a tile, linear."""
    place = PHOTOS.place(number, size)
    return max(float(np.average(atlas.albedo[place].mean(-1), weights=atlas.opacity[place] + 1e-6)), DARKEST)


def _tone(painted: np.ndarray) -> np.ndarray:
    """[H, W, 1] how bright painted strands are about their mean, for a photo that shows strands itself."""
    grey = painted.mean(-1, keepdims=True)
    return (grey / max(float(grey.mean()), 1e-4)) ** DETAIL


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


def _on_cap(atlas: Atlas, layout: Layout, points: np.ndarray) -> np.ndarray:
    """[N, 3] what the cap shows nearest to `points` [N, 3]."""
    u, v = cap_uvs(unrolled(layout.cap.reach, points), len(atlas.albedo)).T
    place = np.stack([v, u]) * len(atlas.albedo) - 0.5
    return np.stack([map_coordinates(atlas.albedo[..., k], place, order=1, mode="nearest") for k in range(3)], -1)
