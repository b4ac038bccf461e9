"""The hair's textures: a grid of tiles for cards above, a strip for the cap below."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.hair.wisps import CONTRAST, paint_wisps
from idto3d.render.color import srgb_from_linear

COLUMNS, ROWS = 32, 9  # tiles of the atlas
BAND = 0.5625  # share of its height that they take; the cap has the rest
PAINTED = 48  # tiles that are painted; the others are these turned over and in another tone
ROOT, TIP = 0.84, 1.04  # factors on the colour at a strand's two ends
CAP = 0.6  # factor on the colour of the cap, which lies in the shadow of the strands
SPREAD = 0.08  # standard deviation of the logarithm of the tone of whole tiles
MARGIN = 0.5  # texels that a card keeps off its tile's border


@dataclass(frozen=True, eq=False)
class Strand:
    """Hair as a colour: linear RGB at mid-tone, and how much curl its wisps have, 0..1."""

    rgb: tuple[float, float, float]
    curl: float = 0.0


@dataclass(frozen=True, eq=False)
class Atlas:
    """albedo [S, S, 3] linear 0..1, opacity [S, S] 0..1, slope [S, S] -1..1 of the relief to the right."""

    albedo: np.ndarray
    opacity: np.ndarray
    slope: np.ndarray


def paint_atlas(strand: Strand, size: int, random: np.random.Generator) -> Atlas:
    """The textures of hair that no photo has seen. size: texels along a side, a multiple of 32."""
    tone, opacity, slope = (np.ones((size, size), np.float32), *np.zeros((2, size, size), np.float32))
    height, width = tile_size(size)
    wisps = paint_wisps(PAINTED, height, width, random, strand.curl)
    down = np.linspace(ROOT, TIP, height)[:, None]
    for number in range(COLUMNS * ROWS):
        place = tile_place(number, size)
        which, over = number % PAINTED, -1 if number // PAINTED % 2 else 1
        tone[place] = wisps.tone[which][:, ::over] * down * np.exp(random.normal(0, SPREAD))
        opacity[place], slope[place] = wisps.opacity[which][:, ::over], over * wisps.slope[which][:, ::over]
    top = ROWS * height
    tone[:top] /= np.average(tone[:top], weights=opacity[:top])
    tone[top:] = CAP * _cap_tone(size - top, size, random)
    slope[top:] = np.clip(3 * np.gradient(tone[top:] / CAP, axis=1), -0.7, 0.7)
    opacity[top:] = 1
    return Atlas(coloured(strand.rgb, tone), opacity, slope)


def tile_size(size: int) -> tuple[int, int]:
    """Height and width of a tile in texels."""
    return int(size * BAND) // ROWS, size // COLUMNS


def tile_place(number: int, size: int) -> tuple[slice, slice]:
    """Rows and columns of a tile's texels."""
    height, width = tile_size(size)
    row, column = divmod(number, COLUMNS)
    return slice(row * height, (row + 1) * height), slice(column * width, (column + 1) * width)


def tiles_of(numbers: np.ndarray, size: int) -> np.ndarray:
    """[C, 4] left, top, right, bottom of tiles, 0..1, MARGIN texels inside their borders."""
    row, column = np.divmod(numbers, COLUMNS)
    high, wide, edge = BAND / ROWS, 1 / COLUMNS, MARGIN / size
    corners = (column * wide + edge, row * high + edge, (column + 1) * wide - edge, (row + 1) * high - edge)
    return np.stack(corners, -1)


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
    up = np.sqrt(1 - atlas.slope**2)
    normal = np.stack([atlas.slope, 0 * up, up], -1)
    return _bytes(np.concatenate([colour, opacity], -1)), _bytes((normal + 1) / 2)


def _bytes(values: np.ndarray) -> np.ndarray:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)
