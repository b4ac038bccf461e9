"""What an edit draws on the skin: the patterns that its words name, and the sketch that comes with it."""

from dataclasses import replace

import numpy as np

from idto3d.head.paint.age import Aged
from idto3d.head.paint.bytes import bytes_of
from idto3d.head.template import LANDMARKS
from idto3d.stages.edit.drawn.drawing import Drawing
from idto3d.stages.edit.drawn.inks import laid
from idto3d.stages.edit.drawn.patterns import PATTERNS, PLACES, Spot
from idto3d.stages.edit.drawn.sheet import around, wrapped
from idto3d.stages.edit.paint.lines import carved
from idto3d.stages.edit.paint.place import Place, place_of, skin_linear, with_roughness, with_skin
from idto3d.stages.edit.work import Work
from idto3d.words.edits import EditRequest
from idto3d.words.figures.heard import Drawn
from idto3d.words.figures.table import KINDS
from idto3d.words.paints import PAINTS, paint_of
from idto3d.words.traits import FACIAL_HAIR, SHAVEN, natural_colour

SKIN, HAIR, SCAR, PAINT = "skin", "hair", "scar", "paint"
BEARD, BROWS = "beard", "brows"  # what of a request says that a sketch is of hair
DENT = "dent"
RELIEF = {SCAR: -0.55, DENT: 3.0}  # of the deepest wrinkle: how deep what is made of it lies; a scar rises
PAINTED = 0.62  # roughness of what is painted on skin
SIDES = {"left": 1, "right": -1}


def adorned(work: Work) -> Work:
    """The head with the patterns that the request names, and its sketch over them; the same where there are none.

    Patterns come as far as `options.strength` says; a sketch comes as it is drawn at 0, and as what its words say it is
    made of at 1.
    """
    strength, wanted = work.options.strength, work.request.drawings if work.drawing is None else ()
    if work.drawing is None and not (wanted and strength):
        return work
    place = place_of(work.template, len(work.head.painted[SKIN].albedo))
    for number, drawn in enumerate(wanted):
        for layer in pattern(_of_hair(drawn, work), place, work.options.seed + number):
            work = _with(work, replace(layer, share=layer.share * min(strength, 1.0)), place, 1.0)
    grown = work.drawing is not None and work.drawing.made_of == BEARD and BEARD in work.head.painted and strength
    return work if work.drawing is None or grown else _with(work, work.drawing, place, strength)


def _of_hair(drawn: Drawn, work: Work) -> Drawn:
    """What is drawn; hair of which no colour is said is darker than the head's is by nature, as brows are."""
    natural = natural_colour(work.head.start.words().get("hair_colour", ""))
    if KINDS[drawn.kind].made_of != HAIR or drawn.colour or natural is None:
        return drawn
    darker = f"dark {natural.name}"
    return replace(drawn, colour=darker if darker in PAINTS else natural.name)


def about_sketch(request: EditRequest, strength: float) -> EditRequest:
    """A request without what its sketch draws: the pattern or the hair that its words name.

    The form of a beard stays, for it says how the one that is drawn grows. Of no strength there is the sketch alone.
    """
    if not strength:
        return EditRequest(unknown=request.unknown)
    colours = {name: word for name, word in request.colours.items() if name not in (BEARD, BROWS)}
    return replace(request, drawings=(), colours=colours if made_of(request) in (BEARD, HAIR) else request.colours)


def made_of(request: EditRequest) -> str:
    """What a sketch is made of by the words that come with it: one of inks.INKS, "" for colour alone."""
    if request.drawings:
        return KINDS[request.drawings[0].kind].made_of
    beard = FACIAL_HAIR[request.traits.get(BEARD, SHAVEN)]
    if beard.cover or {BEARD, BROWS} & request.colours.keys():
        return BEARD if beard.depth_m else HAIR
    return ""


def drawn_zone(request: EditRequest, place: Place, seed: int, sketch: Drawing | None) -> np.ndarray:
    """[N] 0..1 the texels on which an edit draws."""
    if sketch is not None:
        return sketch.there.astype(np.float32)
    zone = np.zeros(len(place.outer), np.float32)
    for number, drawn in enumerate(request.drawings):
        for layer in pattern(drawn, place, seed + number):
            zone = np.maximum(zone, layer.there)
    return zone


def pattern(drawn: Drawn, place: Place, seed: int) -> list[Drawing]:
    """What is drawn for one of the words room's drawings, from below to above."""
    kind, marks = KINDS[drawn.kind], around(place.mean[list(LANDMARKS)])
    x, y, half = PLACES[drawn.place or kind.place]
    side = SIDES.get(drawn.side, 1)
    spot = Spot(np.array([side * x, y]), half, side, drawn.form, marks, np.random.default_rng([seed, 71]))
    usual = drawn.colour or kind.colour
    return [_coloured(layer.share, layer.paint or usual, place, kind.made_of) for layer in PATTERNS[kind.name](spot)]


def _coloured(sheet: np.ndarray, paint: str, place: Place, made: str) -> Drawing:
    colour = bytes_of(np.array(paint_of(paint).rgb_on("drawing"), np.float32)).astype(np.float32) / 255
    share = wrapped(sheet, place)
    return Drawing(np.broadcast_to(colour, (len(share), 3)), share, made)


def _with(work: Work, drawing: Drawing, place: Place, strength: float) -> Work:
    """The work with a drawing on its skin, which is what it is made of as far as `strength` says."""
    skin, there = work.head.painted[SKIN], drawing.there
    linear = skin_linear(skin, place)
    now = with_skin(skin, place, laid(linear, drawing, place, strength, work.options.seed), there)
    share = np.where(there, drawing.share, 0) * min(strength, 1.0)
    if drawing.made_of in RELIEF and strength:
        now = carved(now, place, Aged(RELIEF[drawing.made_of] * share, np.zeros_like(share)))
    if drawing.made_of == PAINT and strength:
        now = with_roughness(now, place, share, PAINTED)
    return replace(work, head=replace(work.head, painted={**work.head.painted, SKIN: now}))
