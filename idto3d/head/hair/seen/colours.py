"""The colour of hair from photos: its mid-tone, its strands' contrast, and its pixels without the light on them."""

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.head.hair.scalp import smoothstep
from idto3d.head.hair.seen.view import SURE, HairView

WIDTHS = (0.016, 0.006, 0.0025)  # metres, of the bands that hold the light on hair; what is finer is strands
SHADE_TAKEN = (0.95, 0.9, 0.75)  # of the brightness of each band, between it and the broader one
TINT_TAKEN = (0.8, 0.85, 0.85)  # of the tint: streaks of another colour are seen as brighter or darker, too
DARKEST, BRIGHTEST = 0.15, 5.0  # of the hair's mid-tone; beyond, a picture says nothing of colour
DEEPEST, GLOSSIEST = 0.4, 0.7  # what is left of shade and gloss nears these at most, logarithms
FACING = (0.45, 0.9)  # cosines between which hair begins to show the photo
FACES = (0.1, 0.4)  # and between which it begins to show what is no hair
# Pixels inside the outline from which a pixel is hair alone, is surely hair, and has no skin near.
INNER = (2.0, 3.5, 9.0)
ENOUGH = 0.3  # share of the pixels that are surely hair that say what colour it has
BORDER = (2.5, -1.0)  # pixels outside the outline between which a photo begins to be worth something
STRAND, LOCK = 0.0012, 0.006  # metres: what is finer is a strand, what is broader is light
EDGE = 0.0008  # metres over which a strand ends at the outline
TRIMMED = (0.05, 0.92)  # of the pixels by brightness between which they count
LEAST_TONE = 0.02  # of what a logarithm is taken of, linear
# Of the logarithm of red against blue, the least that is red against green in hair without dye. Blonde hair has a third
# (`words.traits`), brown and red hair a half; less is the light's or the camera's yellow and green.
LEAST_RED = 1 / 3


def mid_tone(views: list[HairView]) -> tuple[float, float, float]:
    """The mean linear RGB of the pixels that are surely hair, over all views, without the darkest and the brightest.

    Not their median: what lies in the shade is redder than hair is.
    """
    all_hair, inner, deep = (
        np.concatenate([view.colour[(view.hair > SURE) & (view.to_hair < -depth)] for view in views])
        for depth in (0.0, *INNER[1:])
    )
    inner = inner if len(inner) else all_hair  # so thin that no pixel is far from its outline
    sure = deep if len(deep) > ENOUGH * len(inner) else inner
    tone = sure.mean(1)
    low, high = np.quantile(tone, TRIMMED)
    return undyed(sure[(tone >= low) & (tone <= high)].mean(0))


def undyed(rgb: np.ndarray) -> tuple[float, float, float]:
    """A linear colour [3] of hair, made less green where it is warm and yet greener than hair without dye can be.

    Red, blue and brightness keep their ratio and mean. Hair that is greener than it is red is dyed, and stays.
    """
    red, green, blue = np.log(np.maximum(rgb, 1e-4))
    if not 0 < red - green < LEAST_RED * (red - blue):
        return tuple(float(value) for value in rgb)
    turned = np.exp([red, red - LEAST_RED * (red - blue), blue])
    return tuple(float(value) for value in turned * np.mean(rgb) / turned.mean())


def evened(view: HairView, rgb: tuple[float, float, float]) -> np.ndarray:
    """[S, S, 3] linear colours of the view with most of the light and shade taken out, about `rgb`.

    The broader a change is, the more of it is the light's, as with skin (`evidence.light`); locks keep some, strands
    all. Over its outline hair has the colours of the hair beside it.
    """
    inner = (view.to_hair < -INNER[0]).astype(float)
    middle = np.maximum(rgb, 1e-3)
    off = np.log(np.clip(_filled(view.colour, inner) / middle, DARKEST, BRIGHTEST))
    tone = off.mean(-1, keepdims=True)
    tint = off - tone
    lit = np.exp(np.minimum(tone, 0))  # what is dark has no tint that could be told
    spreads = [width / view.metres_per_pixel() for width in WIDTHS]
    tone = tone - _taken(tone, inner, spreads, SHADE_TAKEN)
    tint = lit * (tint - _taken(tint, inner * lit[..., 0], spreads, TINT_TAKEN))
    tone = np.where(tone < 0, DEEPEST * np.tanh(tone / DEEPEST), GLOSSIEST * np.tanh(tone / GLOSSIEST))
    return middle * np.exp(tone + tint)


