"""Drawings for the tests of the process that draws: how a view is asked for says what happens."""

import os
import time

import numpy as np

from idto3d.errors import UserError


def render_view(folder, options):
    """One colour, 255 times the first expression's weight; `azimuth_deg` is how many seconds it takes.

    A folder's file names the process. albedo: it is refused. clay: it breaks. normal: the process dies.
    """
    (folder / "drawing").write_text(str(os.getpid()))
    time.sleep(options.azimuth_deg)
    print("libraries print")
    if options.mode == "albedo":
        raise UserError("The toy has no colour.", "Take another mode.")
    if options.mode == "clay":
        raise RuntimeError("a toy broke")
    if options.mode == "normal":
        os._exit(1)
    weight = options.expressions[0][1] if options.expressions else 0.0
    return np.full((options.size, options.size, 3), round(255 * weight), np.uint8)
