"""The CUDA rasteriser: nvdiffrast with its conventions hidden.

nvdiffrast puts row 0 at the bottom, numbers faces from 1, and returns the first two barycentrics only; y is negated
before rasterising, so that its images and its antialiasing have our rows. It is not for commercial use, so it is
optional and imported on first use.
"""

from dataclasses import replace

import torch
from torch import Tensor

from idto3d.errors import UserError
from idto3d.render.rasterizer import Fragments, interpolate_covered

INSTALL = "pip install git+https://github.com/NVlabs/nvdiffrast.git --no-build-isolation"


class NvdiffrastRasterizer:
    """A `Rasterizer` for one CUDA device."""

    def __init__(self, device: torch.device):
        """Raises UserError when nvdiffrast is not installed."""
        try:
            import nvdiffrast.torch as verbs
        except ImportError as missing:
            remedy = f"Run '{INSTALL}', or choose the CPU with --device cpu."
            raise UserError("Drawing on this GPU needs nvdiffrast, which is not installed.", remedy) from missing
        self._verbs = verbs
        self._context = verbs.RasterizeCudaContext(device=device)

    def fragments(self, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
        """See `Rasterizer.fragments`. handle: nvdiffrast's own image."""
        raw, _ = self._verbs.rasterize(self._context, _flipped(clip), _triangles(faces), size, grad_db=False)
        face = raw[..., 3].detach().round().long() - 1
        covered = (face >= 0)[..., None]
        first, second = raw[..., 0:1], raw[..., 1:2]
        barycentric = torch.cat([first, second, 1 - first - second], -1) * covered
        hits = Fragments(face, barycentric, torch.ones_like(first), handle=raw)
        return replace(hits, depth=_depth(hits, clip, faces))

    def antialias(self, image: Tensor, fragments: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
        """See `Rasterizer.antialias`."""
        return self._verbs.antialias(image.contiguous(), fragments.handle, _flipped(clip), _triangles(faces))


def _depth(hits: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
    """Depth [B, H, W, 1] with a gradient, which nvdiffrast's own third channel does not carry."""
    z, w = interpolate_covered(clip[..., 2:], hits, faces).split(1, -1)
    return hits.depth.index_put((hits.covered,), z / w)


def _flipped(clip: Tensor) -> Tensor:
    return (clip.float() * clip.new_tensor([1.0, -1.0, 1.0, 1.0])).contiguous()


def _triangles(faces: Tensor) -> Tensor:
    return faces.to(torch.int32).contiguous()
