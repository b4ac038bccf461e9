"""A painted texture with more pixels: a network's fine detail where no photo shows the surface, and no more elsewhere.

A network that was trained on pictures would make another face of a photo's; there, texels are only interpolated. And
everywhere what the network makes keeps, averaged over each former texel, that texel's colour.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from idto3d.export.enlarging.network import Enlarger
from idto3d.render.painted import PaintedMaterial

TILE, MARGIN = 192, 24  # texels of the side of what the network sees, and of what of it another tile tells


def enlarged(painted: PaintedMaterial, size: int, net: Enlarger | None, photos: bool) -> PaintedMaterial:
    """`painted` at `size` pixels where it has fewer; without `net` every map is interpolated.

    photos: whether some show the surface; which texels, `painted.known` says, and all where it does not.
    """
    if len(painted.albedo) >= size:
        return painted
    maps = {kind: interpolated(getattr(painted, kind), size) for kind in ("roughness", "specular", "known")}
    albedo = interpolated(painted.albedo, size)
    if net is not None:
        unseen = _unseen(painted, maps["known"], size, photos)
        if unseen.any():
            albedo[..., :3] = _mixed(albedo[..., :3], detailed(painted.albedo[..., :3], size, net), unseen)
    return PaintedMaterial(albedo=albedo, normal=_relief(painted.normal, size), **maps)


def _unseen(painted: PaintedMaterial, known: np.ndarray | None, size: int, photos: bool) -> np.ndarray:
    """[S, S] 0..1 float32 how far no photo shows a texel."""
    if known is not None:
        return 1 - known.astype(np.float32) / 255
    return np.full((size, size), 0.0 if photos else 1.0, np.float32)


def _mixed(plain: np.ndarray, fine: np.ndarray, share: np.ndarray) -> np.ndarray:
    """From `plain` to `fine` [S, S, 3] uint8 by `share` [S, S], byte for byte the former at 0."""
    mixed = plain + share[..., None] * (fine.astype(np.float32) - plain)
    return np.where(share[..., None] > 0, np.round(mixed).astype(np.uint8), plain)


def interpolated(image: np.ndarray | None, size: int) -> np.ndarray | None:
    """`image` [S, S] or [S, S, C] uint8 at `size` pixels, each channel for itself, cubic."""
    if image is None:
        return None
    channels = [image] if image.ndim == 2 else [image[..., k] for k in range(image.shape[2])]
    large = [np.asarray(Image.fromarray(one).resize((size, size), Image.Resampling.BICUBIC)) for one in channels]
    return large[0].copy() if image.ndim == 2 else np.stack(large, axis=-1)


def _relief(normal: np.ndarray | None, size: int) -> np.ndarray | None:
    """A normal map at `size` pixels: slopes stay, for a texel is as much smaller as its rise is."""
    if normal is None:
        return None
    local = interpolated(normal, size).astype(np.float32) / 127.5 - 1
    local /= np.maximum(np.linalg.norm(local, axis=-1, keepdims=True), 1e-6)
    return np.round((local + 1) * 127.5).astype(np.uint8)


@torch.inference_mode()
def detailed(image: np.ndarray, size: int, net: Enlarger) -> np.ndarray:
    """What the network makes of `image` [S, S, 3] uint8 sRGB, at `size` pixels, with the colours of each texel."""
    side, scale = len(image), net.scale
    made = np.empty((side * scale, side * scale, 3), np.uint8)
    for top, bottom, outer_top, outer_bottom in _spans(side):
        for left, right, outer_left, outer_right in _spans(side):
            seen = _picture(image[outer_top:outer_bottom, outer_left:outer_right]).to(net.device)
            fine = _faithful(net.run(seen).float(), seen, scale)
            inner = (slice((top - outer_top) * scale, (bottom - outer_top) * scale),)
            inner += (slice((left - outer_left) * scale, (right - outer_left) * scale),)
            pixels = (fine[0].permute(1, 2, 0)[inner] * 255).round().clamp(0, 255).to(torch.uint8).cpu().numpy()
            made[top * scale : bottom * scale, left * scale : right * scale] = pixels
    if side * scale == size:
        return made
    kind = Image.Resampling.BOX if side * scale > size else Image.Resampling.BICUBIC
    return np.array(Image.fromarray(made).resize((size, size), kind))


def _faithful(fine: Tensor, seen: Tensor, scale: int) -> Tensor:
    """The network's picture with what it changed of the means of texels taken back (Irani and Peleg 1991)."""
    off = seen - F.avg_pool2d(fine, scale)
    return fine + F.interpolate(off, scale_factor=scale, mode="bicubic", align_corners=False)


def _picture(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() / 255


def _spans(side: int) -> Iterator[tuple[int, int, int, int]]:
    """Of each tile along a side: what it tells, and what the network sees of it."""
    step = TILE - 2 * MARGIN
    for start in range(0, side, step):
        stop = min(start + step, side)
        yield start, stop, max(0, start - MARGIN), min(side, stop + MARGIN)
