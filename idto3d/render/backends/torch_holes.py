"""Holes in faces for the rasteriser in plain torch: `kernel.Holes` as tensors of one device."""

from typing import NamedTuple

import torch
from torch import Tensor

from idto3d.render.backends.kernel import Holes


class TorchHoles(NamedTuple):
    """See `kernel.Holes`, whose names and units these are."""

    uvs: Tensor
    page: Tensor
    alpha: Tensor
    start: Tensor
    side: Tensor
    least: Tensor


def holes_on(device: torch.device, holes: Holes) -> TorchHoles:
    """`holes` on `device`."""
    return TorchHoles(*(torch.from_numpy(values).to(device) for values in holes))


def is_hole(holes: TorchHoles, faces: Tensor, face: Tensor, weights: Tensor, pixel: tuple[Tensor, Tensor]) -> Tensor:
    """Whether the texels that P faces show at their pixels (row, column) are less than solid there, [P] bool.

    faces [F, 3]; face [P]: their numbers; weights [P, 3] double: perspective-correct.
    """
    row, column = pixel
    page = holes.page[face].long()
    side = holes.side[page.clamp(min=0)]
    parts = weights[..., None] * holes.uvs[faces[face]]
    texel = ((parts[:, 0] + parts[:, 1] + parts[:, 2]) * side[:, None]).long().clamp(min=0)
    texel = torch.minimum(texel, side[:, None] - 1)
    alpha = holes.alpha[holes.start[page.clamp(min=0)] + texel[:, 1] * side + texel[:, 0]]
    return (page >= 0) & (alpha < holes.least[row % 2, column % 2])
