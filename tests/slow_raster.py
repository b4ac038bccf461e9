"""The definition of a rasteriser, slowly."""

import torch


def brute_force(clip, faces, height: int, width: int, layer: int = 0):
    """The rasteriser's twin: every pixel asks every triangle. clip [V, 4]; returns face, barycentric, depth.

    layer: how many faces are in front of the one that is wanted.
    """
    x = (2 * torch.arange(width) + 1) / width - 1
    y = 1 - (2 * torch.arange(height) + 1) / height
    pixel = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1).double().reshape(-1, 1, 1, 2)
    corners = clip.double()[faces][None]
    offset = corners[..., :2] - pixel * corners[..., 3:]
    area = torch.stack([_cross(offset, 1, 2), _cross(offset, 2, 0), _cross(offset, 0, 1)], -1)
    weights = area / area.sum(-1, keepdim=True)
    depth = (weights * corners[..., 2]).sum(-1) / (weights * corners[..., 3]).sum(-1)
    seen = (weights >= 0).all(-1) & (corners[..., 3] > 0).all(-1) & (depth >= -1) & (depth < 1)
    order = torch.where(seen, depth, torch.inf).sort(dim=-1, stable=True)
    nearest, face = (part[:, min(layer, len(faces) - 1)] for part in order)
    face = torch.where(seen.sum(-1) > layer, face, -1)
    nearest = torch.where(face >= 0, nearest, 1.0)
    chosen = weights[torch.arange(len(face)), face.clamp(min=0)] * (face >= 0)[:, None]
    return face.reshape(height, width), chosen.reshape(height, width, 3), nearest.reshape(height, width)


def _cross(offset, i, j):
    return offset[..., i, 0] * offset[..., j, 1] - offset[..., i, 1] * offset[..., j, 0]
