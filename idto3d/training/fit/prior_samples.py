"""Random points of the canonical surface, denser where a head prior should be exact."""

from dataclasses import dataclass

import numpy as np

from idto3d.head.template import MOUTH_SOCKET
from idto3d.training.fit.prior_solid import Solid


@dataclass(frozen=True)
class Samples:
    """Points of the surface, as corners and weights, so that any head or field can be read at them."""

    corners: np.ndarray  # [N, 3] vertex indices
    weights: np.ndarray  # [N, 3]

    def read(self, field: np.ndarray) -> np.ndarray:
        """[..., N, C] from a vertex field [..., V, C]."""
        return sum(field[..., self.corners[:, i], :] * self.weights[:, i, None] for i in range(3))


def vertex_weight(solid: Solid) -> np.ndarray:
    """[V] how much a vertex of the skin counts: its share of the area, more where `_importance` is high."""
    a, b, c = (solid.base[solid.faces[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * ~solid.hidden * _importance((a + b + c) / 3)
    weight = np.bincount(solid.faces.ravel(), np.repeat(area, 3), len(solid.base))
    weight[MOUTH_SOCKET] = 0.0
    return weight


def _importance(points: np.ndarray) -> np.ndarray:
    """[N] sampling density: the face and the ears count more than skull and shoulders."""
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    face = (z > 0.04) & (y > -0.09) & (y < 0.09)
    lips_or_eyes = face & (((x < 0.03) & (y < -0.02) & (y > -0.055)) | ((x < 0.055) & (y > 0.02) & (y < 0.07)))
    ears = (x > 0.066) & (np.abs(y) < 0.07) & (z < 0.04)
    return 1.0 + 2.0 * face + 5.0 * lips_or_eyes + 2.0 * ears


def sample_surface(solid: Solid, count: int, random: np.random.Generator) -> Samples:
    """`count` random points of the visible surface, denser where `_importance` is high; one in twelve on an eyeball."""
    a, b, c = (solid.base[solid.faces[:, i]] for i in range(3))
    chance = np.linalg.norm(np.cross(b - a, c - a), axis=1) * ~solid.hidden * _importance((a + b + c) / 3)
    on_eyes = count // 12
    corners = solid.faces[random.choice(len(chance), count - on_eyes, p=chance / chance.sum())]
    u, v = np.sqrt(random.random(len(corners))), random.random(len(corners))
    weights = np.stack([1 - u, u * (1 - v), u * v], -1)
    eye = random.choice(np.flatnonzero(solid.eyeball), on_eyes)
    single = np.broadcast_to(np.array([1.0, 0.0, 0.0]), (on_eyes, 3))
    corners = np.concatenate([corners, np.repeat(eye[:, None], 3, 1)])
    return Samples(corners, np.concatenate([weights, single]).astype(np.float32))
