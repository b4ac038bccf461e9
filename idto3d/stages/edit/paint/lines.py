"""Wrinkles: lines painted and carved into the skin, and those that are there made shallower."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.evidence.relief import CARVED
from idto3d.head.paint.age import DARK, Aged, aged
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.hair import Painted
from idto3d.stages.edit.paint.place import Place, skin_linear, with_skin
from idto3d.stages.edit.paint.skin import SURE, melanin_in
from idto3d.stages.edit.paint.tone import logs, median

SOME = 0.55  # of the lines of an old face that "wrinkles" asks for; "many" asks for twice as many
MOST = 1.15
DEEPER = 0.9  # by how much lines are darker on the darkest skin
BARE = 0.01  # share of the scalp up to which skin is bare
LEAST_SAID = 1e-6  # of the zone around a texel by which is divided
SEEN = 0.01  # depth below which nothing changes


@dataclass(frozen=True)
class Smoothing:
    """What is taken away at most: of what is darker than all around in `broad` texels of a texture of 1024, of relief,
    and of what is brighter beside it.
    """

    broad: float
    dark: float
    relief: float
    bright: float = 0.0


FEWER = Smoothing(4.0, 0.85, 0.75)  # lines
FOLDS = Smoothing(16.0, 0.85, 0.75)  # lines and folds
YOUNG = Smoothing(20.0, 0.95, 0.95, 0.8)  # all of them, of which none is a young child's


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
    linear = skin_linear(painted["skin"], place)
    linear = linear * np.exp(shade * _told_on(linear, place))[:, None]
    skin = with_skin(painted["skin"], place, linear, outside)
    return dict(painted) | {"skin": carved(skin, place, replace(left, depth=np.where(place.outer, left.depth, 0)))}


def _told_on(linear: np.ndarray, place: Place) -> float:
    """How much stronger lines must be painted to be seen as well on dark skin: 1 on fair skin."""
    bare = median(linear, place.at("plain") * place.at("face"), SURE)
    return 1.0 if bare is None else 1 + DEEPER * min(melanin_in(bare)[0], 1.0)


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


def smoothed(painted: Mapping[str, PaintedMaterial], place: Place, share: float, much: Smoothing = FEWER) -> Painted:
    """All materials with skin whose lines and relief are `share` 0..1 less, at most by as `much`."""
    skin, zone = painted["skin"], lined_zone(place) * (1 - place.at("brow_zone"))
    zone = zone * place.at("plain") if much.bright else zone
    linear = skin_linear(skin, place)
    off = _lines(place, logs(linear), much.broad, zone)
    off = off if much.bright else np.minimum(off, 0)
    zone = share * zone
    weight = np.where(off.mean(-1) < 0, much.dark, much.bright) * zone
    taken = -weight[:, None] * off
    skin = with_skin(skin, place, linear * np.exp(taken), np.abs(taken).max(-1) > SEEN)
    if skin.normal is None:
        return dict(painted) | {"skin": skin}
    flat = much.relief * place.texels.spread(zone[:, None].astype(np.float32))
    relief = _changed(skin.normal, _slopes(skin.normal) * (1 - flat), flat[..., 0] > SEEN)
    return dict(painted) | {"skin": replace(skin, normal=relief)}


def _lines(place: Place, values: np.ndarray, broad: float, zone: np.ndarray) -> np.ndarray:
    """[N, C] by how much `values` [N, C], logarithms of colours, differ from those around them in the `zone` [N] 0..1.

    Bare skin is compared with bare skin, the scalp with the scalp: one has the colour of hair, and parts of a head that
    lie apart may lie side by side on the texture.
    """
    scale = broad * len(place.texels.covered) / 1024
    bare = place.at("scalp")[:, None] <= BARE

    def usual(zone: np.ndarray) -> np.ndarray:
        said = np.concatenate([values * zone, zone], 1).astype(np.float32)
        around = gaussian_filter(place.texels.spread(said), (scale, scale, 0))[place.texels.covered]
        return around[:, :-1] / np.maximum(around[:, -1:], LEAST_SAID)

    return values - np.where(bare, usual(zone[:, None] * bare), usual(zone[:, None] * ~bare))
