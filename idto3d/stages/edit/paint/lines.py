"""Wrinkles: lines painted and carved into the skin, and those that are there made shallower."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.evidence.relief import CARVED
from idto3d.head.paint.age import DARK, Aged, aged
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.hair import Painted
from idto3d.stages.edit.paint.place import Place, skin_linear, with_skin
from idto3d.stages.edit.paint.tone import logs

SOME = 0.55  # of the lines of an old face that "wrinkles" asks for; "many" asks for twice as many
MOST = 1.15
SEEN = 0.01  # depth below which nothing changes
BROAD, FOLD = 4.0, 16.0  # texels of a texture of 1024: a line is narrower than a fold, and a fold than a shadow
SMOOTHED, FLATTENED = 0.85, 0.75  # of a line's darkness and of the relief that are taken away at most


def with_lines(painted: Mapping[str, PaintedMaterial], place: Place, amount: float, seed: int) -> Painted:
    """All materials with wrinkles, `amount` 1 some, 2 many, as years leave them; under 0 with shallower ones."""
    if amount < 0:
        return smoothed(painted, place, min(-amount, 1.0))
    return with_years(painted, place, min(SOME * amount, MOST), seed, spots=False)


def with_years(painted: Mapping[str, PaintedMaterial], place: Place, years: float, seed: int, spots: bool) -> Painted:
    """All materials with what `years` 0..1 leave on the skin: lines, and `spots` where they are asked for."""
    left = aged(place.mean, years, place.texels, seed)
    if left is None:
        return dict(painted)
    shade = left.shade if spots else -DARK * np.maximum(left.depth, 0)
    outside = place.outer & (np.abs(left.depth) > SEEN) if not spots else place.outer & (np.abs(shade) > SEEN * DARK)
    linear = skin_linear(painted["skin"], place) * np.exp(shade)[:, None]
    skin = with_skin(painted["skin"], place, linear, outside)
    return dict(painted) | {"skin": carved(skin, place, replace(left, depth=np.where(place.outer, left.depth, 0)))}


def carved(skin: PaintedMaterial, place: Place, left: Aged) -> PaintedMaterial:
    """The skin whose normal map has the relief of lines over its own."""
    scale = len(place.texels.covered) / 1024
    height = -CARVED * scale * place.texels.spread(left.depth[:, None].astype(np.float32))[..., 0]
    down, right = np.gradient(height)
    normal = np.full((*height.shape, 3), [128, 128, 255], np.uint8) if skin.normal is None else skin.normal
    slopes = _slopes(normal)
    return replace(skin, normal=_changed(normal, slopes + np.stack([right, -down], -1), np.hypot(down, right) > SEEN))


def _slopes(normal: np.ndarray) -> np.ndarray:
    """[S, S, 2] how fast the surface of a normal map [S, S, 3] rises to the right and upwards."""
    local = normal.astype(np.float32) / 127.5 - 1
    return -local[..., :2] / np.maximum(local[..., 2:], 0.1)


def _changed(normal: np.ndarray, slopes: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The normal map with `slopes` [S, S, 2] `where` [S, S] they are new."""
    local = np.concatenate([-slopes, np.ones((*where.shape, 1), np.float32)], -1)
    local /= np.linalg.norm(local, axis=-1, keepdims=True)
    result = normal.copy()
    result[where] = np.round((local[where] + 1) * 127.5).astype(np.uint8)
    return result


def lined_zone(place: Place) -> np.ndarray:
    """[N] 0..1 where lines come and go: the face and the throat, brows and lips apart."""
    return place.at("lined")


def smoothed(painted: Mapping[str, PaintedMaterial], place: Place, share: float, broad: float = BROAD) -> Painted:
    """All materials with skin whose dark lines and relief are `share` 0..1 less.

    broad: texels of a texture of 1024 beside which what is darker is a line.
    """
    skin, zone = painted["skin"], share * lined_zone(place) * (1 - place.at("brow_zone"))
    linear = skin_linear(skin, place)
    taken = -np.minimum(_lines(place, logs(linear).mean(-1), broad), 0) * SMOOTHED * zone
    skin = with_skin(skin, place, linear * np.exp(taken)[:, None], taken > SEEN)
    if skin.normal is None:
        return dict(painted) | {"skin": skin}
    flat = FLATTENED * place.texels.spread(zone[:, None].astype(np.float32))
    relief = _changed(skin.normal, _slopes(skin.normal) * (1 - flat), flat[..., 0] > SEEN)
    return dict(painted) | {"skin": replace(skin, normal=relief)}


def _lines(place: Place, tone: np.ndarray, broad: float) -> np.ndarray:
    """[N] how much darker (under 0) than its surroundings each texel is, by the logarithms `tone` [N]."""
    scale = broad * len(place.texels.covered) / 1024
    whole = place.texels.spread(tone[:, None].astype(np.float32))[..., 0]
    return (whole - gaussian_filter(whole, scale))[place.texels.covered]
