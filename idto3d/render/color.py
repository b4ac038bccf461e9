"""Colour: between linear light and sRGB, and from unbounded radiance to a picture."""

import torch
from torch import Tensor

LUMINANCE = (0.2126, 0.7152, 0.0722)


def srgb_from_linear(linear: Tensor) -> Tensor:
    """sRGB-encoded values 0..1 of linear ones (clamped to 0..1), any shape. IEC 61966-2-1."""
    bounded = linear.clamp(0.0, 1.0)
    curve = 1.055 * bounded.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(bounded <= 0.0031308, 12.92 * bounded, curve)


def linear_from_srgb(srgb: Tensor) -> Tensor:
    """Linear values 0..1 of sRGB-encoded ones (clamped to 0..1), any shape. IEC 61966-2-1."""
    bounded = srgb.clamp(0.0, 1.0)
    curve = ((bounded.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return torch.where(bounded <= 0.04045, bounded / 12.92, curve)


def luminance(linear: Tensor) -> Tensor:
    """Luminance [..., 1] of linear Rec. 709 colours [..., 3]."""
    return (linear * linear.new_tensor(LUMINANCE)).sum(-1, keepdim=True)


def tone_map(radiance: Tensor) -> Tensor:
    """Linear colours 0..1 of radiance >= 0, both [..., 3]: true below 0.76, highlights rolled off towards white.

    The Khronos PBR Neutral tone mapper (Khronos Group 2024).
    """
    shoulder, desaturation = 0.8 - 0.04, 0.15
    low = radiance.amin(-1, keepdim=True).clamp(min=0.0)
    color = radiance - torch.where(low < 0.08, low - 6.25 * low * low, torch.full_like(low, 0.04))
    peak = color.amax(-1, keepdim=True)
    room = 1.0 - shoulder
    rolled = 1.0 - room * room / (peak.clamp(min=shoulder) + room - shoulder)
    whiten = 1.0 - 1.0 / (desaturation * (peak.clamp(min=shoulder) - rolled) + 1.0)
    bright = torch.lerp(color * (rolled / peak.clamp(min=shoulder)), rolled.expand_as(color), whiten)
    return torch.where(peak < shoulder, color, bright)
