"""The rasteriser in plain torch: for graphics cards without nvdiffrast, and for everyone who may not use that."""

import torch
from torch import Tensor

from idto3d.render.backends.differentiable import blended, with_gradient
from idto3d.render.backends.kernel import SOLID, Holes
from idto3d.render.backends.torch_holes import TorchHoles, holes_on
from idto3d.render.backends.torch_silhouette import Edges, edges_of, outline_crossings
from idto3d.render.backends.torch_visible import visible
from idto3d.render.rasterizer import Fragments


class TorchRasterizer:
    """A `Rasterizer` for any device. It draws what NumbaRasterizer draws.

    holes: where the faces that it is given let through what lies behind them. It remembers the edges of the mesh that
    it drew last: while a head is shaped its faces stay the same.
    """

    def __init__(self, holes: Holes = SOLID):
        self.holes = holes
        self._there: tuple[torch.device, TorchHoles] | None = None
        self._drawn: tuple[Tensor, int, Edges] | None = None

    @torch.no_grad()
    def _seen(self, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
        face, barycentric, depth = visible(clip, faces, size, self._holes(clip.device))
        return Fragments(face, barycentric, depth[..., None])

    def _holes(self, device: torch.device) -> TorchHoles | None:
        if not len(self.holes.page):
            return None
        if self._there is None or self._there[0] != device:
            self._there = (device, holes_on(device, self.holes))
        return self._there[1]

    def fragments(self, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
        """See `Rasterizer.fragments`. Both windings are drawn; faces with a corner behind the camera are not."""
        fragments = self._seen(clip, faces, size)
        return with_gradient(fragments, clip, faces) if clip.requires_grad else fragments

    def antialias(self, image: Tensor, fragments: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
        """See `Rasterizer.antialias`."""
        return blended(image, self._crossings(fragments, clip, faces), clip)

    @torch.no_grad()
    def _crossings(self, fragments: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
        edges = self._edges(faces, clip.shape[1])
        return outline_crossings(clip, faces, edges, fragments.face, fragments.barycentric)

    def _edges(self, faces: Tensor, vertices: int) -> Edges:
        drawn = self._drawn
        if drawn is None or drawn[1] != vertices or not _same(drawn[0], faces):
            drawn = self._drawn = (faces.clone(), vertices, edges_of(faces, vertices))
        return drawn[2]


def _same(before: Tensor, now: Tensor) -> bool:
    return before.device == now.device and torch.equal(before, now)
