"""Glasses as a part of the head: they fit its nose and ears, and no expression moves them."""

import numpy as np
import torch

from idto3d.head.glasses.frame import bars_of
from idto3d.head.glasses.sweep import joined, swept
from idto3d.head.hair.scalp import Skin
from idto3d.head.parts import Part
from idto3d.render.painted import PaintedMaterial

NAME = "glasses"
SIZE = 16  # texels along a side of their textures, which are of one tone
FRAME_SRGB, ROUGHNESS = (26, 23, 22), 0.28  # dark acetate


def glasses_for(skin: Skin, expressions: int) -> Part:
    """A part called "glasses" and made of "glasses" for a head's outer skin, with so many expressions.

    The same vertices and faces for every head, in other places.
    """
    mesh = joined([swept(bar) for bar in bars_of(skin)])
    vertices = torch.from_numpy(mesh.vertices).float()
    faces, uvs = torch.from_numpy(mesh.faces).long(), torch.from_numpy(mesh.uvs).float()
    return Part(NAME, vertices, faces, torch.zeros(expressions, *vertices.shape), NAME, uvs)


def frame_material() -> PaintedMaterial:
    """What the frame is made of."""
    albedo = np.broadcast_to(np.array(FRAME_SRGB, np.uint8), (SIZE, SIZE, 3)).copy()
    return PaintedMaterial(albedo, np.full((SIZE, SIZE), round(255 * ROUGHNESS), np.uint8))
