"""Eyes in another colour: fibres, collarette, limbal ring and pupil stay."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from idto3d.head.features.eyes import NAMES
from idto3d.head.paint.atlas import texels_of_parts
from idto3d.head.paint.bytes import bytes_of, linear_of
from idto3d.head.paint.eye_texture import eye_texture
from idto3d.head.template_model import Template
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.tone import DARKEST

PROBE = 0.25  # linear grey of the irises by which is seen how an iris takes its colour
OWN = (0.5, 1.8)  # least and most of what an eye has of its own over a painted one that is kept, a factor


def with_irises(
    painted: Mapping[str, PaintedMaterial], template: Template, rgb, strength: float, side: int | None = None
):
    """All materials with irises of the colour `rgb`, linear; of one eye alone, 0 the left one, where a `side` is given.

    A painted iris is its colour times what fibres and shade leave of it, and what is the same in every eye.
    """
    eyes = painted["eyes"]
    slope, fixed = irises(template, len(eyes.albedo))
    if side is not None:
        slope = slope * _of_eye(template, side, len(eyes.albedo))[..., None]
    before = linear_of(eyes.albedo[..., :3])
    old = (slope * (before - fixed)).sum((0, 1)) / np.maximum((slope**2).sum((0, 1)), 1e-9)
    old = np.maximum(old, DARKEST)
    new = np.exp((1 - strength) * np.log(old) + strength * np.log(np.maximum(rgb, DARKEST)))
    usual = np.maximum(fixed + slope * old, DARKEST)
    own = np.maximum(before, DARKEST) / usual
    changed = np.maximum(fixed + slope * new, DARKEST) / usual * (np.clip(own, *OWN) / own) ** strength
    inside = slope.max(-1) > 0
    albedo = eyes.albedo.copy()
    albedo[inside, :3] = bytes_of(before * changed)[inside]
    return dict(painted) | {"eyes": replace(eyes, albedo=albedo)}


def _of_eye(template: Template, side: int, size: int) -> np.ndarray:
    """[S, S] bool: the texels of one eye."""
    texels, own = texels_of_parts(template, NAMES, size), template.part(NAMES[side]).vertices
    which = np.zeros((len(template.neutral), 1), np.float32)
    which[own] = 1.0
    return texels.spread(texels.read(which))[..., 0] > 0.5


@lru_cache(maxsize=1)
def irises(template: Template, size: int) -> tuple[np.ndarray, np.ndarray]:
    """[S, S, 3] each: how much of the irises' colour a texel of the eyes' texture shows, and what it shows besides."""
    fixed = eye_texture(template, (0.0, 0.0, 0.0), size)
    return (eye_texture(template, (PROBE, PROBE, PROBE), size) - fixed) / PROBE, fixed
