"""The colours of a candidate's picture: those that its words let expect, and those that they name. Linear RGB 0..1."""

from collections.abc import Mapping

import numpy as np

from idto3d.head.features.eyes import NAMES, eye_of
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.features.regions import brows
from idto3d.head.paint.eye_texture import IRIS_M, PUPIL_M, SCLERA, iris_of_words
from idto3d.head.paint.usual_skin import BROWN, DARKER_BROW, brow_colour, lip_share, usual_skin
from idto3d.head.template_model import Template
from idto3d.words.asked import read_edit
from idto3d.words.edits import EditRequest
from idto3d.words.paints import ONE_EYE, paint_of
from idto3d.words.traits import SMALL, natural_colour

BROW_SHOWN, THIN = 0.75, 0.35
LIPSTICK, LIPS_TAKE = 0.9, 0.8  # how much of lips is hidden by their paint, and how much of the skin's they take
PUPIL = 0.005
DARKEST = 1e-4


def colours_of(template: Template, traits: Mapping[str, str], prompt: str, count: int) -> np.ndarray:
    """[count, 3] float32 linear albedo of the template's first vertices: skin with brows and lips, and eyes.

    They are those of `traits`, and where `prompt` names a colour of skin, eyes, brows or lips that one, as of the head
    that is made.
    """
    colours, asked = np.full((count, 3), SCLERA, np.float32), read_edit(prompt)
    skin = template.part("skin").vertices
    mean = template.neutral[skin].cpu().double().numpy()
    bare, hairy = skin_of(mean, traits, asked), brows_of(mean, traits.get("age", "") in SMALL)
    colours[skin] = bare * (1 - hairy) + hairy * brow_rgb(traits, asked)
    for side, (name, own_name) in enumerate(zip(NAMES, ONE_EYE, strict=True)):
        own, centre = template.part(name).vertices, eye_of(template, template.neutral, side).centre
        offset = (template.neutral[own] - centre).cpu().numpy()
        radius = np.hypot(offset[:, 0], offset[:, 1])
        front = offset[:, 2] > 0
        named = asked.colours.get(own_name) or asked.colours.get("eyes")
        colours[own][front & (radius < IRIS_M)] = paint_of(named).rgb_on("eyes") if named else iris_of_words(traits)
        colours[own][front & (radius < PUPIL_M)] = PUPIL
    return colours


def skin_of(mean: np.ndarray, traits: Mapping[str, str], asked: EditRequest) -> np.ndarray:
    """[V, 3] the skin and the lips at the vertices of the mean head's skin, `mean` [V, 3] metres."""
    bare = usual_skin(mean, traits)
    if not {"skin", "lips"} & asked.colours.keys():
        return bare
    lips = lip_share(mean)[:, None]
    if name := asked.colours.get("skin"):
        change = np.log(np.array(paint_of(name).rgb_on("skin"))) - np.log(np.median(bare, 0))
        bare = np.clip(np.maximum(bare, DARKEST) * np.exp((1 - (1 - LIPS_TAKE) * lips) * change), 0, 1)
    if name := asked.colours.get("lips"):
        share = LIPSTICK * min(asked.shares.get("lips", 1.0), 1.0) * lips
        bare = bare * (1 - share) + share * np.array(paint_of(name).rgb_on("lips"))
    return bare


def brow_rgb(traits: Mapping[str, str], asked: EditRequest) -> np.ndarray:
    """[3] the colour of brows: the one that is named, else that which goes with the hair."""
    if name := asked.colours.get("brows"):
        return DARKER_BROW * np.array(paint_of(name).rgb_on("brows"))
    hair = natural_colour(traits.get("hair_colour", ""))
    return brow_colour(np.array(BROWN if hair is None else hair.rgb), traits)


def brows_of(mean: np.ndarray, small: bool) -> np.ndarray:
    """[V, 1] 0..1 how much of a brow there is at the vertices of the mean head's skin, `mean` [V, 3] metres.

    Those of `small` people are thin and light.
    """
    masks = skin_masks(mean)
    return (THIN if small else 1.0) * BROW_SHOWN * brows(masks["brow_gap"], masks["brow_along"])[:, None]
