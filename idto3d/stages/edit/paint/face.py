"""Make-up: lips, cheeks, lids and lashes in a colour."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from idto3d.evidence.projection import ramp
from idto3d.head.paint.bytes import bytes_of, linear_of
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.hair import Painted
from idto3d.stages.edit.paint.place import Place, lips_at, skin_linear, with_roughness, with_skin
from idto3d.stages.edit.paint.tone import covered, tinted

LIPSTICK, GLOSS = 0.90, 0.30  # how much of the lips it hides, and its roughness
BLUSH, SHADOW = 0.65, 0.62  # strengths of what lies on cheeks and lids
LID_EDGE = (0.10, 0.75)
SEEN = 0.02  # share below which nothing changes


def with_lips(painted: Mapping[str, PaintedMaterial], place: Place, rgb, strength: float) -> Painted:
    """All materials with lipstick of the colour `rgb`, linear, which is glossier than lips."""
    share = np.clip(strength, 0, 1) * lips(place)
    skin, linear = painted["skin"], skin_linear(painted["skin"], place)
    colour = np.asarray(rgb) ** max(strength, 1.0)  # more than all of it: deeper
    skin = with_skin(skin, place, covered(linear, LIPSTICK * share, colour), share > SEEN)
    return dict(painted) | {"skin": with_roughness(skin, place, np.where(share > SEEN, share, 0), GLOSS)}


def lips(place: Place) -> np.ndarray:
    """[N] 0..1 where lipstick lies."""
    return lips_at(place)


def with_cheeks(painted: Mapping[str, PaintedMaterial], place: Place, rgb, strength: float) -> Painted:
    """All materials with a blush of the tint of `rgb`, linear, which is a wash over the skin."""
    share = BLUSH * strength * place.at("cheeks")
    linear = skin_linear(painted["skin"], place)
    return dict(painted) | {"skin": with_skin(painted["skin"], place, tinted(linear, share, rgb), share > SEEN)}


def lids(place: Place) -> np.ndarray:
    """[N] 0..1 where eye shadow lies."""
    return ramp(place.at("lids"), *LID_EDGE) * (1 - place.at("brow_zone"))


def with_lids(painted: Mapping[str, PaintedMaterial], place: Place, rgb, strength: float) -> Painted:
    """All materials with eye shadow of the colour `rgb`, linear."""
    share = np.clip(SHADOW * strength, 0, 1) * lids(place)
    linear = skin_linear(painted["skin"], place)
    return dict(painted) | {"skin": with_skin(painted["skin"], place, covered(linear, share, rgb), share > SEEN)}


def with_lashes(painted: Mapping[str, PaintedMaterial], rgb, strength: float) -> Painted:
    """All materials with lashes of the colour `rgb`, linear, or as much of it as `strength` says."""
    lashes = painted["lashes"]
    before, share = linear_of(lashes.albedo[..., :3]), min(strength, 1.0)
    mixed = bytes_of(before * (1 - share) + np.asarray(rgb, np.float32) * share)
    return dict(painted) | {"lashes": replace(lashes, albedo=np.concatenate([mixed, lashes.albedo[..., 3:]], -1))}
