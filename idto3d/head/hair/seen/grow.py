"""Hair as photos show it: the volume between skull and outline, cards along the strands that are seen, their pixels."""

from dataclasses import replace

import numpy as np
import torch

from idto3d.head.hair.atlas import PHOTOS, Strand, encoded, paint_atlas
from idto3d.head.hair.comb import Comb
from idto3d.head.hair.guides import grow
from idto3d.head.hair.part import Group, HairPart, lay_out
from idto3d.head.hair.scalp import MeanSpace, Skin, hairline_band, smoothstep, spread_roots
from idto3d.head.hair.seen.colours import evened, mid_tone
from idto3d.head.hair.seen.combed import Observed, likeliest_comb, read_grain
from idto3d.head.hair.seen.paint import painted_cards, toned, with_own_tiles
from idto3d.head.hair.seen.surface import Evidence, painted_cap, texels_of_cap
from idto3d.head.hair.seen.trim import trimmed
from idto3d.head.hair.seen.view import SURE, HairView
from idto3d.head.hair.seen.volume import falls_of, volume_of_views
from idto3d.head.hair.styles import SHORT, Cut, fine_cut
from idto3d.head.hair.volume import HairVolume

BARE = 0.08  # share of the scalp in view under which a head is bald
USUAL = 0.15  # weight of where hair usually grows, against a photo that shows the place well
HANGING = 0.36  # metres of a strand where hair hangs
HANGS_TO = -0.03  # height under which hair counts as hanging, metres
CARDS = (540, 460)  # of short hair and of hair that hangs
FINE = 120  # of them at the hairline
INSIDE = -1.0  # metres that these run over it: where hair ends is as photos show it, wherever the usual hairline is
LEVELS = (0.86, 0.97, 1.06)  # of the layers of cards, which lie about the cap
INSET = (0.3, 0.0025)  # of the cap: a share of the thickness, and metres at most
ROUGHNESS = 0.72  # photos hold the strands' gloss already, and what is rough shines less at its rim
TRIM = (0.02, 4.0, 0.035, 0.20)  # a strand's length: metres, and as often the hair's thickness; least and most, metres


def hair_of_photos(
    skin: Skin, views: list[HairView], size: int, seed: int, moves: np.ndarray, curl: float = 0.0
) -> HairPart | None:
    """The hair that `views` show on this head; None for a bald one, and where no view shows the scalp.

    size: texels along a side of its textures. moves [E, V, 3]: how the skin moves in the head's expressions,
    metres; hair that rests on it follows. curl: radius of curls in metres, 0 for straight hair.
    """
    views = [view.on(skin) for view in views]
    cover = cover_of_views(skin, views)
    if cover is None or not any((view.hair > SURE).any() for view in views):
        return None
    random, space = np.random.default_rng([seed, 18]), MeanSpace(skin)
    volume = volume_of_views(skin, views, space)
    grains = tuple(read_grain(view) for view in views)
    comb = Observed(likeliest_comb(volume, grains, space), grains, space)
    cut = _cut(volume, comb, curl)
    fine = replace(fine_cut(cut), cards=FINE)
    fine = replace(fine, past=INSIDE) if cut.falls else fine
    near = hairline_band(skin) * (cover > 0.3)
    rgb = mid_tone(views)
    even = [evened(view, rgb) for view in views]
    evidence = Evidence(views, even, comb, space, volume, bool(falls_of(views)))
    groups = []
    for one, where in ((cut, cover), (fine, near)):
        guides = grow(volume, one, spread_roots(skin, where, one.cards, random), space, random)
        guides = guides if evidence.hangs else trimmed(guides, one.width, evidence, random)
        groups.append(Group(guides, one, one is fine))
    return _painted(skin, evidence, cover, lay_out(groups, volume, random, PHOTOS, INSET), size, moves, random)


def _painted(skin, evidence: Evidence, cover, layout, size: int, moves, random: np.random.Generator) -> HairPart:
    rgb = mid_tone(evidence.views)
    layout, chosen = with_own_tiles(layout, evidence)
    atlas = paint_atlas(Strand(rgb), size, random, PHOTOS)
    atlas = painted_cap(atlas, texels_of_cap(layout.cap, size, evidence.comb, evidence.space), evidence, random)
    layout = toned(layout, atlas, random)
    atlas = painted_cards(atlas, layout, chosen, evidence, random)
    part, normals = layout.part(size, skin, moves)
    albedo, relief = encoded(atlas)
    return HairPart(part, normals, albedo, ROUGHNESS, relief, torch.from_numpy(cover).float(), rgb)


def cover_of_views(skin: Skin, views: list[HairView]) -> np.ndarray | None:
    """[V] 0..1 how much of the scalp's skin grows hair: as seen where it is seen, else as usual; None where bald."""
    usual = skin.covered()
    grown, weights = np.zeros(len(usual)), np.zeros(len(usual))
    for view in views:
        share, shown = view.shares_of(skin)
        grown, weights = grown + shown * share, weights + shown
    scalp = usual > 0.5
    if grown[scalp].sum() <= BARE * weights[scalp].sum():
        return None
    total, weights = grown + USUAL * usual, weights + USUAL
    near = smoothstep(skin.above, -0.022, -0.008) * (1 - skin.ears)  # hair may hang before skin that grows none
    return near * total / weights


def _cut(volume: HairVolume, comb: Comb, curl: float) -> Cut:
    """Long strands where the volume hangs, else as long as its thickness asks."""
    lattice = volume.hair.lattice
    filled = (volume.hair.values < -0.002) & (volume.skin.values > 0.004)
    hangs = filled.any() and lattice.points[filled.reshape(-1), 1].min() < HANGS_TO
    base, times, least, most = TRIM
    # Very short hair lies between the lattice's points.
    thick = float(np.median((volume.skin.values - volume.hair.values)[filled])) if filled.any() else 0.0
    length = HANGING if hangs else float(np.clip(base + times * thick, least, most))
    cut = replace(SHORT, comb=comb, length=(length, length), wave=curl, spread=0.12, cards=CARDS[0], width=0.013)
    cut = replace(cut, levels=LEVELS, afloat=True, fringed=True, falls=not hangs)
    if not hangs:
        return cut
    return replace(cut, length=(length, 0.75 * length), segments=14, width=0.016, cards=CARDS[1])
