"""How a surface answers light: metallic-roughness materials, under an environment (split-sum) and under one lamp."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.render.environment import Environment, diffuse_light, specular_light

DIELECTRIC = 0.04  # reflectance of skin, hair and plastics at normal incidence
SMOOTHEST = 0.045  # roughness under which a lamp would show no highlight


def shade(
    normal: Tensor,
    view: Tensor,
    albedo: Tensor,
    roughness: Tensor,
    metallic: Tensor,
    environment: Environment,
    specular: Tensor | float = 1.0,
) -> Tensor:
    """Linear radiance [..., 3] that surfaces send to the viewer; differentiable in all tensors.

    normal, view: [..., 3] unit, away from the surface, world space. albedo: [..., 3] linear, 0..1.
    roughness, metallic: [..., 1] in 0..1. specular: [..., 1] or a number, 0..1, factor on DIELECTRIC. Light that is
    reflected at the surface does not reach the diffuse part, so never more leaves than arrives. Karis 2013, "Real
    Shading in Unreal Engine 4".
    """
    facing = (normal * view).sum(-1, keepdim=True).clamp(1e-4, 1.0)
    reflected = 2 * (normal * view).sum(-1, keepdim=True) * normal - view
    plain = DIELECTRIC * specular * torch.ones_like(facing)
    share = specular_share(plain * (1 - metallic) + albedo * metallic, roughness, facing)
    diffuse = albedo * (1 - metallic) * (1 - specular_share(plain, roughness, facing))
    return diffuse * diffuse_light(environment, normal) + share * specular_light(environment, reflected, roughness)


def shade_lamp(
    normal: Tensor,
    view: Tensor,
    albedo: Tensor,
    roughness: Tensor,
    metallic: Tensor,
    towards: Tensor,
    specular: Tensor | float = 1.0,
) -> Tensor:
    """Linear radiance [..., 3] under one white lamp, infinitely far away in direction `towards` [3] unit, world space.

    The lamp makes a white matt surface that faces it send out 1; nothing throws a shadow. The others are as in `shade`.
    GGX with Smith's correlated visibility, and Schlick's Fresnel, as appendix B of glTF 2.0 has them.
    """
    half = F.normalize(view + towards, dim=-1)
    lit, seen, peak, edge = (
        (a * b).sum(-1, keepdim=True).clamp(min=0.0)
        for a, b in ((normal, towards), (normal, view), (normal, half), (view, half))
    )
    squared = roughness.clamp(min=SMOOTHEST) ** 4
    spread = squared / (math.pi * (peak * peak * (squared - 1) + 1) ** 2)
    hidden = lit * (seen * seen * (1 - squared) + squared).sqrt() + seen * (lit * lit * (1 - squared) + squared).sqrt()
    grazing = (1 - edge).clamp(min=0.0) ** 5
    plain = DIELECTRIC * specular
    base = plain * (1 - metallic) + albedo * metallic
    share = (base + (1 - base) * grazing) * spread * 0.5 / hidden.clamp(min=1e-6)
    diffuse = albedo * (1 - metallic) * (1 - plain - (1 - plain) * grazing)
    return lit * (diffuse + math.pi * share)


def specular_share(base: Tensor, roughness: Tensor, facing: Tensor) -> Tensor:
    """Share of a uniform light that a GGX surface reflects, like `base`.

    base: [..., C] reflectance at normal incidence; roughness, facing (cosine to the viewer): [..., 1] in 0..1.
    The fit of Karis 2014, "Physically Based Shading on Mobile", after Lazarov 2013.
    """
    c = [roughness * slope + start for slope, start in ((-1.0, 1.0), (-0.0275, 0.0425), (-0.572, 1.04), (0.022, -0.04))]
    grazing = torch.minimum(c[0] * c[0], torch.exp2(-9.28 * facing)) * c[0] + c[1]
    return base * (c[2] - 1.04 * grazing) + (c[3] + 1.04 * grazing)
