"""The hair's textures: a grid of tiles for cards above, a strip for the cap below."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.hair.wisps import BODY, CONTRAST, FINE, Wisp, paint_wisps
from idto3d.render.color import srgb_from_linear

BAND = 0.5625  # share of the textures' height that tiles take; the cap has the rest
ROOT, TIP = 0.80, 1.06  # factors on the colour at a strand's two ends
CAP = 0.6  # factor on the colour of the cap, which lies in the shadow of the strands
SHADES = (-0.28, 0.17)  # logarithms of the tone of the darkest tile, for cards that lie deep, and of the lightest
MARGIN = 0.5  # texels that a card keeps off its tile's border


@dataclass(frozen=True)
class Grid:
    """How many columns and rows of tiles there are; painted: how many of them differ, the rest is these turned over.

    fine: how many, the last ones, hold single fine hairs; own: how many, the last ones, photos are laid on.
    """

    columns: int
    rows: int
    painted: int
    fine: int = 0
    own: int = 0

    @property
    def count(self) -> int:
        """Of all tiles."""
        return self.columns * self.rows

    @property
    def body(self) -> int:
        """How many hold locks of any hair; the first is the darkest, the last the lightest of them."""
        return self.shared - self.fine

    @property
    def shared(self) -> int:
        """How many are not photos' own; the first of those has this number."""
        return self.count - self.own

    def tile_size(self, size: int) -> tuple[int, int]:
        """Height and width of a tile in texels of an atlas of that side."""
        return int(size * BAND) // self.rows, size // self.columns

    def place(self, number: int, size: int) -> tuple[slice, slice]:
        """Rows and columns of a tile's texels."""
        height, width = self.tile_size(size)
        row, column = divmod(number, self.columns)
        return slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)

    def corners(self, numbers: np.ndarray, size: int) -> np.ndarray:
        """[C, 4] left, top, right, bottom of tiles, 0..1, MARGIN texels inside their borders."""
        row, column = np.divmod(numbers, self.columns)
        high, wide, edge = BAND / self.rows, 1 / self.columns, MARGIN / size
        sides = (column * wide + edge, row * high + edge, (column + 1) * wide - edge, (row + 1) * high - edge)
        return np.stack(sides, -1)


WORDS = Grid(16, 2, 16, 4)  # large tiles: of long strands every hair is drawn
PHOTOS = Grid(32, 6, 44, fine=4, own=144)  # many: what faces a camera has one of its own


@dataclass(frozen=True, eq=False)
class Strand:
    """Hair as a colour: linear RGB at mid-tone, and how its wisps are."""

    rgb: tuple[float, float, float]
    wisp: Wisp = BODY


@dataclass(frozen=True, eq=False)
class Atlas:
    """albedo [S, S, 3] linear 0..1, opacity [S, S] 0..1, slope [S, S] -1..1 of the relief to the right."""

    albedo: np.ndarray
    opacity: np.ndarray
    slope: np.ndarray


def paint_atlas(strand: Strand, size: int, random: np.random.Generator, grid: Grid = WORDS) -> Atlas:
    """The textures of hair that no photo has seen. size: texels along a side, a multiple of 32."""
    tone, opacity, slope = (np.ones((size, size), np.float32), *np.zeros((2, size, size), np.float32))
    height, width = grid.tile_size(size)
    bodies = paint_wisps(grid.painted, height, width, random, strand.wisp)
    finer = paint_wisps(grid.fine, height, width, random, FINE)
    down, shades = np.linspace(ROOT, TIP, height)[:, None], np.exp(np.linspace(*SHADES, grid.body))
    for number in range(grid.count):
        fine = grid.body <= number < grid.shared
        wisps, which = (finer, number - grid.body) if fine else (bodies, number % grid.painted)
        over, place = -1 if number // grid.painted % 2 else 1, grid.place(number, size)
        even = wisps.tone[which] * down
        even *= (shades[number] if number < grid.body else 1.0) / np.average(even, weights=wisps.opacity[which])
        tone[place] = even[:, ::over]
        opacity[place], slope[place] = wisps.opacity[which][:, ::over], over * wisps.slope[which][:, ::over]
    top = grid.rows * height
    tone[:top] /= np.average(tone[:top], weights=opacity[:top])
    tone[top:] = CAP * _cap_tone(size - top, size, random)
    slope[top:] = np.clip(3 * np.gradient(tone[top:] / CAP, axis=1), -0.7, 0.7)
    opacity[top:] = 1
    return Atlas(coloured(strand.rgb, tone), opacity, slope)


def cap_uvs(uvs: np.ndarray, size: int) -> np.ndarray:
    """The cap's own texture coordinates [..., 2] as places in the atlas."""
    edge = 1.5 / size
    return np.stack([uvs[..., 0], BAND + edge + (1 - BAND - 2 * edge) * uvs[..., 1]], -1)


def coloured(rgb, tone: np.ndarray) -> np.ndarray:
    """[..., 3] linear colour of hair of mid-tone `rgb` at `tone` [...]; the darker, the more saturated."""
    rgb = np.asarray(rgb, np.float32)
    tone = np.maximum(tone, 1e-3)[..., None]
    return np.clip(rgb * tone ** (1 + 0.25 * (rgb.mean() - rgb) / max(rgb.max(), 1e-3)), 0, 1).astype(np.float32)


def _cap_tone(height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """[H, W] strands that run down the cap."""
    lines = np.exp(CONTRAST * random.normal(size=width))
    bent = (np.arange(width)[None] + (6 * np.sin(np.linspace(0, 7, height)))[:, None]).astype(int) % width
    return lines[bent].astype(np.float32)


def encoded(atlas: Atlas) -> tuple[np.ndarray, np.ndarray]:
    """albedo with opacity [S, S, 4] uint8 sRGB and a tangent-space normal map [S, S, 3] uint8."""
    import torch

    colour = srgb_from_linear(torch.from_numpy(atlas.albedo)).numpy()
    opacity = np.round(atlas.opacity * 15)[..., None] / 15
    up = np.sqrt(1 - np.clip(atlas.slope, -1, 1) ** 2)
    normal = np.stack([atlas.slope, 0 * up, up], -1)
    return _bytes(np.concatenate([colour, opacity], -1)), _bytes((normal + 1) / 2)


def _bytes(values: np.ndarray) -> np.ndarray:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
