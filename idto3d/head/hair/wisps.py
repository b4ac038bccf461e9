"""Wisps of hair painted on tiles: strands that gather to locks, whose tips are points; opacity, tone and relief."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.hair.scalp import smoothstep

CONTRAST, OF_LOCKS = 0.27, 0.12  # standard deviations of the logarithm of brightness, of strands and of their locks
RELIEF, ROUND = 0.45, 0.30  # sines of the greatest slope of the side of a strand, and of a lock, in the normal map
BESIDE, LEAST = 0.9, 0.45  # tone between strands: what is blurred over a border must not darken it; texels of a strand


@dataclass(frozen=True)
class Wisp:
    """How a tile is filled.

    locks: fewest and most; strands: in each, likewise; half: of their width, as a share of the tile's; ends: shares of
    the tile at which locks end, from the first to the last; gather: width that a lock keeps at its tip; starts: share
    of the tile over which strands begin. curl: 0 straight .. 1 wide waves, so many `waves` on a tile; apart: whether
    every strand has its own.
    """

    locks: tuple[int, int] = (3, 5)
    strands: tuple[int, int] = (8, 12)
    half: tuple[float, float] = (0.014, 0.036)
    ends: tuple[float, float] = (0.74, 1.0)
    gather: float = 0.12
    starts: float = 0.10
    curl: float = 0.0
    waves: float = 2.4
    apart: bool = False


BODY, FINE = Wisp(), Wisp((2, 3), (2, 4), (0.035, 0.06), (0.6, 1.0), 0.25, 0.25)
WIRY = Wisp((2, 3), (5, 8), (0.03, 0.06), (0.7, 1.0), 0.30, 0.12, curl=0.12)
RINGLET = Wisp((2, 3), (8, 11), (0.02, 0.05), (0.9, 1.0), 0.5, 0.05, curl=0.1)
COILS = Wisp((4, 6), (4, 5), (0.018, 0.034), (0.6, 1.0), 0.9, 0.05, curl=0.22, waves=5.0, apart=True)


@dataclass(frozen=True, eq=False)
class Wisps:
    """Tiles [K, H, W]: opacity 0..1, tone (a factor on the hair's colour, about 1), slope (-1..1, to the right)."""

    opacity: np.ndarray
    tone: np.ndarray
    slope: np.ndarray


def paint_wisps(count: int, height: int, width: int, random: np.random.Generator, wisp: Wisp = BODY) -> Wisps:
    """`count` tiles of height x width texels, roots on top."""
    painted = [_tile(height, width, random, wisp) for _ in range(count)]
    return Wisps(*(np.stack(images).astype(np.float32) for images in zip(*painted, strict=True)))


def _tile(height: int, width: int, random: np.random.Generator, wisp: Wisp):
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    across = ((np.arange(width, dtype=np.float32) + 0.5) / width)[None]
    opacity, tone, slope = (np.zeros((height, width), np.float32) for _ in range(3))
    tone += BESIDE
    for middle, half, cover, bright, turned in _strands(down, 1 / width, random, wisp):
        offset = (across - middle) / half
        seen = np.clip((1.25 - np.abs(offset)) * half * width, 0, 1) * cover
        within = np.clip(offset, -1, 1)
        opacity += seen * (1 - opacity)
        tone += seen * (bright * (1 - 0.25 * within**2) - tone)
        slope += seen * (RELIEF * within + turned - slope)
    return opacity, tone, slope


def _strands(down: np.ndarray, texel: float, random: np.random.Generator, wisp: Wisp):
    """Of each strand, from the hindmost: its middle [H, 1], half width [H, 1], cover [H, 1], brightness, and slope."""
    count = int(random.integers(wisp.locks[0], wisp.locks[1] + 1))
    sway = random.normal(0, 0.05, 2)
    lean = sway[0] * down + sway[1] * np.sin(3 * down)
    strands, wave = [], _wave(down, wisp, random)
    for place in (np.arange(count) + 0.5) / count:
        root = 0.5 + 0.86 * (place - 0.5) + random.normal(0, 0.02)
        tip = 0.5 + 0.75 * (place - 0.5) + random.normal(0, 0.06)
        bent = root + (tip - root) * down + 0.02 * np.sin(7 * down + random.uniform(0, 6)) * down + lean
        bent = bent + (0 if wisp.apart else wave)
        end, bright = random.uniform(*wisp.ends), random.normal(0, OF_LOCKS)
        wide = 0.46 / count * (1 - (1 - wisp.gather) * smoothstep(down, 0.25, end))
        for off in np.linspace(-1, 1, int(random.integers(wisp.strands[0], wisp.strands[1] + 1))):
            strands.append(_strand(down, texel, random, wisp, bent, wide, off + random.normal(0, 0.12), end, bright))
    return [strands[number] for number in random.permutation(len(strands))]


def _wave(down: np.ndarray, wisp: Wisp, random: np.random.Generator) -> np.ndarray:
    """[H, 1] how far strands are off to the side, shares of the tile's width."""
    turn = 2 * np.pi * wisp.waves * random.uniform(0.85, 1.15) * down + random.uniform(0, 2 * np.pi)
    return 0.33 * wisp.curl * smoothstep(down, 0, 0.2) * np.sin(turn)


def _strand(down, texel: float, random: np.random.Generator, wisp: Wisp, middle, wide, off: float, end, bright: float):
    """A strand `off` -1..1 across its lock, which lies about `middle` [H, 1], `wide` [H, 1] and up to `end`."""
    own = end - 0.16 * abs(off) * random.uniform(0.3, 1.2) - 0.04 * random.uniform()
    start = wisp.starts * random.uniform(-0.4, 1.0)
    path = middle + off * wide + 0.006 * np.sin(9 * down + random.uniform(0, 6)) * down
    path = path + (_wave(down, wisp, random) if wisp.apart else 0)
    half = np.maximum(random.uniform(*wisp.half) * (1 - 0.8 * smoothstep(down, own - 0.5, own)), LEAST * texel)
    cover = smoothstep(down, start - 0.02, start + 0.03) * smoothstep(down, own, own - 0.05)
    return path, half, cover, float(np.exp(bright + random.normal(0, CONTRAST))), ROUND * float(np.clip(off, -1, 1))
