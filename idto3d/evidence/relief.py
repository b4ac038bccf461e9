"""Pores and fine wrinkles from the fine shading of photos, as a tangent-space normal map."""

import numpy as np
from scipy.ndimage import gaussian_filter

from idto3d.evidence.light import brightness
from idto3d.head.paint.atlas import Texels

FINE, COARSE = 0.7, 3.0  # texels of a texture of 1024, between which shading is taken for relief
STRONGEST = 0.10  # of the logarithm of the brightness: what is darker is a hair or a spot, not a hollow
SLOPE = 2.2  # slope of the surface per change of that logarithm from one texel to the next
CARVED = 1.6  # texels of a texture of 1024 that the deepest wrinkle is deep
CARVED_MM = 0.6  # that is about as many millimetres


def relief_map(
    albedo: np.ndarray, texels: Texels, carved: np.ndarray | None = None, share: np.ndarray | None = None
) -> np.ndarray:
    """[S, S, 3] uint8, (n + 1) / 2, green up, of linear `albedo` [N, 3] at the texels: what is darker lies deeper.

    carved [N]: depth of lines besides, in CARVED, under 0 where skin rises. share [N] 0..1: how far the albedo tells of
    depth; None is everywhere.
    """
    scale = len(texels.covered) / 1024
    tone = texels.spread(np.log(np.maximum(brightness(albedo), 1e-3))[:, None])[..., 0]
    height = gaussian_filter(tone, FINE * scale) - gaussian_filter(tone, COARSE * scale)
    height = np.clip(height, -STRONGEST, STRONGEST) * SLOPE / scale
    if share is not None:
        height *= texels.spread(share[:, None])[..., 0]
    if carved is not None:
        height -= CARVED * scale * texels.spread(carved[:, None])[..., 0]
    return normal_bytes(np.zeros((*height.shape, 2)), height)


def raised(normal: np.ndarray, height: np.ndarray) -> np.ndarray:
    """The normal map `normal` [S, S, 3], None for none, of a surface that rises by `height` [S, S] texels besides."""
    before = np.zeros((*height.shape, 2))
    if normal is not None:
        local = normal / 127.5 - 1
        before = local[..., :2] / np.maximum(local[..., 2:], 0.05)
        before[np.abs(before) <= 1 / 127] = 0  # eight bits have no middle
    return normal_bytes(before, height)


def normal_bytes(before: np.ndarray, height: np.ndarray) -> np.ndarray:
    """[S, S, 3] uint8, green up, of slopes `before` [S, S, 2], to the left and up, and of a `height` [S, S] texels."""
    down, right = np.gradient(height)
    normal = np.stack([before[..., 0] - right, before[..., 1] + down, np.ones_like(height)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return np.round((normal + 1) / 2 * 255).astype(np.uint8)
