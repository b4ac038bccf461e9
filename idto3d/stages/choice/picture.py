"""A candidate as a picture: bare of hair, in the skin, brows and eyes that words let expect."""

from dataclasses import dataclass

import numpy as np
import torch

from idto3d.guidance.scorer.clay import FACING, FINER, Clay, View, finer_mean, seen_from, smooth_normals
from idto3d.head.features.assemble import settled
from idto3d.head.start import Start
from idto3d.head.template_model import Template
from idto3d.stages.choice.choose import shape_of_words
from idto3d.stages.choice.coloured import colours_of
from idto3d.stages.choice.rest import relaxed, rest_weights

SKY, GROUND, KEY = 0.46, 0.20, 0.85  # light from above, from below, and from the side of the camera
DIRECTION = np.array([0.45, 0.5, 0.74], np.float32)
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
    colours = colours_of(template, traits, prompt, len(vertices))
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
