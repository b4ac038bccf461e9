"""What pictures should show, as the guidance is told it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from idto3d.guidance.networks.branches import BRANCHES


@dataclass(frozen=True)
class Conditions:
    """What B pictures should show, and the unconditional counterpart, element by element in one order.

    `text`, `negative` [B, L, C] text states; `identity` [B, D]; `expression` [B, E]; `camera` [B, 3] codes, zeros for
    an unknown one. Without condition, the branches are given zeros (which are not zero tokens: they are trained so).
    `likeness` are B shares 0..1 of the identity branch's strength; None: all of it for every picture.
    """

    text: Tensor
    negative: Tensor
    identity: Tensor
    expression: Tensor
    camera: Tensor
    likeness: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return self.text.shape[0]

    def both(self) -> tuple[Tensor, dict[str, Tensor]]:
        """Text states [2B, L, C], and by branch identity [2B, 1, D], expression [2B, 1, E]: conditional first."""
        embeddings = zip(BRANCHES, (self.identity, self.expression), strict=True)
        doubled = {name: torch.cat([given, torch.zeros_like(given)])[:, None] for name, given in embeddings}
        return torch.cat([self.text, self.negative]), doubled

    def shares(self) -> Tensor:
        """`likeness` as a column [B, 1] beside `identity`."""
        given = self.likeness or (1.0,) * len(self)
        return torch.tensor(given, device=self.identity.device)[:, None]

    def fading(self) -> Tensor | None:
        """`likeness` as masks [2B, 1, 1, 1] of the identity branch, conditional first; None where it is whole."""
        if self.likeness is None or min(self.likeness) >= 1.0:
            return None
        return torch.cat([self.shares()] * 2)[..., None, None]


def joined(given: Sequence[Conditions]) -> Conditions:
    """The conditions of all pictures of `given`, one after another."""
    names = ("text", "negative", "identity", "expression", "camera")
    tensors = [torch.cat([getattr(one, name) for one in given]) for name in names]
    if all(one.likeness is None for one in given):
        return Conditions(*tensors)
    return Conditions(*tensors, tuple(share for one in given for share in one.shares()[:, 0].tolist()))
