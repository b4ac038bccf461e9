"""What a surface is made of, as every room hands it on."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class Material:
    """albedo [..., 3] linear RGB; roughness and metallic [..., 1] as in glTF.

    opacity [..., 1]: None is opaque. All 0..1 and of the same leading sizes, one entry per point.
    """

    albedo: Tensor
    roughness: Tensor
    metallic: Tensor
    opacity: Tensor | None = None
