"""Stands for `nvdiffrast.torch` on a machine without a GPU: its calls and its conventions, slowly.

As in nvdiffrast 0.4: row 0 is the bottom; the four channels are two barycentrics, z/w, and the triangle's number from
1, 0 for none; only the barycentrics carry a gradient; tensors are contiguous, positions float32, triangles int32.
"""

import sys
from types import ModuleType

import torch
from slow_raster import brute_force

from idto3d.render.backends import nvdiffrast_raster
from idto3d.render.backends.differentiable import blended
from idto3d.render.backends.torch_silhouette import edges_of, outline_crossings


class RasterizeCudaContext:
    """What `rasterize` asks for first."""

    def __init__(self, device=None):
        self.device = device


def rasterize(glctx, pos, tri, resolution, ranges=None, grad_db=True, *, layer=0):
    """Pixels [B, H, W, 4] of triangles `tri` [F, 3] at `pos` [B, V, 4], and what nobody asks for."""
    assert isinstance(glctx, RasterizeCudaContext) and ranges is None
    _checked(pos, tri)
    views = [_view(view, tri.long(), layer, *resolution) for view in pos]
    return torch.stack(views), torch.zeros(len(pos), *resolution, 4 * grad_db)


class DepthPeeler:
    """Layers of the surface, the nearest first; a context, as `rasterize` otherwise."""

    def __init__(self, glctx, pos, tri, resolution, ranges=None, grad_db=True):
        self._asked, self._layer = (glctx, pos, tri, resolution, ranges, grad_db), None

    def __enter__(self):
        self._layer = -1
        return self

    def __exit__(self, *_):
        self._layer = None

    def rasterize_next_layer(self):
        """As `rasterize`, of the next layer."""
        self._layer += 1
        return rasterize(*self._asked, layer=self._layer)


def _view(pos, tri, layer, height, width):
    face, weights, depth = brute_force(pos, tri, height, width, layer)
    number = (face + 1).double()[..., None]
    image = torch.cat([weights[..., :2], (depth * (face >= 0))[..., None].detach(), number], -1)
    return image.flip(0).float()


def antialias(color, rast, pos, tri, topology_hash=None, pos_gradient_boost=1.0):
    """`color` [B, H, W, C] blended across the outlines that `rast`, from `rasterize`, shows."""
    _checked(pos, tri)
    assert color.is_contiguous() and color.dtype == torch.float32 and color.shape[:3] == rast.shape[:3]
    faces, shown = tri.long(), rast.detach().flip(1)
    face = shown[..., 3].long() - 1
    weights = torch.cat([shown[..., :2], 1 - shown[..., :1] - shown[..., 1:2]], -1)
    crossings = outline_crossings(pos.detach(), faces, edges_of(faces, pos.shape[1]), face, weights)
    return blended(color.flip(1), crossings, pos).flip(1)


def _checked(pos, tri):
    assert pos.dim() == 3 and pos.shape[-1] == 4 and pos.dtype == torch.float32 and pos.is_contiguous()
    assert tri.shape[-1] == 3 and tri.dtype == torch.int32 and tri.is_contiguous()


def install(monkeypatch):
    """Have `import nvdiffrast.torch` find this module, which is tried on the CPU."""
    triangle = nvdiffrast_raster._triangle
    monkeypatch.setattr(nvdiffrast_raster, "_triangle", lambda _device: triangle("cpu"))
    nvdiffrast_raster.tried.cache_clear()
    package = ModuleType("nvdiffrast")
    package.torch = sys.modules[__name__]
    monkeypatch.setitem(sys.modules, "nvdiffrast", package)
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", package.torch)


def uninstall(monkeypatch, error=None):
    """Have it fail: as if not installed, or with `error`."""
    monkeypatch.delitem(sys.modules, "nvdiffrast.torch", raising=False)
    if error is None:
        monkeypatch.setitem(sys.modules, "nvdiffrast", None)
        return
    package = ModuleType("nvdiffrast")
    package.__path__, package.__spec__ = [], None
    monkeypatch.setitem(sys.modules, "nvdiffrast", package)
    monkeypatch.setattr(sys, "meta_path", [_Broken(error), *sys.meta_path])


class _Broken:
    """Finds nvdiffrast.torch, and fails when it is read."""

    def __init__(self, error):
        self._error = error

    def find_spec(self, name, path=None, target=None):
        if name == "nvdiffrast.torch":
            raise self._error
        return None
