"""The beard of a head as an edit asks: shaved off, grown in another form, or stubble, which the skin's colour shows."""

from dataclasses import replace

import numpy as np
import torch

from idto3d.evidence.completion import DARKEST, vertex_means
from idto3d.evidence.projection import ramp
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.hair.beard.part import NAME, BeardPart, grow_beard
from idto3d.head.hair.part import NAME as HAIR
from idto3d.head.paint.usual_skin import DARKER_BEARD, beard_of_words, beard_place, facial_hair, grown_over
from idto3d.head.parts import Part
from idto3d.head.template import MOUTH_SOCKET
from idto3d.render.color import linear_from_srgb
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.beard import FULL, LEAST_SIZE, SIZE, softened
from idto3d.stages.dressing import hair_worn, painted
from idto3d.stages.edit.drawn.drawing import Drawing
from idto3d.stages.edit.hair import with_part, worn_rgb
from idto3d.stages.edit.remembered import remembered, telling
from idto3d.stages.edit.skin_page import SkinPage, bared, roughened, skin_page, with_skin
from idto3d.stages.edit.work import Work
from idto3d.stages.hair import scalp_skin, widened
from idto3d.words.traits import COLOURS, FACIAL_HAIR, NATURAL, SHAVEN, SMALL, natural_colour

TRAIT, COLOUR = "beard", "hair_colour"
BEARDLESS = (*SMALL, "female")  # words that take a beard away which none of them asks for
UNLIKE = (0.15, 0.40)  # how much skin differs from that around, in logarithms, from which it bears hair
AROUND = 4  # rings of vertices about the usual place of a beard that may bear hair as well
DENSER = 1.13  # times as much hair below cards as words alone ask for: where they part no skin shines through
SHOWN = 0.2  # share of the beard's place from which there is one


def rebearded(work: Work) -> Work:
    """The head with the beard that the request asks for; the same where it asks for none.

    Babies, children and women lose theirs.
    """
    word = wanted(work)
    if word is None or not work.options.strength:
        return work
    if reason := _kept(work):
        return telling(work, f"The beard stays as it is, because {reason}.")
    page = skin_page(work)
    hidden = _hidden(work, page)
    has_one = NAME in work.head.painted or hidden.any()
    if word == SHAVEN and not has_one:
        return telling(work, "There is no beard to take off.") if TRAIT in work.request.traits else work
    return _grown(work, page, hidden, word)


def wanted(work: Work) -> str | None:
    """The word for the beard that the head shall have; None where it stays."""
    said = work.request.traits
    if TRAIT in said:
        return said[TRAIT]
    loses = {said.get("age"), said.get("gender")} & {*BEARDLESS}
    has_one = NAME in work.head.painted or work.head.start.words().get(TRAIT, SHAVEN) != SHAVEN
    return SHAVEN if loses and has_one else None


def _kept(work: Work) -> str:
    """Why the beard may not change; "" where it may."""
    if work.options.keep:
        return f"{work.options.keep} is to be kept"
    return "skin is locked" if "skin" in work.options.locks else ""


def beard_rgb(work: Work) -> tuple[float, float, float]:
    """Linear, of a beard: as this head's is, else as its hair is where that is not dyed, else a natural one."""
    if (worn := work.head.painted.get(NAME)) is not None:
        return _of_cards(worn)
    word = work.head.start.words().get(COLOUR, "")
    hair = work.head.painted.get(HAIR)
    if hair is not None and not (word in COLOURS and COLOURS[word].dyed):
        return worn_rgb(hair)
    return (natural_colour(word) or COLOURS[NATURAL]).rgb


def _of_cards(worn: PaintedMaterial) -> tuple[float, float, float]:
    """Linear, the mean colour of a beard by its texture."""
    shown = worn.albedo[worn.albedo[..., 3] > 127][:, :3]
    return tuple(linear_from_srgb(torch.from_numpy(shown).float() / 255).mean(0).tolist())


