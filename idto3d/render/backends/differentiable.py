"""What both our rasterisers share: gradients through what is seen, in plain torch, on any device."""

import torch
from torch import Tensor

from idto3d.render.rasterizer import Fragments, gather_corners

SMALLEST_AREA = 1e-10  # projected area (ndc, times w squared) below which a triangle passes no gradient


def with_gradient(fragments: Fragments, clip: Tensor, faces: Tensor) -> Fragments:
    """The same values, as differentiable functions of the clip positions.

    Barycentrics by homogeneous edge functions (Olano and Greer 1997): with a_i = (x_i, y_i) - pixel * w_i, weight i
    is the cross product of the other two, divided by the sum of the three. In double precision, as slivers need it.
    """
    covered = fragments.covered
    corners = gather_corners(clip, fragments.face, faces).double()
    offset = corners[..., :2] - corners[..., 3:] * _pixel_centers(covered)[:, None]
    x, y = offset.unbind(-1)
    area = x.roll(-1, 1) * y.roll(-2, 1) - x.roll(-2, 1) * y.roll(-1, 1)
    total = area.sum(1, keepdim=True)
    sound = total.detach().abs() > SMALLEST_AREA
    weights = torch.where(sound, area / torch.where(sound, total, torch.ones_like(total)), torch.zeros_like(area))
    depth = (weights * corners[..., 2]).sum(1) / (weights * corners[..., 3]).sum(1).clamp(min=1e-8)
    return Fragments(
        fragments.face,
        _carry(fragments.barycentric, covered, weights),
        _carry(fragments.depth, covered, torch.where(sound, depth[:, None], depth.detach()[:, None])),
    )


def _carry(values: Tensor, covered: Tensor, derivative: Tensor) -> Tensor:
    """`values` [B, H, W, C] unchanged, with the gradient of `derivative` [P, C] at the covered pixels."""
    change = (derivative - derivative.detach()).to(values.dtype)
    return values + torch.zeros_like(values).index_put((covered,), change)


def _pixel_centers(covered: Tensor) -> Tensor:
    """Normalised device coordinates [P, 2] (x, y up) of the covered pixels' centres, double."""
    _, height, width = covered.shape
    _, row, column = covered.nonzero(as_tuple=True)
    return torch.stack([(2 * column + 1) / width - 1, 1 - (2 * row + 1) / height], -1).double()


def blended(image: Tensor, crossings: Tensor, clip: Tensor) -> Tensor:
    """`image` [B, H, W, C] blended across outlines (Laine et al. 2020, section 3.6), over edges found by themselves.

    crossings [N, 6]: as `silhouette.outline_crossings`, vertex and pixel numbers counting on from view to view.
    clip [B, V, 4]: the outline's vertices get their gradient through it.
    """
    near, far = crossings[:, 2], crossings[:, 3]
    pixels = image.reshape(-1, image.shape[-1])
    reach = _reach(crossings, clip, image.shape[1:3]).to(image.dtype)
    excess = (reach - 0.5)[:, None] * (pixels.index_select(0, near) - pixels.index_select(0, far))
    receiver = torch.where(reach.detach() > 0.5, far, near)
    return pixels.index_add(0, receiver, excess).reshape(image.shape)


def _reach(crossings: Tensor, clip: Tensor, size: tuple[int, int]) -> Tensor:
    """How far the object reaches from its pixel centre towards the one beyond, [N] double in 0..1, differentiable."""
    height, width = size
    ends = clip.reshape(-1, 4).index_select(0, crossings[:, :2].reshape(-1)).double().reshape(-1, 2, 4)
    x = (ends[..., 0] / ends[..., 3] * 0.5 + 0.5) * width - 0.5
    y = (0.5 - ends[..., 1] / ends[..., 3] * 0.5) * height - 0.5
    pixel = crossings[:, 2] % (height * width)
    row, column = pixel // width, pixel % width
    in_row = crossings[:, 4] == 0
    along, across = torch.where(in_row[:, None], x, y), torch.where(in_row[:, None], y, x)
    origin, line = torch.where(in_row, column, row), torch.where(in_row, row, column)
    t = (line - across[:, 0]) / (across[:, 1] - across[:, 0])
    crossing = along[:, 0] + t * (along[:, 1] - along[:, 0])
    return ((crossing - origin) * crossings[:, 5]).clamp(0.0, 1.0)
