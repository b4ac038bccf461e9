"""The colours that a request asks for: of hair, skin, eyes, and of what is painted on a face."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from idto3d.head.template_model import Template
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.eyes import with_irises
from idto3d.stages.edit.paint.face import with_cheeks, with_lashes, with_lids, with_lips
from idto3d.stages.edit.paint.hair import with_beard, with_brows, with_hair
from idto3d.stages.edit.paint.parted import kind_of
from idto3d.stages.edit.paint.place import Place, place_of
from idto3d.stages.edit.paint.skin import with_melanin, with_tint
from idto3d.stages.edit.work import Work
from idto3d.words.paints import ONE_EYE, paint_of
from idto3d.words.traits import COLOURS, FACIAL_HAIR, SHAVEN, SKIN_TONES

SIDES = {name: number for number, name in enumerate(ONE_EYE)}  # as the template's eyes are counted
NO_SHARES: Mapping[str, float] = MappingProxyType({})
BARE = "There is no hair that could have a colour."
BEARDLESS = "There is no beard that could have a colour."


def recoloured(work: Work) -> Work:
    """The head in the colours that are asked for, as far as `options.strength` says.

    Hair has the colour of the table of traits, skin its melanin; brows and beard keep theirs unless they are named.
    """
    traits, request, head = work.request.traits, work.request, work.head.head
    painted, strength, told = dict(work.head.painted), work.options.strength, []
    place = place_of(work.template, len(painted["skin"].albedo))
    if "skin" in traits:
        least, most = SKIN_TONES[traits["skin"]].melanin
        painted = with_melanin(painted, head, place, (least + most) / 2, strength, _bearded(work))
    if "skin" in request.colours:
        rgb = paint_of(request.colours["skin"]).rgb_on("skin")
        painted = with_tint(painted, head, place, rgb, strength, _bearded(work))
    if "hair_colour" in traits:
        told += [] if any(kind_of(part.name) == "hair" for part in head.parts) else [BARE]
        painted = with_hair(painted, head, place, COLOURS[traits["hair_colour"]].rgb, strength)
    if "beard" in request.colours:
        told += [] if _bearded(work) else [BEARDLESS]
    painted = made_up(painted, request.colours, place, work.template, strength, request.shares)
    return replace(work, head=replace(work.head, painted=painted), told=(*work.told, *told))


def _bearded(work: Work) -> bool:
    """Whether the head has a beard, or stubble on its skin, now."""
    word = work.request.traits.get("beard") or work.before.start.words().get("beard") or SHAVEN
    return FACIAL_HAIR[word].cover > 0 or any(kind_of(part.name) == "beard" for part in work.head.head.parts)


def made_up(
    painted: Mapping[str, PaintedMaterial],
    colours: Mapping[str, str],
    place: Place,
    template: Template,
    strength: float,
    shares: Mapping[str, float] = NO_SHARES,
) -> dict[str, PaintedMaterial]:
    """All materials with `colours`, names of paints, by what bears them; of some only a share, or more than all."""
    rgb, painted = {bearer: paint_of(name).rgb_on(bearer) for bearer, name in colours.items()}, dict(painted)
    much = {bearer: strength * shares.get(bearer, 1.0) for bearer in rgb}
    for bearer in ("eyes", *ONE_EYE):
        if bearer in rgb:
            painted = with_irises(painted, template, rgb[bearer], strength, SIDES.get(bearer))
    if "beard" in rgb:
        painted = with_beard(painted, place, rgb["beard"], strength)
    if "brows" in rgb:
        painted = with_brows(painted, place, rgb["brows"], strength)
    if "cheeks" in rgb:
        painted = with_cheeks(painted, place, rgb["cheeks"], much["cheeks"])
    if "lids" in rgb:
        painted = with_lids(painted, place, rgb["lids"], much["lids"])
    if "lips" in rgb:
        painted = with_lips(painted, place, rgb["lips"], much["lips"])
    return with_lashes(painted, rgb["lashes"], much["lashes"]) if "lashes" in rgb else painted
