"""What a rasteriser is: two verbs and a result. The backends hide their own conventions behind it.

Pixel (row, column) of an H x W image has its centre at ndc x = (2 column + 1) / W - 1, y = 1 - (2 row + 1) / H:
row 0 is the top.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Fragments:
    """What each pixel centre sees.

    face: [B, H, W] int64, -1 where nothing is hit.
    barycentric: [B, H, W, 3] float32, perspective-correct, sums to 1 on the surface and is 0 off it;
        differentiable in the clip positions.
    depth: [B, H, W, 1] float32, ndc z in -1..1 on the surface and 1 off it; differentiable likewise.
    handle: private to the backend that made it.
    """

    face: Tensor
    barycentric: Tensor
    depth: Tensor
    handle: object = None

    @property
    def covered(self) -> Tensor:
        """[B, H, W] bool, where a face is seen."""
        return self.face >= 0


class Rasterizer(Protocol):
    """Finds the visible faces and smooths the outline. All tensors on one device, float32, faces int64."""

    def fragments(self, clip: Tensor, faces: Tensor, size: tuple[int, int]) -> Fragments:
        """What the pixels of a (height, width) image see of faces [F, 3] at clip positions [B, V, 4]."""
        ...

    def antialias(self, image: Tensor, fragments: Fragments, clip: Tensor, faces: Tensor) -> Tensor:
        """`image` [B, H, W, C] blended across outlines, so that its gradient reaches the outline's vertices."""
        ...


def interpolate(attribute: Tensor, fragments: Fragments, faces: Tensor) -> Tensor:
    """Per-vertex `attribute` [V, C] or [B, V, C] at the pixels, [B, H, W, C]; 0 where nothing is seen."""
    covered = fragments.covered
    values = interpolate_covered(attribute, fragments, faces)
    image = values.new_zeros(*covered.shape, values.shape[-1])
    return image.index_put((covered,), values)


def interpolate_covered(attribute: Tensor, fragments: Fragments, faces: Tensor) -> Tensor:
    """Per-vertex `attribute` [V, C] or [B, V, C] at the P covered pixels, [P, C], in row-major order."""
    covered = fragments.covered
    values = gather_corners(attribute, fragments.face, faces)
    return (values * fragments.barycentric[covered][..., None]).sum(1)


def gather_corners(attribute: Tensor, face: Tensor, faces: Tensor) -> Tensor:
    """Corner values [P, 3, C] of `attribute` [V, C] or [B, V, C] for the P hits of the face image [B, H, W]."""
    covered = face >= 0
    corners = faces[face[covered]]
    if attribute.dim() == 3 and len(attribute) > 1:
        batch = covered.nonzero()[:, :1]
        corners = corners + batch * attribute.shape[1]
    rows = attribute.reshape(-1, attribute.shape[-1])
    return rows.index_select(0, corners.reshape(-1)).reshape(-1, 3, attribute.shape[-1])
