"""Eyes in another colour: fibres, collarette, limbal ring and pupil stay."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from idto3d.head.paint.bytes import bytes_of, linear_of
from idto3d.head.paint.eye_texture import eye_texture
from idto3d.head.template_model import Template
from idto3d.render.painted import PaintedMaterial
from idto3d.stages.edit.paint.tone import DARKEST

PROBE = 0.25  # linear grey of the irises by which is seen how an iris takes its colour
OWN = (0.5, 1.8)  # least and most of what an eye has of its own over a painted one that is kept, a factor


def with_irises(painted: Mapping[str, PaintedMaterial], template: Template, rgb, strength: float):
    """All materials with irises of the colour `rgb`, linear.

    A painted iris is its colour times what fibres and shade leave of it, and what is the same in every eye.
    """
    eyes = painted["eyes"]
    slope, fixed = irises(template, len(eyes.albedo))
    before = linear_of(eyes.albedo[..., :3])
    old = (slope * (before - fixed)).sum((0, 1)) / np.maximum((slope**2).sum((0, 1)), 1e-9)
    old = np.maximum(old, DARKEST)
    new = np.exp((1 - strength) * np.log(old) + strength * np.log(np.maximum(rgb, DARKEST)))
    own = np.clip(before / np.maximum(fixed + slope * old, DARKEST), *OWN)
    inside = slope.max(-1) > 0
    albedo = eyes.albedo.copy()
    albedo[inside, :3] = bytes_of((fixed + slope * new) * own)[inside]
    return dict(painted) | {"eyes": replace(eyes, albedo=albedo)}


@lru_cache(maxsize=1)
def irises(template: Template, size: int) -> tuple[np.ndarray, np.ndarray]:
    """[S, S, 3] each: how much of the irises' colour a texel of the eyes' texture shows, and what it shows besides."""
    fixed = eye_texture(template, (0.0, 0.0, 0.0), size)
    return (eye_texture(template, (PROBE, PROBE, PROBE), size) - fixed) / PROBE, fixed
