"""The hair of a head: as photos show it, unless words ask for another."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from torch import Tensor

from idto3d.config import HeadOptions
from idto3d.evidence.skin import SkinColour, SkinMap
from idto3d.head.hair.dye import dyed
from idto3d.head.hair.part import HairPart, hair_of_words
from idto3d.head.hair.scalp import Skin
from idto3d.head.hair.seen.grow import hair_of_photos
from idto3d.head.hair.seen.mask import own_hair
from idto3d.head.hair.seen.view import HairView, view_of
from idto3d.head.paint.strokes import ROOTS, strokes
from idto3d.head.parts import Head
from idto3d.head.start import WORDS, Start
from idto3d.head.template import MOUTH_SOCKET
from idto3d.head.template_model import Template
from idto3d.stages.evidence import Taken
from idto3d.subject.square import Square, cut_square
from idto3d.words.traits import COLOURS, STYLES, USUAL_STYLE

USUAL_COLOUR = "brown"  # of hair of whose colour nobody says a word
BARE_HEAD = ("skin", "beard", "glasses", "mouth")
CURL_M = 0.004  # radius of curls that words or photos tell of
SPARSE = 0.7  # how far hairs stand alone where the scalp shows little of them
LEAST_SIZE, TILED = 64, 32  # of hair's textures, and what their side is a multiple of, texels
COVER = 0.985  # how far the scalp takes the hair's colour
GRAIN = 0.5  # by how much hair on the scalp is brighter and darker, logarithm


def hair_of(head: Head, template: Template, start: Start, taken: Sequence[Taken], options: HeadOptions):
    """The HairPart of a head without hair, None for a bald one."""
    skin, moves = scalp_skin(head, template), head.parts[0].displacements[:, : MOUTH_SOCKET.start]
    size = max(options.export.texture_size // TILED * TILED, LEAST_SIZE)
    moves = moves.cpu().double().numpy()
    words, style = start.words(), start.traits.get("hair_style")
    views = [] if style is not None and style.source == WORDS else [_view(one, skin) for one in taken]
    if not views:
        wanted = words.get("hair_style", USUAL_STYLE), words.get("hair_colour", USUAL_COLOUR)
        return hair_of_words(skin, *wanted, size, options.seed, moves)
    curl = CURL_M if style is not None and STYLES[style.word].curled and style.word != "afro" else 0.0
    return _dyed(hair_of_photos(skin, views, size, options.seed, moves, curl), start)


def scalp_skin(head: Head, template: Template) -> Skin:
    """What hair grows on: the skin outside, on this head and on the mean one."""
    part, end = head.parts[0], MOUTH_SOCKET.start
    faces = part.faces[(part.faces < end).all(1)].cpu().numpy()
    return Skin(_array(part.vertices[:end]), _array(template.neutral[:end]), faces)


def _array(values: Tensor) -> np.ndarray:
    return values.cpu().double().numpy()


def _view(taken: Taken, skin: Skin) -> HairView:
    photo, camera = taken.photo, taken.view.camera
    c2w = np.eye(4)
    c2w[:3, :3], c2w[:3, 3] = camera.rotation.T, camera.position
    left, top, side = photo.masks.box
    hair, skin_share = (photo.masks.region(name) for name in ("hair", "skin"))
    picture = cut_square(photo.pixels, Square(np.array([left, top]) + side / 2, np.array([side, 0.0])), len(hair))
    scalp = (camera.project(skin.vertices[skin.covered() > 0.5]) - [left, top]) / side * len(hair)
    hair = own_hair(picture, hair, skin_share, scalp)
    head = hair + sum(photo.masks.region(name) for name in BARE_HEAD)
    return view_of(photo.pixels, photo.masks.box, hair, head, c2w, (camera.focal, *camera.centre))


def _dyed(hair: HairPart | None, start: Start) -> HairPart | None:
    """Hair of photos in the colour that words ask for; as it is where they ask for none."""
    colour = start.traits.get("hair_colour")
    if hair is None or colour is None or colour.source != WORDS:
        return hair
    rgb = COLOURS[colour.word].rgb
    return replace(hair, albedo=dyed(hair.albedo, rgb), scalp_rgb=rgb)


def with_scalp(colour: SkinColour, hair: HairPart | None, skin: SkinMap) -> SkinColour:
    """The skin in the hair's colour where hair covers it."""
    if hair is None:
        return colour
    cover = np.zeros((skin.vertices, 1))
    cover[: len(hair.scalp_cover), 0] = hair.scalp_cover.cpu().numpy()
    roots = strokes(skin.texels, ROOTS, len(cover))[:, None]
    cover = skin.texels.read(cover)
    share = COVER * np.minimum(cover, np.clip((1 + SPARSE) * cover - SPARSE * (1 - roots), 0, 1))
    shown = np.array(hair.scalp_rgb) * np.exp(GRAIN * (roots - roots.mean()))
    return replace(colour, albedo=colour.albedo * (1 - share) + share * shown)


def widened(share: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """[V] the most of `share` [V] at each vertex and its neighbours along `faces` [F, 3]."""
    found = share.copy()
    np.maximum.at(found, faces.ravel(), share[faces].max(1).repeat(3))
    return found
