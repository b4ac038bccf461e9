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
    """Whether what P faces show at their pixels (row, column) is less than solid there, [P] bool.

    Read linearly between texels. faces [F, 3]; face [P]: their numbers; weights [P, 3] double: perspective-correct.
    """
    row, column = pixel
    page = holes.page[face].long()
    side = holes.side[page.clamp(min=0)]
    parts = weights[..., None] * holes.uvs[faces[face]]
    place = ((parts[:, 0] + parts[:, 1] + parts[:, 2]) * side[:, None] - 0.5).clamp(min=0)
    place = torch.minimum(place, side[:, None] - 1.0)
    low = place.long()
    high, (across, down) = torch.minimum(low + 1, side[:, None] - 1), (place - low).unbind(1)
    (left, top), (right, bottom) = low.unbind(1), high.unbind(1)
    first = holes.start[page.clamp(min=0)]
    top, bottom = first + top * side, first + bottom * side
    upper = (1 - across) * holes.alpha[top + left] + across * holes.alpha[top + right]
    lower = (1 - across) * holes.alpha[bottom + left] + across * holes.alpha[bottom + right]
    return (page >= 0) & ((1 - down) * upper + down * lower < holes.least[row % 2, column % 2])
