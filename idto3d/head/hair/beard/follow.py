"""Cards that go with the skin they grow from: each is carried, stiff, by the triangle of skin under its root."""

import numpy as np

from idto3d.head.hair.lattice import normalised
from idto3d.head.hair.scalp import Roots

STAYS = 0.0009  # metres by which the skin below a card may move before it follows


def carried(points: np.ndarray, roots: Roots, skin: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """[E, C, T, 3] metres by which cards `points` [C, T, 3] move when the skin moves.

    roots: C places on the skin, vertices `skin` [V, 3] metres at rest; moves [E, V, 3] metres. Cards that would move
    less than STAYS at their roots, and twice as much elsewhere, stay, so that files hold only what is seen.
    """
    rest, at = _frames(skin[roots.corners]), roots.read(skin)
    local = np.einsum("cij,ctj->cti", rest, points - at[:, None])
    found = np.zeros((len(moves), *points.shape))
    for number, move in enumerate(moves):
        posed = _frames((skin + move)[roots.corners])
        moved = roots.read(skin + move)[:, None] + np.einsum("cij,cti->ctj", posed, local) - points
        seen = (np.abs(moved[:, 0]).max(1) > STAYS) | (np.abs(moved).max((1, 2)) > 2 * STAYS)
        found[number, seen] = moved[seen]
    return found


def _frames(corners: np.ndarray) -> np.ndarray:
    """[C, 3, 3] an edge, across it, and the normal of triangles `corners` [C, 3, 3], as rows."""
    edge = normalised(corners[:, 1] - corners[:, 0])
    normal = normalised(np.cross(edge, corners[:, 2] - corners[:, 0]))
    return np.stack([edge, np.cross(normal, edge), normal], 1)
