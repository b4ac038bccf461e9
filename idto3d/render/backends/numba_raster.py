"""The CPU rasteriser: numba finds what is seen, torch recomputes it with gradients."""

import torch
from torch import Tensor

from idto3d.render.backends.differentiable import blended, with_gradient
from idto3d.render.backends.kernel import SOLID, Holes, rasterize
from idto3d.render.backends.silhouette import outline_crossings
from idto3d.render.rasterizer import Fragments


class NumbaRasterizer:
    """A `Rasterizer` for the CPU. Visibility is piecewise constant; `antialias` gives the outline its gradient.

    holes: where the faces that it is given let through what lies behind them.
    """

    def __init__(self, holes: Holes = SOLID):
        self.holes = holes

    def fragments(self, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
        """See `Rasterizer.fragments`. Both windings are drawn; faces with a corner behind the camera are not."""
        triangles = faces.to(torch.int32).numpy()
        views = [rasterize(view.numpy(), triangles, *size, self.holes) for view in clip.detach().float()]
        face, barycentric, depth = (torch.stack([torch.from_numpy(v[k]) for v in views]) for k in range(3))
        fragments = Fragments(face.long(), barycentric, depth[..., None])
        return with_gradient(fragments, clip, faces) if clip.requires_grad else fragments

    def antialias(self, image: Tensor, fragments: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
        """See `Rasterizer.antialias`."""
        return blended(image, _crossings(clip, faces, fragments), clip)


def _crossings(clip: Tensor, faces: Tensor, fragments: Fragments) -> Tensor:
    """`outline_crossings` of all views, [N, 6]: vertex and pixel numbers count on from view to view."""
    triangles = faces.to(torch.int32).numpy()
    batch, height, width = fragments.face.shape
    views = zip(clip.detach().float(), fragments.face.int(), fragments.barycentric.detach(), strict=True)
    found = [torch.from_numpy(outline_crossings(c.numpy(), triangles, f.numpy(), b.numpy())) for c, f, b in views]
    step = torch.tensor([clip.shape[1], clip.shape[1], height * width, height * width, 0, 0])
    return torch.cat([pairs + b * step for b, pairs in enumerate(found)])
