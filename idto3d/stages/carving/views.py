"""How a carving is looked at: a close camera on an arc before the face, and a lamp somewhere in front of it."""

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.render.brdf import shade_lamp
from idto3d.render.camera import DISTANCE, FOV_Y_DEG, Camera, orbit
from idto3d.render.color import srgb_from_linear, tone_map
from idto3d.render.draw import Surface, paint
from idto3d.render.material import Material
from idto3d.stages.wish import Views

ARC_DEG = 45.0  # to either side of the front
TARGET = (0.0, -0.012, 0.05)  # the middle of a face, metres
AMBIENT = 0.3  # share of the light that comes from all around


def face_cameras(azimuth_deg: Tensor, close: float) -> Camera:
    """Cameras [B] at eye level whose picture is 1 / `close` as wide as the standard one; azimuth_deg [B]."""
    half = math.tan(math.radians(FOV_Y_DEG) / 2) / close
    return Camera(orbit(azimuth_deg, torch.zeros_like(azimuth_deg), DISTANCE, TARGET), 2 * math.atan(half))


def draw_face_views(count: int, neutral: int, close: float, generator: torch.Generator, device: torch.device) -> Views:
    """`count` views of the expression `neutral`, evenly distributed over the arc."""
    azimuth = (2 * torch.rand(count, generator=generator) - 1) * ARC_DEG
    camera = face_cameras(azimuth.to(device), close)
    return Views(camera, tuple(azimuth.tolist()), (0.0,) * count, (neutral,) * count)


def front_lamp(generator: torch.Generator) -> Tensor:
    """[3] a unit direction, evenly distributed over the half of the sphere before the face."""
    towards = F.normalize(torch.randn(3, generator=generator), dim=0)
    return torch.stack([towards[0], towards[1], towards[2].abs()])


def under_lamp(surface: Surface, normal: Tensor, material: Material, towards: Tensor, background: float) -> Tensor:
    """Pictures [B, S, S, 3] sRGB of a surface of bent `normal` [P, 3] under a lamp `towards` [3] and dim light."""
    lit = shade_lamp(normal, surface.view, material.albedo, material.roughness, material.metallic, towards.to(normal))
    radiance = AMBIENT * material.albedo + (1 - AMBIENT) * lit
    return paint(replace(surface, normal=normal), srgb_from_linear(tone_map(radiance)), background)[0]
