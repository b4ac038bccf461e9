"""Wisps of hair painted on tiles: thin strands with gaps between them, their tips apart; opacity, tone and relief."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.hair.scalp import smoothstep

STRANDS = (15, 26)  # fewest and most on a tile
CONTRAST = 0.22  # standard deviation of the logarithm of a strand's brightness
RELIEF = 0.75  # sine of the greatest slope that a strand's side has in the normal map


@dataclass(frozen=True, eq=False)
class Wisps:
    """Tiles [K, H, W]: opacity 0..1, tone (a factor on the hair's colour, about 1), slope (-1..1, to the right)."""

    opacity: np.ndarray
    tone: np.ndarray
    slope: np.ndarray


def paint_wisps(count: int, height: int, width: int, random: np.random.Generator, curl: float = 0.0) -> Wisps:
    """`count` tiles of height x width texels, roots on top. curl: 0 straight .. 1 wide waves."""
    painted = [_wisp(height, width, random, curl) for _ in range(count)]
    return Wisps(*(np.stack(images).astype(np.float32) for images in zip(*painted, strict=True)))


def _wisp(height: int, width: int, random: np.random.Generator, curl: float):
    down, across = np.linspace(0, 1, height)[:, None], (np.arange(width) + 0.5)[None] / width
    opacity, tone, slope = (np.zeros((height, width)) for _ in range(3))
    tone += 0.9  # between strands: what is blurred over a border must not darken it
    for middle, half, cover, bright in _strands(down, 1 / width, random, curl):
        offset = (across - middle) / np.maximum(half, 1e-6)
        seen = np.clip((1.25 - np.abs(offset)) * half * width + 0.0, 0, 1) * cover
        opacity = opacity + seen * (1 - opacity)
        tone = tone * (1 - seen) + seen * bright * (1 - 0.25 * np.clip(np.abs(offset), 0, 1) ** 2)
        slope = slope * (1 - seen) + seen * np.clip(offset, -1, 1) * RELIEF
    return opacity, tone, slope


def _strands(down: np.ndarray, texel: float, random: np.random.Generator, curl: float):
    """Of each strand, from the hindmost: its middle [H, 1], half width [H, 1], cover [H, 1] and brightness."""
    count = int(random.integers(*STRANDS))
    sway, phase = random.normal(0, 0.05, 2), random.uniform(0, 2 * np.pi)
    gather = random.uniform(0.45, 0.8)  # how close strands lie at the tip, against the root
    for root in random.permutation(np.linspace(0.07, 0.93, count) + random.normal(0, 0.02, count)):
        end = random.uniform(0.8, 1.0) if random.uniform() < 0.75 else random.uniform(0.5, 0.8)
        start = random.uniform(0.0, 0.16)
        closer = 1 - (1 - gather) * down
        middle = 0.5 + (root - 0.5) * closer + sway[0] * down + sway[1] * np.sin(3 * down)
        middle = middle + random.normal(0, 0.05) * down**2 + 0.012 * np.sin(9 * down + random.uniform(0, 6))
        if curl:
            middle = middle + 0.33 * curl * smoothstep(down, 0, 0.2) * np.sin(
                15 * down + phase + random.normal(0, 0.25)
            )
        half = random.uniform(0.7, 1.9) * texel * (1 - 0.75 * smoothstep(down, end - 0.4, end))
        cover = smoothstep(down, start - 0.02, start + 0.05) * smoothstep(down, end, end - 0.12)
        yield middle, half, cover, float(np.exp(random.normal(0, CONTRAST)))
