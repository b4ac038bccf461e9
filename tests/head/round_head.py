"""A bald round head for tests of hair: no person, few vertices."""

import numpy as np

from idto3d.head.hair.scalp import Skin


def round_head(scale: float = 1.0) -> Skin:
    """An egg in the head's place with two lobes for ears and a neck below."""
    v, u = np.meshgrid(
        np.linspace(0.02, np.pi - 0.02, 60), np.linspace(0, 2 * np.pi, 96, endpoint=False), indexing="ij"
    )
    direction = np.stack([np.sin(v) * np.sin(u), np.cos(v), np.sin(v) * np.cos(u)], -1)
    mean = direction * [0.074, 0.115, 0.095] + [0, 0.03, 0.002]
    low = np.clip((0.0 - mean[..., 1:2]) / 0.04, 0, 1)
    mean = mean * (1 - low) + low * (direction * [0.055, 0.22, 0.055] + [0, 0.03, -0.02])
    ear = np.exp(-(((mean[..., 1] - 0.01) / 0.022) ** 2) - ((mean[..., 2] + 0.008) / 0.018) ** 2)
    mean[..., 0] += 0.018 * np.sign(mean[..., 0]) * ear
    rows, columns = np.meshgrid(np.arange(59), np.arange(96), indexing="ij")
    a, b = rows * 96 + columns, rows * 96 + (columns + 1) % 96
    faces = np.concatenate([np.stack([a, a + 96, b], -1), np.stack([b, a + 96, b + 96], -1)]).reshape(-1, 3)
    mean = mean.reshape(-1, 3)
    return Skin(mean * scale, mean, faces)


def still(expressions: int = 1) -> np.ndarray:
    """How that head moves in expressions that do not move it."""
    return np.zeros((expressions, len(round_head().mean), 3))
