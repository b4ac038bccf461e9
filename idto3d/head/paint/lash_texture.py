"""The lashes' texture: strands that taper and bend, alpha around them; each of the twelve sheets has its own."""

import numpy as np

from idto3d.head.features.charts import charts_of
from idto3d.head.template_model import Template

COLOUR = (0.016, 0.010, 0.007)  # linear
# Strands of a sheet, their length in shares of the sheet's, and half their width at the root in shares of its width.
UPPER, LOWER = (44, 0.70, 0.0040), (30, 0.40, 0.0034)
LINE = 0.18  # share of a strand's length over which neighbours part from the line that their roots make
FAN, LEAN = 0.10, 0.05  # how far tips lie aside of their roots: towards the corners of the eye, and at random
SEED = 11


def lash_texture(template: Template, colour: tuple[float, float, float] = COLOUR, size: int = 1024) -> np.ndarray:
    """[S, S, 4]: linear RGB, everywhere `colour`, and alpha 0..1 of strands, in the lashes' square. Always the same.

    In ICT-FaceKit's sheets roots lie at the top, and the upper lids' sheets in the upper half.
    """
    image, random = np.zeros((size, size, 4), np.float32), np.random.default_rng(SEED)
    image[..., :3] = colour
    uvs = template.part("lashes").uvs.cpu().numpy()
    labels = charts_of(uvs)
    for label in range(labels.max() + 1):
        corners = uvs[labels == label].reshape(-1, 2)
        left, top, right, bottom = np.round(np.concatenate([corners.min(0), corners.max(0)]) * size).astype(int)
        kind = UPPER if bottom < size / 2 else LOWER
        image[top:bottom, left:right, 3] = strands(bottom - top, right - left, kind, random)
    return image


def strands(rows: int, columns: int, kind: tuple[int, float, float], random: np.random.Generator) -> np.ndarray:
    """[rows, columns] alpha 0..1 of strands of a `kind`, see UPPER, that grow from the top."""
    count, length, width = kind
    roots = (np.arange(count) + random.uniform(0.15, 0.85, count)) / count
    lengths = length * random.uniform(0.6, 1.0, count)
    aside = FAN * (2 * roots - 1) + LEAN * random.standard_normal(count)
    down = (np.arange(rows)[:, None] + 0.5) / rows / lengths  # [rows, count] from root (0) to tip (1)
    centre = roots + aside * down**1.6
    line = 0.6 / count * np.clip(1 - down / LINE, 0, 1) ** 1.5
    half = np.where(down < 1, width * np.clip(1 - down, 0, 1) ** 0.6 + line, -1.0)
    return _drawn(centre * columns, half * columns, columns)


def _drawn(centre: np.ndarray, half: np.ndarray, columns: int) -> np.ndarray:
    """[rows, columns] alpha 0..1 of strands around `centre` [rows, count], `half` as wide [rows, count], in texels."""
    alpha = np.zeros((len(centre), columns), np.float32)
    for middle, own in zip(centre.T, half.T, strict=True):
        shown = own > 0
        if not shown.any():
            continue
        low = max(int((middle - own)[shown].min()) - 1, 0)
        high = min(int((middle + own)[shown].max()) + 2, columns)
        inside = own[:, None] - np.abs(np.arange(low, high) + 0.5 - middle[:, None])  # of the strand's edge
        np.maximum(alpha[:, low:high], np.clip(inside + 0.5, 0, 1), out=alpha[:, low:high])
    return alpha
