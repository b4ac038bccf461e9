"""The beard of a head: as photos show it, or as words ask; stubble is a matter of the skin's colour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from idto3d.config import HeadOptions
from idto3d.evidence.completion import vertex_means
from idto3d.evidence.projection import ramp
from idto3d.evidence.skin import SkinColour, SkinMap
from idto3d.geometry.mesh import vertex_normals
from idto3d.head.colours import natural_tone
from idto3d.head.hair.beard.part import BeardPart, grow_beard
from idto3d.head.hair.scalp import Skin
from idto3d.head.paint.usual_skin import BROWN, beard_of_words, beard_place
from idto3d.head.parts import Head
from idto3d.head.start import WORDS, Start
from idto3d.head.template import MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.stages.evidence import Taken
from idto3d.stages.hair import scalp_skin
from idto3d.subject.masks import REGIONS
from idto3d.words.traits import FACIAL_HAIR, SHAVEN

FULL = "beard"  # the word for a beard that grows wherever one can
FACING = (0.15, 0.45)  # cosines to the camera at which a photo begins to tell, and tells best, of a beard
SHOWS = (0.35, 0.75)  # shares in the masks at which there is none, and a full one
TRIMMED = 0.65  # of its usual depth that a beard of a photo has, whose depth is not seen from the front
SURE, LEAST_SHOWN = 0.5, 40  # share from which a vertex tells of the beard's colour, and how many of them do
ROUNDS = 3  # rings of vertices over which a beard gets sparse at its border
SIZE, LEAST_SIZE = 3 / 16, 64  # of a beard's textures: in the skin's, and at least, texels


@dataclass(frozen=True, eq=False)
class _Growth:
    """How full a beard is at the vertices of the outer skin, thick [V] 0..1; depth: metres; colours [V, 3] linear."""

    thick: np.ndarray
    depth: float
    colours: np.ndarray


def beard_of(
    head: Head,
    template: Template,
    start: Start,
    taken: Sequence[Taken],
    colour: SkinColour,
    skin: SkinMap,
    options: HeadOptions,
) -> BeardPart | None:
    """The BeardPart of a head; None for who has none that stands off the skin."""
    outer, moves = scalp_skin(head, template), head.parts[0].displacements[:, : MOUTH_SOCKET.start]
    word = start.words().get("beard") or SHAVEN
    stands_off = FACIAL_HAIR[word].depth_m > 0
    shown = _shown(taken, template, head.parts[0].vertices, skin)[: len(outer.mean)] if taken else None
    if shown is None or asked_for(start):
        own = None if shown is None else _seen_tone(shown, colour, skin)
        grown = _of_words(outer, word, own or natural_tone(start.words()) or BROWN) if stands_off else None
    else:  # a guess at the word counts for less than what the masks show
        stubble = FACIAL_HAIR[word].cover > 0 and not stands_off
        grown = None if stubble else _of_photos(outer, shown, colour, skin)
    if grown is None:
        return None
    size = max(int(SIZE * options.export.texture_size) // 8 * 8, LEAST_SIZE)
    moves = moves.cpu().double().numpy()
    return grow_beard(outer, grown.thick, grown.depth, grown.colours, options.seed, moves, size)


def asked_for(start: Start) -> bool:
    """Whether words say what beard there is."""
    return "beard" in start.traits and start.traits["beard"].source == WORDS


def _of_words(outer: Skin, word: str, rgb: tuple[float, float, float]) -> _Growth:
    thick = softened(beard_of_words(outer.mean, word), outer.faces)
    return _Growth(thick, FACIAL_HAIR[word].thickness_m, np.tile(rgb, (len(thick), 1)))


def _of_photos(outer: Skin, shown: np.ndarray, colour: SkinColour, skin: SkinMap) -> _Growth:
    thick = softened(beard_place(outer.mean, FULL), outer.faces) * shown
    return _Growth(thick, TRIMMED * FACIAL_HAIR[FULL].thickness_m, _tones(thick, colour, skin))


def softened(mask: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """`mask` [V] with a border over which hair gets sparse, inside of it, ROUNDS rings wide."""
    least = mask.copy()
    for _ in range(ROUNDS):
        around = np.bincount(faces.ravel(), least[faces].mean(1).repeat(3), len(mask))
        count = np.bincount(faces.ravel(), minlength=len(mask))
        least = np.minimum(mask, np.divide(around, count, out=least.copy(), where=count > 0))
    return least


def _shown(taken: Sequence[Taken], template: Template, rest: Tensor, skin: SkinMap) -> np.ndarray:
    """[V] 0..1 how much beard photos show on the skin at `rest` [V, 3]; what none sees is as its mirror image."""
    share, worth = np.zeros(skin.vertices), np.full(skin.vertices, 1e-6)
    for one in taken:
        caught = template.displacement(torch.from_numpy(one.fit.expression).to(rest))[template.part("skin").vertices]
        normals = vertex_normals(rest + caught, template.part("skin").faces).cpu().double().numpy()
        places = (rest + caught).cpu().double().numpy()
        towards = one.view.camera.position - places
        facing = (normals * towards).sum(1) / np.linalg.norm(towards, axis=1)
        say = ramp(facing, *FACING)
        share += say * one.photo.masks.at(one.view.place(places))[:, REGIONS.index(FULL)]
        worth += say
    mirrored = skin.symmetry.partner
    both = (share + share[mirrored] * 0.2) / (worth + worth[mirrored] * 0.2)
    return ramp(both, *SHOWS)


def _seen_tone(shown: np.ndarray, colour: SkinColour, skin: SkinMap) -> tuple[float, float, float] | None:
    """Linear, the colour of a beard that photos show, `shown` [V]; None where they show none."""
    told, say = vertex_means(skin.texels, colour.albedo, colour.known, skin.vertices)
    sure = (shown > SURE) & (say[: len(shown)] > SURE)
    return tuple(np.median(told[: len(shown)][sure], 0).tolist()) if sure.sum() >= LEAST_SHOWN else None


def _tones(thick: np.ndarray, colour: SkinColour, skin: SkinMap) -> np.ndarray:
    """[V, 3] linear colours of hair at the vertices of the outer skin as photos show it, elsewhere their median."""
    told, say = vertex_means(skin.texels, colour.albedo, colour.known, skin.vertices)
    told, say = told[: len(thick)], say[: len(thick)]
    sure = (thick > 0.5) & (say > 0.5)
    usual = np.median(told[sure], 0) if sure.any() else np.array(BROWN)
    return np.where(sure[:, None], told, usual)
