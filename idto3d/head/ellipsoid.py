"""What heads of before began with where there was no head prior: an egg of their size, that neither varies nor moves.

No head begins with it any more; those that did can still be read, drawn and edited.
"""

from collections.abc import Collection

import torch
from torch import Tensor

from idto3d.head.prior import SdfBasis
from idto3d.words.expressions import NAMES
from idto3d.words.traits import BEARDS, HAIR_STYLES

CENTRE = (0.0, -0.02, 0.0)
RADII = (0.080, 0.125, 0.100)
SKIN = (0.45, 0.27, 0.19)
NO_HAIR = 0.05  # metres outside every hair volume


class EllipsoidPrior:
    """The methods of HeadPrior for an ellipsoid of RADII metres about CENTRE, with one mode that changes nothing.

    It knows no hair style and no word.
    """

    styles: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()

    def __init__(self, device: torch.device | str = "cpu"):
        self.device = torch.device(device)

    def basis(self, points: Tensor) -> SdfBasis:
        """Distances at `points` [N, 3], metres; modes [N, 1] zero; no hair anywhere."""
        centred, radii = points - points.new_tensor(CENTRE), points.new_tensor(RADII)
        scaled, slope = (centred / radii).norm(dim=-1), (centred / radii**2).norm(dim=-1)
        # First-order distance, exact on the surface (https://iquilezles.org/articles/ellipsoids).
        mean = scaled * (scaled - 1) / slope.clamp_min(1e-6)
        mean = torch.where(scaled > 1e-3, mean, -min(RADII))
        return SdfBasis(
            mean, points.new_zeros(len(points), 1), points.new_full((len(points), len(HAIR_STYLES)), NO_HAIR)
        )

    def distance(self, points: Tensor, z: Tensor) -> Tensor:
        """Distances [N] at `points` [N, 3] for coefficients `z` [1], metres."""
        basis = self.basis(points)
        return basis.mean + basis.modes @ z

    def beard(self, points: Tensor, z: Tensor) -> Tensor:
        """No beard: zeros [N, B]."""
        return points.new_zeros(len(points), len(BEARDS))

    def warp(self, points: Tensor, z: Tensor | None = None) -> Tensor:
        """No displacement: zeros [N, 13, 3]."""
        return points.new_zeros(len(points), len(NAMES), 3)

    def albedo(self, points: Tensor, z: Tensor | None = None) -> Tensor:
        """One skin colour everywhere, [N, 3] linear."""
        return points.new_tensor(SKIN).expand(len(points), 3)

    def shape_code(self, embedding: Tensor) -> Tensor:
        """One coefficient, zero: [1]."""
        return embedding.new_zeros(1)

    def word_shift(self, phrases: Collection[str]) -> Tensor:
        """No word has a say: zeros [1]."""
        return torch.zeros(1, device=self.device)

    def code_of(self, coefficients: Tensor) -> Tensor:
        """One coefficient, zero: [1]."""
        return coefficients.new_zeros(1)
