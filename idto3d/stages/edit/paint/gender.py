"""What tells men's faces from women's beside their shape: how full brows are, how red lips, and the shade of a beard.

After Russell, "A sex difference in facial contrast and its exaggeration by cosmetics" (Perception, 2009): eyes and lips
stand out more from the skin of women.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.evidence.projection import ramp
from idto3d.head.paint.brows import Brow, brow_of, brows_like
from idto3d.head.paint.complexion import THIN_BLOOD
from idto3d.head.paint.usual_skin import BROW, BROWN, DARKER_BEARD, RAZORED, blood_of, razored, shadow_of, shaves
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.hair import SURELY_HAIR, Painted, around, strands
from idto3d.stages.edit.paint.place import Place, lips_at, skin_linear, with_skin
from idto3d.stages.edit.paint.tone import DARKEST, logs, median, regrown

MALE = "male"
FULL, FINE = (1.55, 1.45), (0.60, 0.80)  # of a brow's height and of its hairs, where it becomes fuller and finer
GRAIN = 0.06  # that bare skin differs from the skin around at most, logarithm
FULLEST = 1.6  # against usual brows, their height
FULLER, STRONGER = 0.9, 0.75  # of the hairs by which brows become fuller, and how bright these are
KEPT, EDGE = (0.12, 0.36), 2.0  # of finer brows, blurred by texels of 1024, between which hairs come off and stay
LEFT = 0.6  # of a brow's hairs that hide those drawn over them
WHOLLY_HAIR = 0.9  # share from which a texel has the colour that hairs are drawn in
ABOUT = 4.0  # of a brow's blurred hairs, how far they may reach beyond the zone of brows
SHADOW = 0.75  # of stubble that shaven skin shows where photos showed none
FINELY, LEAST, MOST = 3.0, 0.3, 6.0  # texels of 1024 over which a razor's shadow varies; the shares of it told by that
SEEN = 0.01  # change below which nothing changes


@dataclass(frozen=True, eq=False)
class Change:
    """Who somebody was and shall be, by words of each attribute; `drawn`: words made the brows, and no photo did."""

    was: Mapping[str, str]
    now: Mapping[str, str]
    drawn: bool


def with_gender(
    painted: Mapping[str, PaintedMaterial], place: Place, change: Change, strength: float, seed: int
) -> Painted:
    """All materials with skin as that of the gender that somebody shall have, who was of the other.

    seed: of the head, by which the hairs of its face were drawn.
    """
    skin = painted["skin"]
    linear = skin_linear(skin, place)
    now = logs(linear)
    for paint in (_brows, _shadow if change.now["gender"] == MALE else _unshadowed, _lips):
        now = now + strength * (logs(paint(np.exp(now), place, change, seed)) - now)
    changed = np.abs(now - logs(linear)).max(-1) > SEEN
    return dict(painted) | {"skin": with_skin(skin, place, np.exp(now), changed & place.outer)}


def with_brow_hairs(
    painted: Mapping[str, PaintedMaterial], place: Place, words: Mapping[str, str], amount: float, seed: int
) -> Painted:
    """All materials with fuller brows, or finer ones where `amount` is under 0, of somebody of those `words`."""
    skin, paint = painted["skin"], _fuller if amount > 0 else _finer
    linear = skin_linear(skin, place)
    now = logs(linear) + min(abs(amount), 1.0) * (logs(paint(linear, place, words, seed)) - logs(linear))
    changed = np.abs(now - logs(linear)).max(-1) > SEEN
    return dict(painted) | {"skin": with_skin(skin, place, np.exp(now), changed & place.outer)}


def _brows(linear: np.ndarray, place: Place, change: Change, seed: int) -> np.ndarray:
    """The skin with brows of the other gender; those of photos are a person's own, and stay where they are."""
    if change.drawn:
        return _redrawn(linear, place, change, seed)
    return (_fuller if change.now["gender"] == MALE else _finer)(linear, place, change.was, seed)


def _redrawn(linear: np.ndarray, place: Place, change: Change, seed: int) -> np.ndarray:
    """The skin without the brows of who somebody was, and with those of who it shall be, of the same colour."""
    old, new = (brows_like(place.mean, brow_of(words), place.texels, seed) for words in (change.was, change.now))
    zone = np.maximum(place.at("brow_zone"), np.clip(ABOUT * _blurred(old, place, 2 * EDGE), 0, 1))
    bare = around(linear, place, zone)
    there = zone * strands(linear, bare, zone)
    rgb = _brow_colour(linear, there, WHOLLY_HAIR)
    more = BROW * new[:, None]
    return _without(linear, there, bare, place) * (1 - more) + more * rgb


