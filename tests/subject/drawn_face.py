"""A face drawn from ellipses, the same on every machine."""

import numpy as np


def drawn_face() -> np.ndarray:
    """[256, 256, 3] uint8: skin, eyes with irises, brows, nose and mouth, lit from the left."""
    y, x = np.mgrid[:256, :256].astype(np.float64)

    def oval(cx, cy, rx, ry):
        return ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1

    picture = np.full((256, 256, 3), (96, 120, 140), np.float64)
    picture[oval(128, 132, 66, 88)] = 214, 170, 142
    picture *= (1 - 0.0012 * (x - 100))[..., None]
    for side in (-1, 1):
        picture[oval(128 + side * 27, 118, 14, 7)] = 240, 238, 235
        picture[oval(128 + side * 27, 118, 6.5, 6.5)] = 70, 50, 40
        picture[oval(128 + side * 27, 100, 17, 3.5)] = 80, 55, 40
    picture[oval(128, 150, 9, 14)] = 196, 148, 122
    for side in (-1, 1):
        picture[oval(128 + side * 8, 160, 3, 2)] = 120, 80, 70
    picture[oval(128, 184, 24, 7)] = 170, 80, 80
    return picture.clip(0, 255).astype(np.uint8)
