"""Skin of another tone: the melanin changes, what is a person's own in tint and detail stays."""

from collections.abc import Mapping

import numpy as np

from idto3d.evidence.projection import ramp
from idto3d.head.colours import USUAL_REDNESS
from idto3d.head.parts import Head
from idto3d.head.skin import HAEMOGLOBIN, LEAST_BLOOD, painted_colour
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.hair import Painted, around, strands
from idto3d.stages.edit.paint.place import Place, scalp_zone, skin_linear, with_skin
from idto3d.stages.edit.paint.tone import apart, between, logs, median

LIPS_TAKE = 0.8  # of a change in melanin: lips have less of it
FAR = 0.6  # change in melanin over which a tint that no pigment explains is lost by half: most of it is a photo's light
MELANINS, REDNESSES = np.meshgrid(np.linspace(0.0, 1.05, 64), np.linspace(0.0, 1.2, 25), indexing="ij")
SURE = 0.85
TELLS = (0.3, 1.0)  # how different scalp and skin must be for hair on the skin to be told by colour


def melanin_in(rgb: np.ndarray) -> tuple[float, float]:
    """Melanin and redness, 0..1, of the skin whose linear colour comes nearest to `rgb` [3]."""
    cost = ((logs(_of_pigments(MELANINS, REDNESSES)) - logs(rgb)) ** 2).sum(-1)
    cost = cost + 0.05 * (REDNESSES - USUAL_REDNESS) ** 2  # of two that fit alike, the usual one
    best = np.unravel_index(cost.argmin(), cost.shape)
    return float(MELANINS[best]), float(REDNESSES[best])


def _of_pigments(melanin, redness) -> np.ndarray:
    """Linear RGB [..., 3] of skin as new heads have it."""
    return painted_colour(melanin, (LEAST_BLOOD + np.asarray(redness)[..., None]) * HAEMOGLOBIN)


def with_melanin(
    painted: Mapping[str, PaintedMaterial], head: Head, place: Place, melanin: float, strength: float, bearded: bool
) -> Painted:
    """All materials with skin of that `melanin`, 0..1; hair stays.

    So do brows and, where somebody is `bearded`, the beard on paler skin; on darker skin they are darker, too.
    """
    skin, linear = painted["skin"], skin_linear(painted["skin"], place)
    bare = median(linear, place.at("plain") * place.at("face"), SURE)
    if bare is None:
        return dict(painted)
    now, red = melanin_in(bare)
    then = now + strength * (melanin - now)
    change = logs(_of_pigments(then, red)) - logs(_of_pigments(now, red))
    odd = logs(bare) - logs(_of_pigments(now, red))
    change = change - (odd - odd.mean()) * min(0.5 * abs(then - now) / FAR, 1.0)
    share = place.outer * (1 - hair_on_skin(linear, head, place, bare, bearded and then < now, then < now))
    share = share * (1 - (1 - LIPS_TAKE) * place.at("lips"))
    return dict(painted) | {"skin": with_skin(skin, place, linear * np.exp(share[:, None] * change), share > 0)}


def with_tint(
    painted: Mapping[str, PaintedMaterial], head: Head, place: Place, rgb, strength: float, bearded: bool
) -> Painted:
    """All materials with skin of a colour `rgb`, linear; hair, brows, beard and the skin's detail stay."""
    skin, linear = painted["skin"], skin_linear(painted["skin"], place)
    bare = median(linear, place.at("plain") * place.at("face"), SURE)
    if bare is None:
        return dict(painted)
    change = strength * (logs(np.asarray(rgb)) - logs(bare))
    share = place.outer * (1 - hair_on_skin(linear, head, place, bare, bearded, True))
    share = share * (1 - (1 - LIPS_TAKE) * place.at("lips"))
    return dict(painted) | {"skin": with_skin(skin, place, linear * np.exp(share[:, None] * change), share > 0)}


def hair_on_skin(linear: np.ndarray, head: Head, place: Place, bare: np.ndarray, beard: bool, brows: bool):
    """[N] 0..1 how much of the skin's texels is hair: at the scalp, and of `brows` and `beard` where they count."""
    zone = scalp_zone(head, place)
    hairy = median(linear, zone * place.at("scalp"), SURE)
    share = np.zeros(len(linear), np.float32)
    if hairy is not None:
        told = ramp(np.array(apart(bare, hairy)), *TELLS)
        share = zone * (told * between(linear, bare, hairy) + (1 - told) * place.at("scalp"))
    for name in [name for name, counts in (("brow_zone", brows), ("beard_zone", beard)) if counts]:
        own = place.at(name)
        share = np.maximum(share, own * strands(linear, around(linear, place, own), own))
    return share