def _hidden(work: Work, page: SkinPage) -> np.ndarray:
    """[V] 0..1 where the skin bears the colour of a beard: in the place of the one that it is said to have, and where
    it looks unlike the skin around. Nowhere where there is none.
    """
    word = work.head.start.words().get(TRAIT)
    if word == SHAVEN and NAME not in work.head.painted:
        return np.zeros(page.map.vertices)
    mean, faces = page.map.positions, page.map.faces
    place = beard_place(mean, FULL)
    around = place
    for _ in range(AROUND):
        around = widened(around, faces)
    around = around * (skin_masks(mean)["lips"] == 0)
    around[MOUTH_SOCKET.start :] = 0
    unlike = _unlike(page, around, work.options.seed)
    if word is None and NAME not in work.head.painted and (unlike * place).sum() < SHOWN * place.sum():
        return np.zeros(len(mean))
    said = widened(beard_place(mean, word or SHAVEN), faces)
    return np.maximum(said, around * widened(unlike, faces))


def _unlike(page: SkinPage, place: np.ndarray, seed: int) -> np.ndarray:
    """[V] 0..1 how far the skin in a `place` [V] differs from what the skin around lets expect there."""
    bare = bared(page, place, seed)
    logs = np.stack([np.log(np.maximum(one, DARKEST)) for one in (page.albedo, bare)])
    off = np.linalg.norm(logs[0] - logs[1], axis=1)[:, None]
    means, _ = vertex_means(page.map.texels, off, np.ones(len(off)), page.map.vertices)
    return ramp(means[:, 0], *UNLIKE) * (place > 0)


def _worn(beard: BeardPart | None) -> tuple[Part, PaintedMaterial] | None:
    """A beard as a part of a head, and what it wears."""
    if beard is None:
        return None
    return replace(beard.part, normals=beard.normals), painted({NAME: hair_worn(beard)})[NAME]


def _grown(work: Work, page: SkinPage, hidden: np.ndarray, word: str) -> Work:
    """The head with a beard of that `word` in place of what is `hidden` [V], or where it is drawn."""
    place = _drawn_place(work, page)
    rgb = beard_rgb(work) if place is None else _drawn_rgb(work.drawing)
    bare = bared(page, hidden, work.options.seed)
    hair = facial_hair(page.map.positions, {TRAIT: word}, page.map.texels, work.options.seed, place)
    thick = np.minimum(DENSER * hair.beard, 1) if FACIAL_HAIR[word].depth_m else hair.beard
    hair = replace(hair, brow=np.zeros_like(hair.brow), beard=thick, beard_rgb=DARKER_BEARD * np.array(rgb))
    share = page.map.texels.read((hidden > 0)[:, None].astype(np.float64))[:, 0]
    share = np.maximum(share, hair.beard > 0)
    work = with_skin(work, page, grown_over(bare, hair), share)
    beard = _part(work, word, rgb, place)
    work = roughened(work, page, beard, share)
    head = with_part(work.head, NAME, _worn(beard))
    return replace(work, head=remembered(head, {TRAIT: word}))


def _drawn_place(work: Work, page: SkinPage) -> np.ndarray | None:
    """[V] 0..1 where a sketch draws the beard; None where none does."""
    if work.drawing is None or work.drawing.made_of != NAME:
        return None
    texels, share = page.map.texels, work.drawing.share
    return vertex_means(texels, share[:, None], np.ones(len(share)), page.map.vertices)[0][:, 0]


def _drawn_rgb(drawing: Drawing) -> tuple[float, float, float]:
    """Linear, the mean colour of a drawing."""
    return tuple(np.average(drawing.linear, 0, weights=drawing.share).tolist())


def _part(work: Work, word: str, rgb: tuple[float, float, float], place: np.ndarray | None) -> BeardPart | None:
    """The beard's cards, where its word says or in its `place` [V]; None of one that does not stand off the skin."""
    if not FACIAL_HAIR[word].depth_m:
        return None
    options, skin = work.head.options, scalp_skin(work.head.head, work.template)
    full = beard_of_words(skin.mean, word) if place is None else place[: len(skin.mean)]
    thick = softened(full, skin.faces)
    moves = work.head.head.parts[0].displacements[:, : MOUTH_SOCKET.start].cpu().double().numpy()
    size = max(int(SIZE * options.export.texture_size) // 8 * 8, LEAST_SIZE)
    colours = np.tile(rgb, (len(thick), 1))
    return grow_beard(skin, thick, FACIAL_HAIR[word].thickness_m, colours, options.seed, moves, size)
