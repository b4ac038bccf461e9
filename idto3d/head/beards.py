"""Beards in closed form on the mean head: where each one grows, and how far it stands off the skin. Metres."""

import torch
from torch import Tensor

from idto3d.words.traits import FACIAL_HAIR

DENSE = 0.94  # how much of the skin a beard hides of full thickness
MOUTH = ((0.0, -0.042), (0.027, 0.011))  # its middle and its half width and height
LIP_Y, LIP_SLOPE = -0.0355, 0.1  # the upper lip's edge in the middle, and how it falls to the sides


def beard_cover(points: Tensor) -> Tensor:
    """[N, B] how much of the skin at `points` [N, 3], metres, each of BEARDS hides, 0..1; lips are not spared.

    A beard without a place of its own here grows where a full one does.
    """
    moustache = _moustache(points)
    goatee, full = torch.maximum(_goatee(points), moustache), torch.maximum(_full(points), moustache)
    grown = {"moustache": moustache, "goatee": goatee}
    return torch.stack([beard.cover * grown.get(beard.name, full) for beard in FACIAL_HAIR.values()], 1)


def beard_thickness(points: Tensor, cover: Tensor) -> Tensor:
    """[N, B] metres by which each of BEARDS thickens the head at `points` [N, 3] where it hides `cover` [N, B].

    It rises gently around the mouth, whose corners a thick edge would close.
    """
    (x, y), (wide, high) = MOUTH
    around = (((points[:, 0] - x) / wide) ** 2 + ((points[:, 1] - y) / high) ** 2).sqrt()
    full = cover.new_tensor([beard.thickness_m for beard in FACIAL_HAIR.values()])
    return _ramp(around, 1.0, 1.9)[:, None] * cover / DENSE * full


def _moustache(points: Tensor) -> Tensor:
    side, y, z = _places(points)
    under_nose = _ramp(-side, -0.034, -0.026) * _ramp(-y, 0.011, 0.016)
    return under_nose * _ramp(y - LIP_Y + LIP_SLOPE * side, -0.001, 0.001) * _ramp(z, 0.068, 0.072)


def _goatee(points: Tensor) -> Tensor:
    side, y, z = _places(points)
    chin = _ramp(-side, -0.026, -0.019) * _ramp(-y, 0.028, 0.034) * _ramp(y, -0.100, -0.090) * _ramp(z, 0.058, 0.062)
    beside = _ramp(-(side - 0.028).abs(), -0.007, -0.003) * _ramp(-y, 0.020, 0.026) * _ramp(y, -0.066, -0.056)
    return torch.maximum(chin, beside * _ramp(z, 0.068, 0.072))


def _full(points: Tensor) -> Tensor:
    """Cheeks below a line that falls towards the mouth, and the jaw down to where the throat begins."""
    _, y, z = _places(points)
    below = _ramp(0.32 * (0.075 - z).clamp(0, 1) - y, 0.013, 0.023)
    return below * _ramp(y - 0.5 * (0.10 - z), -0.103, -0.093) * _ramp(z, 0.016, 0.020)


def _places(points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Distance from the middle, height, and depth of `points`."""
    return points[:, 0].abs(), points[:, 1], points[:, 2]


def _ramp(x: Tensor, low: float, high: float) -> Tensor:
    return ((x - low) / (high - low)).clamp(0, 1)
