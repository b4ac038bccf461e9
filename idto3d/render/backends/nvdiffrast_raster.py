"""The CUDA rasteriser: nvdiffrast with its conventions hidden.

nvdiffrast puts row 0 at the bottom, numbers faces from 1, and returns the first two barycentrics only; y is negated
before rasterising, so that its images and its antialiasing have our rows. It is not for commercial use, so it is
optional and imported on first use; `torch_raster` draws without it.
"""

from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from idto3d.render.backends.kernel import SOLID, Holes
from idto3d.render.backends.torch_holes import TorchHoles, holes_on, is_hole
from idto3d.render.rasterizer import Fragments, interpolate_covered

TRIED_SIZE = (8, 8)  # pixels
LAYERS = 64  # of faces behind one another through which is looked at most


def fault(device: torch.device) -> str | None:
    """Why nvdiffrast does not draw on `device`, the rest of a sentence; None where it does."""
    try:
        import nvdiffrast.torch  # noqa: F401
    except ModuleNotFoundError as missing:
        if missing.name in ("nvdiffrast", "nvdiffrast.torch"):
            return "nvdiffrast is not installed (README.md tells how, and under which licence)"
        return f"nvdiffrast is not whole, its module {missing.name} is missing; install it again"
    except (ImportError, OSError) as broken:
        return f"nvdiffrast does not load and has to be built again for this torch ({_first_line(broken)})"
    return tried(device)


@cache
def tried(device: torch.device) -> str | None:
    """Why an nvdiffrast that loads does not draw a triangle on `device`; tried once in a process."""
    try:
        NvdiffrastRasterizer(device).fragments(*_triangle(device), TRIED_SIZE)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as broken:
        what = f"nvdiffrast does not draw on this GPU ({_first_line(broken)})"
        return f"{what}; it was built for another GPU; build it again"
    return None


def _triangle(device: torch.device) -> tuple[Tensor, Tensor]:
    """A triangle in clip space, [1, 3, 4] and [1, 3]."""
    corners = [[-1.0, -1.0, 0.0, 1.0], [1.0, -1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0]]
    return torch.tensor([corners], device=device), torch.tensor([[0, 1, 2]], device=device)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


class NvdiffrastRasterizer:
    """A `Rasterizer` for one CUDA device.

    holes: where the faces that it is given let through what lies behind them. It draws the surface in layers then, and
    looks through the holes of one at the next.
    """

    def __init__(self, device: torch.device, holes: Holes = SOLID):
        """Raises ImportError where nvdiffrast does not load, see `fault`."""
        import nvdiffrast.torch as verbs

        self._verbs = verbs
        self._context = verbs.RasterizeCudaContext(device=device)
        self._holes = holes_on(device, holes) if len(holes.page) else None

    def fragments(self, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
        """See `Rasterizer.fragments`. handle: nvdiffrast's own image."""
        raw = self._raw(_flipped(clip), faces, size)
        face, barycentric = _hits(raw)
        hits = Fragments(face, barycentric, torch.ones_like(barycentric[..., :1]), handle=raw)
        return replace(hits, depth=_depth(hits, clip, faces))

    def antialias(self, image: Tensor, fragments: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
        """See `Rasterizer.antialias`."""
        return self._verbs.antialias(image.contiguous(), fragments.handle, _flipped(clip), _triangles(faces))

    def _raw(self, flipped: Tensor, faces: Tensor, size: tuple[int, int]) -> Tensor:
        """nvdiffrast's image [B, H, W, 4] of what is solid."""
        triangles = _triangles(faces)
        if self._holes is None:
            return self._verbs.rasterize(self._context, flipped, triangles, size, grad_db=False)[0]
        with self._verbs.DepthPeeler(self._context, flipped, triangles, size, grad_db=False) as peeler:
            return self._solid(peeler, faces)

    def _solid(self, peeler, faces: Tensor) -> Tensor:
        """The nearest layer of each pixel that has no hole there."""
        raw, _ = peeler.rasterize_next_layer()
        looking = _in_hole(self._holes, raw.detach(), faces)
        for _ in range(LAYERS):
            if not looking.any():
                break
            behind, _ = peeler.rasterize_next_layer()
            raw = torch.where(looking[..., None], behind, raw)
            looking = looking & _in_hole(self._holes, raw.detach(), faces)
        return torch.where(looking[..., None], torch.zeros_like(raw), raw).contiguous()


def _hits(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Face [B, H, W], -1 for none, and barycentric [B, H, W, 3] of nvdiffrast's image."""
    face = raw[..., 3].detach().round().long() - 1
    first, second = raw[..., 0:1], raw[..., 1:2]
    return face, torch.cat([first, second, 1 - first - second], -1) * (face >= 0)[..., None]


def _in_hole(holes: TorchHoles, raw: Tensor, faces: Tensor) -> Tensor:
    """Where nvdiffrast's image shows a hole of a face, [B, H, W] bool."""
    face, barycentric = _hits(raw)
    covered = face >= 0
    _, row, column = covered.nonzero(as_tuple=True)
    found = is_hole(holes, faces, face[covered], barycentric[covered].double(), (row, column))
    return torch.zeros_like(covered).index_put((covered,), found)


def _depth(hits: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
    """Depth [B, H, W, 1] with a gradient, which nvdiffrast's own third channel does not carry."""
    z, w = interpolate_covered(clip[..., 2:], hits, faces).split(1, -1)
    return hits.depth.index_put((hits.covered,), z / w)


def _flipped(clip: Tensor) -> Tensor:
    return (clip.float() * clip.new_tensor([1.0, -1.0, 1.0, 1.0])).contiguous()


def _triangles(faces: Tensor) -> Tensor:
    return faces.to(torch.int32).contiguous()
