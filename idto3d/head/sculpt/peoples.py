"""What faces of an ancestry have beyond the modes and the forms of its word, as pushes of the skin. Metres.

Modes of words carry the skull of an ancestry, and hardly its lids, which are a few millimetres of skin. Places and
sizes are set by eye on the mean head, as in `bumps`, after Jeong et al., "The Asian upper eyelid" (1999): the fold lies
low or is none, fat fills the lid to its edge, and skin of the upper lid covers the inner corner.
"""

from collections.abc import Mapping

import numpy as np

from idto3d.head.sculpt.bumps import Bump

PEOPLES: Mapping[str, tuple[Bump, ...]] = {
    "asian lids": (
        # Filled from the brow to the edge, so that no furrow parts them.
        Bump((0.034, 0.0480, 0.097), (0.016, 0.0070, 0.018), (0.0, -0.0010, 0.0030)),
        Bump((0.018, 0.0460, 0.098), (0.010, 0.0080, 0.018), (0.0, 0.0, 0.0020)),
        # The inner corner lower, under a fold that runs down and outwards from the upper lid.
        Bump((0.0195, 0.0345, 0.0930), (0.0048, 0.0040, 0.012), (0.0012, -0.0012, 0.0010)),
        # The upper edge lower and straighter over the inner half, the outer corner a little higher.
        Bump((0.0320, 0.0400, 0.0953), (0.0110, 0.0036, 0.012), (0.0, -0.0008, 0.0003)),
        Bump((0.0452, 0.0345, 0.0860), (0.0100, 0.0080, 0.016), (0.0008, 0.0016, 0.0)),
    ),
    "asian bones": (
        # The root of the nose is low, the ridge of the brows and the forehead between them flat.
        Bump((0.0, 0.0300, 0.112), (0.0100, 0.0200, 0.024), (0.0, 0.0, -0.0030)),
        Bump((0.0, 0.0560, 0.108), (0.0420, 0.0160, 0.030), (0.0, 0.0, -0.0016)),
        # Cheekbones lie forward and wide.
        Bump((0.048, 0.0080, 0.086), (0.020, 0.0150, 0.028), (0.0012, 0.0, 0.0026)),
        Bump((0.066, 0.0100, 0.050), (0.022, 0.0260, 0.034), (0.0022, 0.0, 0.0)),
    ),
}


def pushed(points: np.ndarray, name: str) -> np.ndarray:
    """[V, 3] the pushes of one of PEOPLES at `points` [V, 3] of the mean head."""
    return sum(bump(points) for bump in PEOPLES[name])
