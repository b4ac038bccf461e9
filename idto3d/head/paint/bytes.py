"""Linear colours from the bytes of sRGB textures, and back, by numpy alone."""

import numpy as np

_STEPS = np.arange(256) / 255
LINEAR = np.where(_STEPS <= 0.04045, _STEPS / 12.92, ((_STEPS + 0.055) / 1.055) ** 2.4).astype(np.float32)


def linear_of(texture: np.ndarray) -> np.ndarray:
    """[..., 3] float32 linear 0..1 of a `texture` [..., 3] uint8 sRGB. IEC 61966-2-1."""
    return LINEAR[texture]


def bytes_of(linear: np.ndarray) -> np.ndarray:
    """[..., 3] uint8 sRGB, rounded, of `linear` [..., 3], clamped to 0..1."""
    bounded = np.clip(linear, 0, 1).astype(np.float32)
    curve = 1.055 * np.maximum(bounded, 0.0031308) ** (1 / 2.4) - 0.055
    return np.round(255 * np.where(bounded <= 0.0031308, 12.92 * bounded, curve)).astype(np.uint8)
