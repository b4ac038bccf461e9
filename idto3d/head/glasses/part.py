"""Glasses as a part of the head: they fit its nose and ears, and no expression moves them."""

from dataclasses import dataclass

import numpy as np
import torch

from idto3d.head.glasses.forms import FORMS, POINTS, form_like
from idto3d.head.glasses.frame import BRIDGE_POINTS, RIM, TEMPLE_POINTS, apart, bars_of, front_of
from idto3d.head.glasses.sweep import SIDES, SQUARE, filled, joined, swept
from idto3d.head.hair.scalp import Skin
from idto3d.head.paint.bytes import bytes_of, linear_of
from idto3d.head.parts import Part
from idto3d.render.painted import PaintedMaterial
from idto3d.words.looks.eyewear import SIZES, THICKNESS

NAME = "glasses"
SIZE, SHADED_SIZE = 16, 140  # texels along a side of their textures, whose strips are of one tone each
FRAME_SRGB, ROUGHNESS = (26, 23, 22), 0.28  # dark acetate
LENS_SRGB, LENS_ROUGHNESS = (13, 13, 15), 0.06
BARS, LENSES = 5, 2
BULGE, THIN = 0.0022, 0.0005  # metres that a lens bulges, and half its thickness
THICKNESSES = (1.0, *sorted({*THICKNESS.values()}))  # of bars against usual ones, which words know
LARGENESSES = (1.0, *sorted({*SIZES.values()}))  # of glasses against usual ones, likewise
CORNER = 0.5 ** (1 / SQUARE)  # of a bar's half diagonal that its rounded corner reaches


@dataclass(frozen=True)
class Build:
    """How glasses are built: of one of forms.FORMS, with dark lenses or none, of bars so thick and of a `larger` front
    against usual ones.
    """

    form: str = ""
    dark: bool = False
    thick: float = 1.0
    larger: float = 1.0


def glasses_for(skin: Skin, expressions: int, build: Build = Build()) -> Part:
    """A part called "glasses" and made of "glasses" for a head's outer skin, with so many expressions.

    Those of one build have the same vertices and faces on every head, in other places.
    """
    front = front_of(skin, FORMS[build.form], build.thick, build.larger)
    meshes = [swept(bar) for bar in bars_of(skin, front)]
    meshes += [filled(rim, BULGE * front.size, THIN) for rim in front.rims()] if build.dark else []
    mesh = joined(meshes)
    vertices = torch.from_numpy(mesh.vertices).float()
    faces, uvs = torch.from_numpy(mesh.faces).long(), torch.from_numpy(mesh.uvs).float()
    return Part(NAME, vertices, faces, torch.zeros(expressions, *vertices.shape), NAME, uvs)


def build_of(part: Part) -> Build:
    """How a part that `glasses_for` has made is built; told by its mesh, which every head keeps."""
    points = part.vertices.cpu().double().numpy()
    ring, temple = POINTS * SIDES, TEMPLE_POINTS * SIDES
    bars = [points[start : start + ring].reshape(POINTS, SIDES, 3) for start in (0, ring + temple)]
    rims = np.stack([bar.mean(1) for bar in bars])
    form, framed = form_like(rims), 2 * (ring + temple) + BRIDGE_POINTS * SIDES
    size = _radius(rims[0]) / _radius(np.stack(FORMS[form].outline(), -1))
    thick = np.linalg.norm(bars[0] - rims[0][:, None], axis=-1).max() / (size * CORNER * np.hypot(*RIM))
    wide = np.linalg.norm(rims[0].mean(0) - rims[1].mean(0)) / size
    return Build(
        form,
        len(points) > framed,
        min(THICKNESSES, key=lambda known: abs(known - thick)),
        min(LARGENESSES, key=lambda known: abs(apart(FORMS[form], known) - wide)),
    )


def _radius(outline: np.ndarray) -> float:
    return float(np.linalg.norm(outline - outline.mean(0), axis=1).mean())


def frame_material(build: Build = Build(), rgb: tuple[float, float, float] | None = None) -> PaintedMaterial:
    """What glasses are made of: a frame of a linear colour, None the usual dark one, and lenses where they are dark."""
    tone = np.array(FRAME_SRGB, np.uint8) if rgb is None else bytes_of(np.array(rgb, np.float32))
    size = SHADED_SIZE if build.dark else SIZE
    albedo = np.broadcast_to(tone, (size, size, 3)).copy()
    roughness = np.full((size, size), round(255 * ROUGHNESS), np.uint8)
    if build.dark:
        lens = slice(_bars_end(size), size)
        albedo[lens], roughness[lens] = LENS_SRGB, round(255 * LENS_ROUGHNESS)
    return PaintedMaterial(albedo, roughness)


def frame_colour(material: PaintedMaterial, build: Build) -> tuple[float, float, float]:
    """Linear, the colour of the frame of glasses of that build, which wear the `material`."""
    size = len(material.albedo)
    frame = material.albedo[: _bars_end(size) if build.dark else size, :, :3].reshape(-1, 3)
    return tuple(linear_of(np.median(frame, 0).astype(np.uint8)).tolist())


def _bars_end(size: int) -> int:
    """The row of a texture of that size at which that of bars ends and that of lenses begins."""
    return size * BARS // (BARS + LENSES)
