"""What is carved: the skin moved along its normals, its relief, and its shape coefficients (DreamFace, section 4.2).

    skin = rest + normal * reach * tanh((d + (modes * b) . normal) / reach)        relief = its own + slopes

Millimetres of displacement d [V], slopes [R, R, 2] of a normal map on the skin's atlas, coefficients b [K]. All start
at zero, and none of them reaches where photos show the skin, or where it lies against eyes and inside the mouth.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from idto3d.config import CarvingOptions
from idto3d.evidence.skin import SkinMap
from idto3d.geometry.mesh import vertex_normals
from idto3d.geometry.regularisers import laplacian_loss
from idto3d.head.parts import Part
from idto3d.stages.carving.relief import over, slopes_of

STEEPEST = 0.8  # slope that a carved wall has at most
MM = 1000.0


@dataclass(frozen=True, eq=False)
class Block:
    """What is carved into: the skin at rest, its normals [V, 3], and how far each vertex may move, free [V] 0..1.

    modes [K, V]: millimetres along the normal of each shape coefficient. own [R, R, 2]: the slopes that the skin has.
    bare [S, S]: 0..1, how far each texel of its texture may be carved; open_to [R, R, 1] is the same, smaller.
    """

    skin: Part
    normals: Tensor
    free: Tensor
    modes: Tensor
    own: Tensor
    bare: np.ndarray
    open_to: Tensor


def block_of(skin: Part, identity: Tensor, free: Tensor, bare: np.ndarray, normal: np.ndarray | None, side: int):
    """The block of a skin with the relief of the normal map `normal` [S, S, 3]; its slopes are learned on `side`^2.

    identity [K, V, 3] metres: what the shape coefficients change. free [V] and bare [S, S] 0..1: see `Block`.
    """
    normals = vertex_normals(skin.vertices, skin.faces)
    own = np.zeros((*bare.shape, 2), np.float32) if normal is None else slopes_of(normal)
    both = np.concatenate([own, bare[..., None]], -1).astype(np.float32)
    small = _resized(torch.from_numpy(both).to(skin.vertices), side)
    modes = MM * (identity * normals).sum(-1)
    return Block(skin, normals, free, modes, small[..., :2], bare, small[..., 2:])


def bare_share(free: Tensor, known: np.ndarray, skin: SkinMap) -> np.ndarray:
    """[S, S] 0..1, how far texels may be carved: as vertices are `free` [V], and not where photos `known` [N] are."""
    share = skin.texels.read(free.cpu().numpy()[:, None].astype(np.float32))[:, 0] * (1 - known)
    return skin.texels.spread(share[:, None].astype(np.float32))[..., 0]


@dataclass(frozen=True, eq=False)
class Carved:
    """The skin with its neutral shape moved, the slopes [R, R, 2] that it shows, and what the regularisers say of it:
    `drift`, `rough` and `uneven` are those of equation 7, scalars.
    """

    vertices: Tensor
    slopes: Tensor
    drift: Tensor
    rough: Tensor
    uneven: Tensor


class Carver(nn.Module):
    """The parameters of a carving, on the device of its block."""

    def __init__(self, block: Block, options: CarvingOptions):
        super().__init__()
        self._block, self._options = block, options
        vertices = block.skin.vertices
        self.along = nn.Parameter(vertices.new_zeros(len(vertices)))
        self.slopes = nn.Parameter(torch.zeros_like(block.own))
        self.coefficients = nn.Parameter(vertices.new_zeros(len(block.modes)))

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """The parameters with their rates; each alone, so that a large gradient of one does not shrink another's."""
        rate = self._options.learning_rate
        return [([self.along], rate), ([self.slopes], rate), ([self.coefficients], self._options.latent_rate)]

    def moved_mm(self) -> Tensor:
        """[V] millimetres along the normals that the skin is moved."""
        if not self._options.reach:
            return torch.zeros_like(self.along)
        reach = self._options.reach
        wanted = self.along + self.coefficients @ self._block.modes
        return self._block.free * reach * torch.tanh(wanted / reach)

    def relief(self) -> Tensor:
        """[R, R, 2] the slopes that are carved, without those that the skin has."""
        return self._block.open_to * STEEPEST * torch.tanh(self.slopes / STEEPEST)

    def forward(self) -> Carved:
        """The skin as it is carved now."""
        block, relief = self._block, self.relief()
        shift = self.moved_mm()[:, None] / MM * block.normals
        rough = laplacian_loss(shift, block.skin.faces, like=block.skin.vertices)
        drift = self.coefficients.square().mean()
        return Carved(block.skin.vertices + shift, block.own + relief, drift, rough, unevenness(relief))

    @torch.no_grad()
    def finished(self) -> Part:
        """The skin with its shape carved, in all its expressions."""
        return replace(self._block.skin, vertices=self().vertices)

    @torch.no_grad()
    def worn(self, normal: np.ndarray | None) -> np.ndarray:
        """The normal map [S, S, 3] uint8 of the skin with what is carved over its own."""
        slopes = STEEPEST * torch.tanh(self.slopes / STEEPEST)
        large = _resized(slopes, len(self._block.bare)).cpu().numpy() * self._block.bare[..., None]
        return over(normal, large.astype(np.float32))


def unevenness(slopes: Tensor) -> Tensor:
    """Mean square of gradient and Laplacian of a map [R, R, 2] from texel to texel; a scalar."""
    image = slopes.permute(2, 0, 1)[:, None]
    gradient = sum(image.diff(dim=axis).square().mean() for axis in (2, 3))
    stencil = slopes.new_tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
    return gradient + F.conv2d(image, stencil).square().mean()


def _resized(image: Tensor, side: int) -> Tensor:
    """[side, side, C] of an image [S, S, C]: averaged where it shrinks, smooth where it grows."""
    mode = {"mode": "area"} if side <= len(image) else {"mode": "bicubic", "align_corners": False}
    return F.interpolate(image.permute(2, 0, 1)[None], size=(side, side), **mode)[0].permute(1, 2, 0).contiguous()
