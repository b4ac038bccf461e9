"""A beard as a part of the head: short cards along the jaw, goatee or moustache, and their textures."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from idto3d.head.hair.atlas import ROOT, TIP, Atlas, coloured, encoded
from idto3d.head.hair.beard.follow import carried
from idto3d.head.hair.beard.growth import above_lip, grown
from idto3d.head.hair.cards import make_strips
from idto3d.head.hair.scalp import Skin, smoothstep, spread_roots
from idto3d.head.hair.told.locks import shades
from idto3d.head.hair.wisps import WIRY, paint_wisps
from idto3d.head.parts import Part

NAME = "beard"
ROUGHNESS = 0.8
PER_AREA = 9.5e4  # cards per square metre of beard
MOST = 560  # cards; their morph targets are most of what a beard adds to a file
WIDTH = 0.0078  # metres of a card at its middle, where a beard is full
NARROW, SPARSE = 0.42, (0.15, 0.85)  # of that where it ends, and how full it is there and where it is wide
LIP_WIDTH, LIP_DENSER = 0.5, 1.6  # of that above the lip, and how many more cards there are
COLUMNS, ROWS = 8, 4  # tiles of the textures
DENSER = 1.5  # times as opaque as hair of the head that is as sparse: a file cuts out what is under a half
SHADES = (-0.38, 0.24)  # logarithms of the tone of the darkest column of tiles, for what lies deep, and the lightest
MARGIN = 0.5  # texels that a card keeps off its tile's border
LEAST, FAINT = 12, 0.15  # cards; fewer are no beard; and how full it is where there are none


@dataclass(frozen=True, eq=False)
class BeardPart:
    """The beard of a head.

    part: called "beard" and made of "beard", with texture coordinates. normals [V, 3]: unit, to shade by. albedo
    [S, S, 4] uint8 sRGB with opacity; roughness 0..1. Strands so short show no relief: there is no normal map.
    scalp_cover [V of the skin]: 0..1, how much of the skin they hide.
    """

    part: Part
    normals: Tensor
    albedo: np.ndarray
    roughness: float
    scalp_cover: Tensor
    normal: None = None


def grow_beard(
    skin: Skin, thick: np.ndarray, depth: float, colours: np.ndarray, seed: int, moves: np.ndarray, size: int
) -> BeardPart | None:
    """A beard where `thick` [V of the skin] says how full it is, 0..1; None where that is nearly nowhere.

    depth: how far it stands off the skin, metres; colours [V, 3]: linear, of the hair there; moves [E, V, 3]:
    how the skin moves in the head's expressions, metres; size: texels along a side of its textures, a multiple of 8.
    """
    random = np.random.default_rng([seed, 27])
    density = thick * (1 + LIP_DENSER * above_lip(skin.mean))
    roots = spread_roots(skin, density, min(MOST, int(PER_AREA * _area(skin, density))), random)
    roots = roots[roots.read(thick) > FAINT]
    if len(roots.points) < LEAST:
        return None
    full = roots.read(thick)
    guides = grown(skin, roots, full, depth, random)
    strips = make_strips(guides, _widths(roots.read(skin.mean), full), random)
    vertices = strips.vertices.reshape(len(roots.points), -1, 3)
    moved = carried(vertices, roots, skin.vertices, moves).reshape(len(moves), -1, 3)
    row, rows_rgb = toned(roots.read(colours))
    column = np.round(shades(guides.level, guides.lock, random) * (COLUMNS - 1)).astype(int)
    uvs = strips.uvs(_tiles(COLUMNS * row + column, size))
    tensors = [torch.from_numpy(array).float() for array in (vertices.reshape(-1, 3), moved, uvs)]
    normals = torch.from_numpy(np.repeat(strips.normals.reshape(-1, 3), 2, 0)).float()
    part = Part(NAME, tensors[0], torch.from_numpy(strips.faces()).long(), tensors[1], NAME, tensors[2])
    albedo = encoded(_painted(rows_rgb, size, random))[0]
    return BeardPart(part, normals, albedo, ROUGHNESS, torch.from_numpy(thick).float())


def _widths(mean: np.ndarray, full: np.ndarray) -> np.ndarray:
    """[N] metres of cards that grow at `mean` [N, 3] of the mean head, where a beard is `full` [N] 0..1."""
    lip = above_lip(mean)
    return WIDTH * (1 - lip + lip * LIP_WIDTH) * (NARROW + (1 - NARROW) * smoothstep(full, *SPARSE))


def _area(skin: Skin, thick: np.ndarray) -> float:
    """Square metres of skin that are bearded."""
    a, b, c = np.moveaxis(skin.vertices[skin.faces], 1, 0)
    return float((np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2 * thick[skin.faces].mean(1)).sum())


def toned(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of ROWS tones each of `colours` [C, 3] is nearest to, [C], and the tones [ROWS, 3], from dark to light."""
    order = np.argsort(np.argsort(colours.mean(1), kind="stable"), kind="stable")
    row = order * ROWS // len(colours)
    return row, np.stack([np.median(colours[row == number], 0) for number in range(ROWS)])


def _painted(rgb: np.ndarray, size: int, random: np.random.Generator) -> Atlas:
    """Tiles of wiry wisps in rows of the tones `rgb` [ROWS, 3], from darker to lighter."""
    high, wide = size // ROWS, size // COLUMNS
    wisps = paint_wisps(COLUMNS * ROWS, high, wide, random, WIRY)
    shade = np.tile(np.exp(np.linspace(*SHADES, COLUMNS)), ROWS)[:, None, None] * np.linspace(ROOT, TIP, high)[:, None]
    tone, opacity, slope = (_laid(tiles) for tiles in (wisps.tone * shade, wisps.opacity, wisps.slope))
    tone, opacity = tone / np.average(tone, weights=opacity), np.minimum(DENSER * opacity, 1)
    albedo = np.concatenate([coloured(*pair) for pair in zip(rgb, np.split(tone, ROWS), strict=True)])
    return Atlas(albedo, opacity, slope)


def _laid(tiles: np.ndarray) -> np.ndarray:
    """One picture [S, S] of the tiles [K, H, W], row by row."""
    high, wide = tiles.shape[1:]
    return tiles.reshape(ROWS, COLUMNS, high, wide).swapaxes(1, 2).reshape(ROWS * high, COLUMNS * wide)


def _tiles(numbers: np.ndarray, size: int) -> np.ndarray:
    """[C, 4] left, top, right, bottom of tiles, 0..1."""
    row, column = np.divmod(numbers, COLUMNS)
    wide, high, edge = 1 / COLUMNS, 1 / ROWS, MARGIN / size
    return np.stack([column * wide + edge, row * high + edge, (column + 1) * wide - edge, (row + 1) * high - edge], -1)
