"""Hair, beard and brows in another colour, with what of them shows on the skin."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from idto3d.evidence.projection import ramp
from idto3d.head.hair.dye import dyed, mean_colour
from idto3d.head.paint.usual_skin import BROWN
from idto3d.head.parts import Head
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.place import Place, scalp_zone, skin_linear, with_skin
from idto3d.stages.edit.paint.tone import DARKEST, apart, between, logs, median, part_way, regrown

TOLD_APART = (0.25, 0.8)  # how different hair and skin must be to be told apart by colour: not at all, and surely
LIKE_HAIR = (
    0.35,
    0.9,
)  # of the way from skin to hair, off the scalp, from which a texel is hair: shadows go far
SURE = 0.9  # of the scalp from which its colour is that of hair on skin
ROOTS = (0.45, 1.0)  # least and most of the hair's brightness that the scalp below it shows
NEAR = 0.02  # share of a change below which nothing changes
AROUND, COARSE = 54.0, 4  # texels of a texture of 1024 around a brow or beard in which its skin is looked for
UNSURE = 1e-3  # what skin that may bear hair tells of skin
SURELY_HAIR = 0.6
DARKER, DARKEST_OF = (0.06, 1.3), 0.97  # by how much skin with hair is darker than without, logarithm; a quantile
UNDER = 0.55  # of the natural colour of hair that brows show, as `usual_skin` paints them

Painted = dict[str, PaintedMaterial]


def with_hair(painted: Mapping[str, PaintedMaterial], head: Head, place: Place, rgb, strength: float) -> Painted:
    """All materials with hair of the mean colour `rgb`, linear, and a scalp that shows it."""
    done = dict(painted)
    mine = [name for name in painted if kind_of(name) == "hair"]
    if not mine:
        return done
    old = mean_colour(painted[mine[0]].albedo)
    done |= {name: replace(painted[name], albedo=dyed(painted[name].albedo, rgb, strength)) for name in mine}
    return done | {"skin": _scalp(painted["skin"], head, place, old, np.asarray(rgb), strength)}


def _scalp(skin: PaintedMaterial, head: Head, place: Place, old: np.ndarray, new: np.ndarray, strength: float):
    """The skin whose hair, of the colour `old` [3], is seen in `new` [3]."""
    linear, zone = skin_linear(skin, place), scalp_zone(head, place)
    bare = median(linear, place.at("plain") * place.at("face") * (1 - zone), SURE)
    hairy = median(linear, zone * place.at("scalp"), SURE)
    if bare is None or hairy is None:
        return skin
    share = zone * _shows(linear, place, bare, hairy)
    dark = np.clip(hairy.mean() / max(float(old.mean()), DARKEST), *ROOTS)
    grown = regrown(linear, share, bare, hairy, dark * new)
    return with_skin(skin, place, part_way(linear, grown, strength), share > NEAR)


def _shows(linear: np.ndarray, place: Place, bare: np.ndarray, hairy: np.ndarray) -> np.ndarray:
    """[N] 0..1 how much of each texel is hair: by its colour as far as skin has another, else by the hairline."""
    least, most = TOLD_APART
    sure = np.clip((apart(bare, hairy) - least) / (most - least), 0, 1)
    like = between(linear, bare, hairy)
    on_scalp = place.at("scalp")
    like = on_scalp * like + (1 - on_scalp) * ramp(like, *LIKE_HAIR)
    return sure * like + (1 - sure) * on_scalp


def with_beard(painted: Mapping[str, PaintedMaterial], place: Place, rgb, strength: float) -> Painted:
    """All materials with a beard, and stubble on the skin, of the mean colour `rgb`, linear."""
    done = dict(painted)
    for name in (name for name in painted if kind_of(name) == "beard"):
        done[name] = replace(painted[name], albedo=dyed(painted[name].albedo, rgb, strength))
    zone = place.at("beard_zone")
    return done | {"skin": with_strands(painted["skin"], place, zone, np.asarray(rgb), strength)}


def with_brows(painted: Mapping[str, PaintedMaterial], place: Place, rgb, strength: float) -> Painted:
    """All materials with brows of the colour `rgb`, linear, of hair."""
    zone, colour = place.at("brow_zone"), UNDER * np.asarray(rgb)
    return dict(painted) | {"skin": with_strands(painted["skin"], place, zone, colour, strength)}


def with_strands(skin: PaintedMaterial, place: Place, zone: np.ndarray, rgb: np.ndarray, strength: float):
    """The skin whose hairs in the `zone` [N] 0..1 have the colour `rgb` [3], linear."""
    linear = skin_linear(skin, place)
    bare = around(linear, place, zone)
    share = zone * strands(linear, bare, zone)
    if not (share > NEAR).any():
        return skin
    sure = median(linear, share, SURELY_HAIR)
    old = np.array(BROWN) if sure is None else sure
    grown = regrown(linear, share, bare, old, rgb)
    return with_skin(skin, place, part_way(linear, grown, strength), share > NEAR)


def strands(linear: np.ndarray, bare: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """[N] 0..1 how much of each texel [N, 3] is hair on skin of the colour `bare` [N, 3]: by how much darker it is.

    Wholly hair is what is nearly as dark as the darkest in the `zone` [N], if that is as dark as hair can be expected.
    """
    dark = (logs(bare) - logs(linear)).mean(-1)
    inside = dark[zone > 0.5]
    whole = max(DARKER[1], float(np.quantile(inside, DARKEST_OF))) if len(inside) else DARKER[1]
    return np.clip((dark - DARKER[0]) / (whole - DARKER[0]), 0, 1)


def around(linear: np.ndarray, place: Place, zone: np.ndarray) -> np.ndarray:
    """[N, 3] the colour of the plain skin around each texel, outside the `zone` [N] 0..1."""
    plain = place.at("plain") * (1 - zone) + UNSURE * place.outer
    worth = _smooth(place, plain)
    told = [_smooth(place, one * plain) / np.maximum(worth, 1e-9) for one in logs(linear).T]
    return np.exp(np.stack(told, -1))


def _smooth(place: Place, values: np.ndarray) -> np.ndarray:
    """[N] `values` [N] blurred widely over the texture, of which every COARSE-th texel does."""
    image = np.zeros(place.texels.covered.shape, np.float32)
    image[place.texels.covered] = values
    side = len(image)
    coarse = gaussian_filter(image[::COARSE, ::COARSE], AROUND * side / 1024 / COARSE, truncate=3.0)
    rows, columns = np.nonzero(place.texels.covered)
    return map_coordinates(coarse, np.stack([rows, columns]) / COARSE, order=1, mode="nearest")
