"""A candidate as a picture: bare of hair, in the skin, brows and eyes that words let expect."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from idto3d.guidance.scorer.clay import FACING, FINER, Clay, View, finer_mean, seen_from, smooth_normals
from idto3d.head.features.assemble import settled
from idto3d.head.features.eyes import NAMES, eye_of
from idto3d.head.features.face_masks import skin_masks
from idto3d.head.features.regions import brows
from idto3d.head.paint.eye_texture import IRIS_M, PUPIL_M, SCLERA, iris_of_words
from idto3d.head.paint.usual_skin import usual_skin
from idto3d.head.start import Start
from idto3d.head.template_model import Template
from idto3d.stages.choice.choose import shape_of_words
from idto3d.stages.choice.rest import relaxed, rest_weights
from idto3d.words.traits import COLOURS, NATURAL, SMALL, natural_colour

SKY, GROUND, KEY = 0.46, 0.20, 0.85  # light from above, from below, and from the side of the camera
DIRECTION = np.array([0.45, 0.5, 0.74], np.float32)
BROW_SHOWN, THIN = 0.75, 0.35
BACKDROP = 0.86  # sRGB


@dataclass(frozen=True, eq=False)
class Portrait:
    """A head to be drawn: vertices [V, 3] metres, normals [V, 3], linear colours [V, 3], faces [F, 3] int32."""

    vertices: np.ndarray
    normals: np.ndarray
    colours: np.ndarray
    faces: np.ndarray


def portrait_of(
    template: Template, clay: Clay, coefficients: np.ndarray, start: Start, prompt: str, choice: bool = True
) -> Portrait:
    """The head of `coefficients` [K] with the features of `prompt`, bare of hair, coloured as the start's words say.

    choice: whether the coefficients were chosen for the words.
    """
    traits = start.words()
    head = shape_of_words(template, torch.from_numpy(coefficients).to(template.neutral), traits, prompt, choice)
    head = relaxed(template, settled(template, head), rest_weights(template, traits))
    vertices = head[: len(clay.neutral)].cpu().float().numpy()
    colours = colours_of(template, traits, len(vertices))
    return Portrait(vertices, smooth_normals(vertices, clay.faces), colours, clay.faces)


def picture_of(portrait: Portrait, size: int, view: View = FACING, azimuth_deg: float = 0.0) -> np.ndarray:
    """[size, size, 3] uint8 sRGB: a portrait from in front, or from `azimuth_deg` towards its left."""
    values = np.concatenate([portrait.normals, portrait.colours], 1)
    seen, covered = seen_from(portrait.vertices, values, portrait.faces, azimuth_deg, size * FINER, view=view)
    return developed(seen[..., :3], seen[..., 3:], covered)


def developed(normals: np.ndarray, albedo: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """[S, S, 3] uint8 sRGB of what is seen at FINER x FINER pixels each: normals, linear albedo, [.., 1] where."""
    normal = normals / (np.linalg.norm(normals, axis=-1, keepdims=True) + 1e-12)
    light = GROUND + (SKY - GROUND) * (normal[..., 1:2] * 0.5 + 0.5)
    light = light + KEY * np.clip(normal @ DIRECTION, 0, 1)[..., None]
    shown = np.where(covered, np.clip(albedo * light, 0, 1) ** (1 / 2.2), BACKDROP)
    return np.round(255 * finer_mean(shown)).astype(np.uint8)


def colours_of(template: Template, traits: Mapping[str, str], count: int) -> np.ndarray:
    """[count, 3] float32 linear albedo of the template's first vertices: skin with brows, and eyes."""
    colours = np.full((count, 3), SCLERA, np.float32)
    skin = template.part("skin").vertices
    mean = template.neutral[skin].cpu().double().numpy()
    bare, hairy = usual_skin(mean, traits), brows_of(mean, traits.get("age", "") in SMALL)
    hair = natural_colour(traits.get("hair_colour", "")) or COLOURS[NATURAL]
    colours[skin] = bare * (1 - hairy) + hairy * np.array(hair.rgb)
    for side, name in enumerate(NAMES):
        own, centre = template.part(name).vertices, eye_of(template, template.neutral, side).centre
        offset = (template.neutral[own] - centre).cpu().numpy()
        radius = np.hypot(offset[:, 0], offset[:, 1])
        front = offset[:, 2] > 0
        colours[own][front & (radius < IRIS_M)] = iris_of_words(traits)
        colours[own][front & (radius < PUPIL_M)] = 0.005
    return colours


def brows_of(mean: np.ndarray, small: bool) -> np.ndarray:
    """[V, 1] 0..1 how much of a brow there is at the vertices of the mean head's skin, `mean` [V, 3] metres.

    Those of `small` people are thin and light.
    """
    masks = skin_masks(mean)
    return (THIN if small else 1.0) * BROW_SHOWN * brows(masks["brow_gap"], masks["brow_along"])[:, None]