def _without(linear: np.ndarray, there: np.ndarray, bare: np.ndarray, place: Place) -> np.ndarray:
    """The skin without hairs that are `there` [N] 0..1, and without the shade between them."""
    off = regrown(linear, there, bare, _brow_colour(linear, there), bare)
    about = np.clip(ABOUT * _blurred(there, place, 2 * EDGE), 0, 1)[:, None]
    own = logs(off) - logs(bare)
    shade = np.stack([_blurred(one, place, EDGE) for one in own.T], -1)
    return np.exp(logs(bare) + (1 - about) * own + about * np.clip(own - shade, -GRAIN, GRAIN))


def _fuller(linear: np.ndarray, place: Place, words: Mapping[str, str], seed: int) -> np.ndarray:
    there, _ = _told(linear, place)
    wanted = brows_like(place.mean, _changed(_brow_seen(place, there, words, seed), FULL), place.texels, seed)
    more = FULLER * np.clip(wanted - LEFT * there, 0, 1)[:, None]
    return linear * (1 - more) + more * STRONGER * _brow_colour(linear, there)


def _finer(linear: np.ndarray, place: Place, words: Mapping[str, str], seed: int) -> np.ndarray:
    there, bare = _told(linear, place)
    left = brows_like(place.mean, _changed(_brow_seen(place, there, words, seed), FINE), place.texels, seed)
    off = there * (1 - ramp(_blurred(left, place, EDGE), *KEPT))
    return regrown(linear, off, bare, _brow_colour(linear, there), bare)


def _told(linear: np.ndarray, place: Place) -> tuple[np.ndarray, np.ndarray]:
    """[N] 0..1 how much of each texel is hair of a brow, and [N, 3] what is bare around it."""
    zone = place.at("brow_zone")
    bare = around(linear, place, zone)
    return zone * strands(linear, bare, zone), bare


def _brow_seen(place: Place, there: np.ndarray, words: Mapping[str, str], seed: int) -> Brow:
    """The brow of `words` where its hairs are, `there` [N] 0..1: as words alone draw it, or along its landmarks as on
    photos, and on heads that know of no other.
    """
    own, plain = brow_of(words), Brow()
    lines = (own, replace(own, arch=plain.arch, up=plain.up))
    return max(lines, key=lambda brow: float(brows_like(place.mean, brow, place.texels, seed) @ there))


def _changed(brow: Brow, by: tuple[float, float]) -> Brow:
    return replace(brow, full=min(by[0] * brow.full, FULLEST), hairs=by[1] * brow.hairs)


def _blurred(values: np.ndarray, place: Place, texels: float) -> np.ndarray:
    """[N] `values` [N] blurred over the texture, by so many texels of 1024."""
    whole = place.texels.spread(values[:, None])[..., 0]
    return gaussian_filter(whole, texels * len(whole) / 1024)[place.texels.covered]


def _brow_colour(linear: np.ndarray, share: np.ndarray, least: float = SURELY_HAIR) -> np.ndarray:
    """[3] linear, of the surest hairs of brows: where these are more than the share `least`."""
    sure = median(linear, share, least)
    return np.array(BROWN) if sure is None else sure


def _shadow(linear: np.ndarray, place: Place, change: Change, seed: int) -> np.ndarray:
    """The skin with what a razor leaves of a beard; nothing where it is as dark as one already."""
    if change.drawn:
        return razored(linear, place.mean, change.now, place.texels, seed)
    dark = DARKER_BEARD * _brow_colour(linear, _told(linear, place)[0])
    share = SHADOW / RAZORED * shadow_of(place.mean, change.now, place.texels, seed)[0][:, None]
    return np.minimum(linear, linear * (1 - share) + share * dark)


def _unshadowed(linear: np.ndarray, place: Place, change: Change, seed: int) -> np.ndarray:
    """The skin without what a razor had left, as much of it as there is: heads of before have none."""
    if not (change.drawn and shaves(change.was)):
        return linear
    cover, rgb = shadow_of(place.mean, change.was, place.texels, seed)
    usual = float(linear[place.outer].mean())
    pattern, seen = (_fine(one, place) for one in (cover * (1 - rgb.mean() / usual), -logs(linear).mean(-1)))
    inside = cover > 0
    share = float(pattern[inside] @ seen[inside] / max(float(pattern[inside] @ pattern[inside]), DARKEST**2))
    if share < LEAST:
        return linear
    cover = np.clip(min(share, MOST) * cover, 0, 0.9)[:, None]
    return np.maximum(linear, (linear - cover * rgb) / (1 - cover))


def _fine(values: np.ndarray, place: Place) -> np.ndarray:
    return values - _blurred(values, place, FINELY)


def _lips(linear: np.ndarray, place: Place, change: Change, seed: int) -> np.ndarray:
    """The skin with lips as much redder, or paler, as those of new heads are."""
    more = blood_of(change.now)[1] - blood_of(change.was)[1]
    return linear * np.exp(-more * lips_at(place)[:, None] * THIN_BLOOD)
