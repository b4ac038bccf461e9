"""The carrier `template`: the template head with a smooth displacement that the geometry guidance shapes.

    skin of an expression = rest + normal * d(x) + template's motion + m(x, code)

d and m are small networks over one hash grid on the head at rest; m is modulated by the expression's 32-d code, as in
ID-to-3D. Both start at zero, and reach nowhere where skin lies against eyes and inside the mouth. Other parts keep
their shape. Metres everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from idto3d.config import ShapeOptions
from idto3d.fields.hash_grid import BoxEncoding
from idto3d.fields.modulated import CODE_SIZE, ExpressionTransformer, ModulatedMlp, SmallMlp
from idto3d.geometry.mesh import vertex_normals
from idto3d.geometry.regularisers import laplacian_loss
from idto3d.head.parts import Head, Part
from idto3d.head.shape import Grown
from idto3d.render.rasterizer import Rasterizer

TRANSFORMER_LAYERS = 4  # as in ID-to-3D
MARGIN = 0.01  # metres around the head that the grid covers
USUAL_MOVE_M = 0.004  # motion of the template at which the networks may change an expression fully


@dataclass(frozen=True, eq=False)
class Rest:
    """A head at rest, in all its expressions, and where it may still change.

    The first part of `head` is the skin. free [V]: 0..1, how far each vertex of the skin may be moved; held [V]: about
    1, how firmly it is kept where it is. coefficients [K] are the template's.
    """

    head: Head
    free: Tensor
    held: Tensor
    coefficients: Tensor


class Displacement(nn.Module):
    """d [V] and m [E, V, 3] in metres at `points` [V, 3] of the skin, for each of `count` expressions."""

    def __init__(self, points: Tensor, count: int, options: ShapeOptions, generator: torch.Generator | None):
        super().__init__()
        box = tuple(tuple(corner.tolist()) for corner in (points.amin(0) - MARGIN, points.amax(0) + MARGIN))
        self._options = options
        self.encoding = BoxEncoding(options.hash_grid, box, points.device, generator)
        channels = self.encoding.out_channels
        self.residual = SmallMlp(channels, 1, generator=generator)
        self.codes = nn.Parameter(torch.randn(count, CODE_SIZE, generator=generator))
        self.transformer = ExpressionTransformer(TRANSFORMER_LAYERS, 0, generator)
        self.modulated = ModulatedMlp(channels, 3, generator)
        self.to(points.device)
        self._prepared = self.encoding.prepare(points)

    def forward(self, expression_ids: Sequence[int]) -> tuple[Tensor, Tensor]:
        """d [V] and m [E, V, 3] of the expressions of these ids."""
        features = self.encoding.lookup(self._prepared)
        film = self.transformer(self.codes[list(expression_ids)])
        moved = self._options.warp_scale * self.modulated(features, film)
        return self._options.residual_scale * self.residual(features)[:, 0], moved


class TemplateShape:
    """A `head.shape.ShapeCarrier`. The first `learned` expressions of the head are those the guidance refines."""

    def __init__(
        self,
        rest: Rest,
        learned: int,
        options: ShapeOptions,
        rasterizer: Rasterizer,
        generator: torch.Generator | None = None,
    ):
        self._rest, self._options, self._learned, self.rasterizer = rest, options, learned, rasterizer
        self._skin = rest.head.parts[0]
        self._normals = vertex_normals(self._skin.vertices, self._skin.faces)
        self._field = Displacement(self._skin.vertices, learned, options, generator)
        reach = self._skin.displacements[:learned].norm(dim=-1, keepdim=True) / USUAL_MOVE_M
        self._mobile = reach.clamp(max=1) * rest.free[:, None]  # [E, V, 1]; none where the template does not move

    @property
    def module(self) -> nn.Module:
        """The displacement's networks."""
        return self._field

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """All parameters, at the learning rate."""
        return [(list(self._field.parameters()), self._options.learning_rate)]

    def refresh(self, step: int) -> None:
        """Nothing: a mesh has no band."""

    def grow(self, expression_ids: Sequence[int]) -> Grown:
        """See `ShapeCarrier.grow`; a mesh never vanishes."""
        ids = list(expression_ids)
        along, moved = self._field(ids)
        moved = self._mobile[ids] * moved
        shift = (self._rest.free * along)[:, None] * self._normals
        skin = self._moved_skin(shift, ids, moved)
        roughness = laplacian_loss(shift, skin.faces, like=self._skin.vertices)
        strayed = (self._rest.held * (1000 * along).square()).mean() + 1e6 * moved.square().sum(-1).mean()
        return Grown(self._head(skin, ids), roughness, strayed, along.new_zeros(()))

    @torch.no_grad()
    def finished(self) -> Head:
        """The whole head; expressions that were not refined move as the template does."""
        count = len(self._rest.head.expressions)
        along, learned = self._field(range(self._learned))
        moved = torch.cat([self._mobile * learned, learned.new_zeros(count - self._learned, *learned.shape[1:])])
        skin = self._moved_skin((self._rest.free * along)[:, None] * self._normals, list(range(count)), moved)
        return self._head(skin, list(range(count)))

    def coefficients(self) -> Tensor:
        """[K], those of the template, which stay."""
        return self._rest.coefficients

    def kept(self) -> dict[str, Tensor]:
        """Nothing besides the networks."""
        return {}

    def restore(self, kept: Mapping[str, Tensor]) -> None:
        """Nothing besides the networks."""

    def _moved_skin(self, shift: Tensor, ids: list[int], moved: Tensor) -> Part:
        part = self._skin
        displacements = part.displacements[ids] + moved
        return replace(part, vertices=part.vertices + shift, displacements=displacements)

    def _head(self, skin: Part, ids: list[int]) -> Head:
        others = [replace(part, displacements=part.displacements[ids]) for part in self._rest.head.parts[1:]]
        names = tuple(self._rest.head.expressions[place] for place in ids)
        return Head(names, (skin, *others))
