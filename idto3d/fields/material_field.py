"""The colour and gloss of a head's surface, per expression: a hash grid over the canonical surface, modulated."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from idto3d.config import MaterialOptions
from idto3d.fields.hash_grid import Box, BoxEncoding
from idto3d.fields.modulated import CODE_SIZE, ExpressionTransformer, ModulatedMlp
from idto3d.render.material import Material

TRANSFORMER_LAYERS = 3  # layers of the transformer, as in ID-to-3D
ROUGHNESS = (0.08, 0.98)
METALLIC = (0.0, 0.9)
START_ROUGHNESS = 0.5
START_METALLIC = 0.02  # skin is no metal
DARKEST = 1e-3  # a starting albedo is kept this far from 0 and 1, where a sigmoid is flat


@dataclass(frozen=True, eq=False, kw_only=True)
class FieldMaterial(Material):
    """The material with roughness in 0.08..0.98 and metallic in 0..0.9, and where it came from.

    start [..., 3] is the linear albedo that the field started from, held [..., 1] how far it is vouched for, both
    0..1.
    """

    start: Tensor
    held: Tensor


@dataclass(frozen=True, eq=False)
class PreparedSurface:
    """What stays the same at N surface points; `start` [N, 5] are the starting values before their sigmoids.

    `held` [N, 1] is as in FieldMaterial.
    """

    encoded: Any
    start: Tensor
    held: Tensor


class MaterialField(nn.Module):
    """Material at canonical surface points for each of `expressions`.

    `box` are the low and high corner of the space in metres.
    """

    def __init__(
        self,
        expressions: Sequence[str],
        options: MaterialOptions,
        box: Box,
        *,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ):
        super().__init__()
        self.expressions = tuple(expressions)
        self.codes = nn.Parameter(torch.randn(len(self.expressions), CODE_SIZE, generator=generator))
        self.encoding = BoxEncoding(options.hash_grid, box, device, generator)
        self.transformer = ExpressionTransformer(TRANSFORMER_LAYERS, 0, generator)
        self.modulated = ModulatedMlp(self.encoding.out_channels, 5, generator)
        self.to(device)

    def forward(self, points: Tensor, expression_ids: Sequence[int]) -> FieldMaterial:
        """Material [E, N, ...] at canonical `points` [N, 3] metres in the expressions of these ids."""
        return self.at(self.prepare(points), expression_ids)

    @torch.no_grad()
    def material(self, points: Tensor, expression_id: int) -> Material:
        """Material [N, ...] at canonical `points` [N, 3] metres in one expression, without gradients."""
        values = self(points, [expression_id])
        return Material(values.albedo[0], values.roughness[0], values.metallic[0])

    @torch.no_grad()
    def prepare(self, points: Tensor) -> PreparedSurface:
        """What can be computed once for points [N, 3] that are asked for again and again; they start from grey."""
        return self.prepared(points, torch.full_like(points, 0.5), torch.zeros_like(points[:, :1]))

    @torch.no_grad()
    def prepared(self, points: Tensor, albedo: Tensor, held: Tensor) -> PreparedSurface:
        """The same for points that start from linear `albedo` [N, 3], vouched for by `held` [N, 1]."""
        gloss = (START_ROUGHNESS, ROUGHNESS), (START_METALLIC, METALLIC)
        rest = points.new_tensor([(value - low) / (high - low) for value, (low, high) in gloss])
        start = torch.cat([albedo, rest.expand(len(points), 2)], -1)
        return PreparedSurface(self.encoding.prepare(points), torch.logit(start, DARKEST), held)

    def at(self, prepared: PreparedSurface, expression_ids: Sequence[int]) -> FieldMaterial:
        """Material [E, N, ...] at prepared points in the expressions of these ids."""
        film = self.transformer(self.codes[list(expression_ids)])
        change = self.modulated(self.encoding.lookup(prepared.encoded), film)
        share = torch.sigmoid(prepared.start + change)
        start = torch.sigmoid(prepared.start[..., :3])
        rough, metal = _within(share[..., 3:4], ROUGHNESS), _within(share[..., 4:5], METALLIC)
        return FieldMaterial(share[..., :3], rough, metal, start=start, held=prepared.held)


def _within(share: Tensor, limits: tuple[float, float]) -> Tensor:
    low, high = limits
    return low + (high - low) * share
