"""What tells men's faces from women's beside their shape: how full brows are, how red lips, and the shade of a beard.

After Russell, "A sex difference in facial contrast and its exaggeration by cosmetics" (Perception, 2009): eyes and lips
stand out more from the skin of women.
"""

from collections.abc import Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.evidence.projection import ramp
from idto3d.head.paint.brows import brows
from idto3d.head.paint.usual_skin import BROWN, DARKER_BEARD, facial_hair
from idto3d.head.skin import HAEMOGLOBIN
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.hair import SURELY_HAIR, Painted, around, strands
from idto3d.stages.edit.paint.place import Place, lips_at, skin_linear, with_skin
from idto3d.stages.edit.paint.tone import logs, median, regrown
from idto3d.words.traits import FACIAL_HAIR

MALE, FEMALE = "male", "female"
FULLER, STRONGER = 0.9, 0.75  # of the hairs by which men's brows are fuller, and how bright these are
KEPT, EDGE = (0.12, 0.36), 2.0  # of women's brows, blurred by texels of 1024, between which hairs come off and stay
LEFT = 0.6  # of a brow's hairs that hide those drawn over them
REDDER = 0.40  # how much redder women's lips are, and how much paler men's
SHADOW = 0.75  # of stubble that shaven skin shows
SHORTEST = next(beard.name for beard in FACIAL_HAIR.values() if beard.cover and not beard.depth_m)
SEEN = 0.01  # change below which nothing changes


def with_gender(
    painted: Mapping[str, PaintedMaterial], place: Place, gender: str, strength: float, seed: int
) -> Painted:
    """All materials with skin as that of a `gender` of the table of traits, of somebody who was of the other."""
    skin = painted["skin"]
    linear = skin_linear(skin, place)
    painters = (_fuller_brows, _shadow, _lips) if gender == MALE else (_finer_brows, _lips)
    now = logs(linear)
    for paint in painters:
        now = now + strength * (logs(paint(np.exp(now), place, gender, seed)) - now)
    changed = np.abs(now - logs(linear)).max(-1) > SEEN
    return dict(painted) | {"skin": with_skin(skin, place, np.exp(now), changed & place.outer)}


def _brow_colour(linear: np.ndarray, share: np.ndarray) -> np.ndarray:
    """[3] linear, of the surest hairs of brows."""
    sure = median(linear, share, SURELY_HAIR)
    return np.array(BROWN) if sure is None else sure


def _fuller_brows(linear: np.ndarray, place: Place, gender: str, seed: int) -> np.ndarray:
    zone = place.at("brow_zone")
    there = zone * strands(linear, around(linear, place, zone), zone)
    more = FULLER * np.clip(brows(place.mean, {"gender": gender}, place.texels, seed) - LEFT * there, 0, 1)[:, None]
    return linear * (1 - more) + more * STRONGER * _brow_colour(linear, there)


def _finer_brows(linear: np.ndarray, place: Place, gender: str, seed: int) -> np.ndarray:
    zone = place.at("brow_zone")
    bare = around(linear, place, zone)
    there = zone * strands(linear, bare, zone)
    wide = place.texels.spread(brows(place.mean, {"gender": gender}, place.texels, seed)[:, None])[..., 0]
    kept = gaussian_filter(wide, EDGE * len(wide) / 1024)[place.texels.covered]
    off = there * (1 - ramp(kept, *KEPT))
    return regrown(linear, off, bare, _brow_colour(linear, there), bare)


def _shadow(linear: np.ndarray, place: Place, gender: str, seed: int) -> np.ndarray:
    """The skin with what a razor leaves of a beard; nothing where it is as dark as one already."""
    hair = facial_hair(place.mean, {"beard": SHORTEST}, place.texels, seed)
    zone = place.at("brow_zone")
    dark = DARKER_BEARD * _brow_colour(linear, zone * strands(linear, around(linear, place, zone), zone))
    share = SHADOW * hair.beard[:, None]
    return np.minimum(linear, linear * (1 - share) + share * dark)


def _lips(linear: np.ndarray, place: Place, gender: str, seed: int) -> np.ndarray:
    more = REDDER if gender == FEMALE else -REDDER
    return linear * np.exp(-more * lips_at(place)[:, None] * HAEMOGLOBIN)
