"""Texels that several faces show, as cards of hair do that share their tiles."""

from collections.abc import Mapping, Sequence

import numpy as np

from idto3d.head.paint.atlas import texels_of
from idto3d.head.parts import Part

LEVELS = 8  # steps in which faces are told apart by how much they may change


def least_over(parts: Sequence[Part], values: Mapping[str, np.ndarray], size: int) -> np.ndarray:
    """[S, S] at each texel of a texture that `parts` share the least that any face has which shows it.

    values: [V] 0..1 of the vertices of each part, by name. Texels that no face shows have 0.
    """
    least = np.ones((size, size), np.float32)
    shown = np.zeros((size, size), bool)
    uvs = np.concatenate([part.uvs.cpu().numpy() for part in parts])
    corners = np.concatenate([values[part.name][part.faces.cpu().numpy()] for part in parts])
    level = np.round(corners.min(1) * LEVELS).astype(int)
    for one in np.unique(level):
        own = level == one
        flat = np.arange(3 * own.sum()).reshape(-1, 3)
        texels = texels_of(flat, uvs[own], size)
        read = texels.read(corners[own].reshape(-1, 1).astype(np.float32))[:, 0]
        least[texels.covered] = np.minimum(least[texels.covered], read)
        shown |= texels.covered
    return np.where(shown, least, 0)
