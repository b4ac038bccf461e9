"""Draws the thumbnails of our lights as one picture: `python -m idto3d.ui.viewer.make_sprite`."""

import numpy as np
from PIL import Image

from idto3d.config import HDRI
from idto3d.export.viewer.lights import thumbnail
from idto3d.render.environment import environment_names, load_environment
from idto3d.ui.viewer.component import COLUMNS, SPRITE

SIDE = 64  # pixels of a thumbnail


def sprite() -> np.ndarray:
    """Thumbnails of all lights in the order of their names, row by row, [R * SIDE, COLUMNS * SIDE, 3] uint8 sRGB."""
    names = environment_names(HDRI)
    rows = -(-len(names) // COLUMNS)
    sheet = np.full((rows * SIDE, COLUMNS * SIDE, 3), 255, np.uint8)
    for number, name in enumerate(names):
        y, x = (SIDE * place for place in divmod(number, COLUMNS))
        sheet[y : y + SIDE, x : x + SIDE] = thumbnail(load_environment(HDRI / f"{name}.hdr"), SIDE)
    return sheet


if __name__ == "__main__":
    Image.fromarray(sprite()).save(SPRITE, "JPEG", quality=86, subsampling=0)
