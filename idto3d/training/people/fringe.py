"""A fringe: hair that falls over the forehead, as skin that stands off and takes the hair's colour."""

import numpy as np

from idto3d.training.people.strands import combed, tone
from idto3d.words.traits import STYLES

THICKNESS = 0.0065  # metres at the roots; the ends are thinner
ENDS = (0.058, 0.074)  # height of the ends on the mean head: just above the brows .. half way up, metres
TOP = 0.135  # the fringe begins above the hairline, under the shell


def draw_fringe(style: str, neutral: np.ndarray, face: np.ndarray, random: np.random.Generator):
    """Where a fringe grows [V] 0..1, how thick it is [V] metres and the brightness of its strands [V]; None for none.

    neutral: [V, 3] metres. face: [V] 1 on the face's vertices.
    """
    if random.uniform() >= STYLES[style].fringe:
        return None
    x, y, z = neutral.T
    path = np.clip((TOP - y) / 0.08, 0, 1)
    across = x * (1 + 0.3 * path) + random.uniform(-0.2, 0.2) * (y - 0.1)
    strands = combed(across, path, random, 0.0022, 0.0010)
    slant = random.choice((0.0, random.uniform(-0.16, 0.16)))
    end = random.uniform(*ENDS) + slant * x - 1.6 * strands + 0.002
    side = np.clip((np.radians(58) - np.abs(np.arctan2(x, z))) / 0.08, 0, 1)
    mask = np.clip((y - end) / 0.0035, 0, 1) * side * (y < TOP) * (z > 0.02) * (face > 0)
    thickness = mask * (THICKNESS * (0.65 + 0.35 * np.clip((y - end) / 0.03, 0, 1)) + strands)
    return mask.astype(np.float32), thickness.astype(np.float32), tone(across, random)