def _taken(values: np.ndarray, say: np.ndarray, spreads: Sequence[float], shares: Sequence[float]) -> np.ndarray:
    """[S, S, C] of `values` [S, S, C] the share of each band, whose lower bounds are `spreads`, from broad to fine.

    say [S, S]: how much each pixel tells.
    """
    taken, before = np.zeros_like(values), np.zeros_like(values)
    for spread, share in zip(spreads, shares, strict=True):
        near = np.maximum(gaussian_filter(say, spread), 1e-4)[..., None]
        weighted = np.moveaxis(values * say[..., None], -1, 0)
        smooth = np.stack([gaussian_filter(part, spread) for part in weighted], -1) / near
        taken, before = taken + share * (smooth - before), smooth
    return taken


def _filled(colour: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The picture with the colours of hair drawn over its outline, so that no background bleeds in."""
    result, known = colour * inner[..., None], inner
    for spread in (1.5, 4.0, 12.0):
        near = gaussian_filter(inner, spread)
        drawn = np.stack([gaussian_filter(colour[..., k] * inner, spread) for k in range(3)], -1)
        drawn /= np.maximum(near, 1e-4)[..., None]
        take = (known < 0.5) & (near > 0.02)
        result[take], known = drawn[take], np.maximum(known, take)
    return result


def contrast_of(views: list[HairView], even: list[np.ndarray]) -> tuple[float, float]:
    """Standard deviations of the logarithm of brightness between strands, and between locks, over all views."""
    strands, locks = [], []
    for view, colour in zip(views, even, strict=True):
        tone = np.log(colour.mean(-1) + LEAST_TONE)
        fine, broad = (gaussian_filter(tone, width / view.metres_per_pixel()) for width in (STRAND, LOCK))
        sure = view.to_hair < -2 * INNER[1]
        strands.append((tone - fine)[sure])
        locks.append((fine - broad)[sure])
    return tuple(float(np.std(np.concatenate(band))) if any(map(len, band)) else 0.0 for band in (strands, locks))


def seen_colour(view: HairView, even: np.ndarray, points, normals) -> tuple[np.ndarray, np.ndarray]:
    """[N, 3] colours of `even` at `points` [N, 3] with unit `normals`, and their worth [N] 0..1."""
    colour, worth = np.zeros((len(points), 3)), smoothstep(normals @ view.back, *FACING)
    ahead = np.flatnonzero(worth > 0)
    points = points[ahead]
    pixels, _ = view.project(points)
    inside = ((pixels > 1) & (pixels < view.size - 1)).all(1)
    worth[ahead] *= view.sees(points) * inside * smoothstep(view.read(view.to_hair, pixels), *BORDER)
    colour[ahead] = view.read(even, pixels)
    return colour, worth


def shown_as_other(
    view: HairView, points: np.ndarray, normals: np.ndarray, stray: np.ndarray, facing=FACES
) -> np.ndarray:
    """[N] 0..1 how surely the view shows something else than hair at `points` [N, 3].

    stray [N]: metres that each strand runs over the outline. facing: cosines of unit `normals` [N, 3] to the camera
    between which it begins to be sure.
    """
    other, facing = np.zeros(len(points)), smoothstep(normals @ view.back, *facing)
    ahead = np.flatnonzero(facing > 0)
    pixels, _ = view.project(points[ahead])
    over = view.read(view.to_hair, pixels) * view.metres_per_pixel() - stray[ahead]
    other[ahead] = facing[ahead] * view.sees(points[ahead]) * smoothstep(over, -EDGE, EDGE)
    return other
