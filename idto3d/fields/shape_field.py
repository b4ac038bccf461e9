"""The shape of a head: a signed distance over a deformable grid, and a displacement per expression.

    distance = union(prior's head at z0 and its beard, prior's hair) + prior's modes (z - z0) + learned residual
    grid     = lattice + learned offsets, less than half a cell
    position = canonical vertex + (amplitude * prior's displacement + learned displacement), on the front alone

All that is learned is read at the lattice and carried to the mesh along the grid's edges, so one look into the hash
grid serves shape and motion. A field starts exactly at its prior. z0 is the z of the moment a band was first used:
the prior's own distance is not linear in z, and a new band takes it up anew. Metres everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from idto3d.config import ShapeOptions
from idto3d.fields.hash_grid import BoxEncoding
from idto3d.fields.modulated import CODE_SIZE, ExpressionTransformer, Film, ModulatedMlp, SmallMlp
from idto3d.words.expressions import NAMES

OFFSET_LIMIT = 0.45  # largest offset of a lattice vertex along an axis, in spacings
BLEND = 0.004  # metres over which hair and skin are rounded into each other
DEPTH = 4  # layers of the transformer, as in ID-to-3D
CHUNK = 65536
STILL = (-0.03, -0.005)  # metres of z between which expressions begin to move the head; behind it is the skull


class Prior(Protocol):
    """What a shape starts from; see HeadPrior for the meaning of each method."""

    def basis(self, points: Tensor) -> Any:
        """An object with mean [N], modes [N, K] and hair [N, S] distances at `points` [N, 3], metres."""

    def distance(self, points: Tensor, z: Tensor) -> Tensor:
        """Distance [N] of the bald head of coefficients `z` [K], about `mean + modes @ z`, metres."""

    def beard(self, points: Tensor, z: Tensor) -> Tensor:
        """[N, B] metres by which each beard thickens the head of coefficients `z` [K]."""

    def warp(self, points: Tensor, z: Tensor | None = None) -> Tensor:
        """Displacement [N, 13, 3] of every expression, metres."""


class Meshed(NamedTuple):
    """canonical [V, 3] metres; faces [F, 3] int64; positions [E, V, 3] metres, one per expression asked for.

    `strayed` is how far the networks moved distances and expressions from the prior's: mean squares, in square
    millimetres.
    """

    canonical: Tensor
    faces: Tensor
    positions: Tensor
    strayed: Tensor


@dataclass(frozen=True, eq=False)
class Prepared:
    """What stays the same at P lattice points: encoding, and the prior about the coefficients `z`.

    base [P] is the distance at `z`, modes [P, K] its change; warp [P, E, 3] is None where none is needed.
    """

    points: Tensor
    encoded: Any
    base: Tensor
    modes: Tensor
    z: Tensor
    warp: Tensor | None


@dataclass(frozen=True, eq=False)
class ShapeStart:
    """What of the prior a shape starts from; None stands for zeros, for none.

    z [K] are its shape coefficients; `style` [S] weighs its hair volumes, `beard` [B] its beards.
    """

    z: Tensor | None = None
    style: Tensor | None = None
    beard: Tensor | None = None


class ShapeField(nn.Module):
    """Signed distance, grid offsets and expression displacement of one head.

    `grid` has vertices [N, 3] and spacing (TetGrid); a `band` of it has points [P] and march() (Band). The
    prior is frozen, is not part of the state, and must live on the grid's device.
    """

    def __init__(
        self,
        grid,
        prior: Prior,
        expressions: Sequence[str],
        options: ShapeOptions,
        *,
        start: ShapeStart = ShapeStart(),
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self.expressions = tuple(expressions)
        self.options = options
        self._grid, self._prior = grid, (prior,)  # in a tuple, so that the prior does not become a submodule
        self._prepared: WeakKeyDictionary = WeakKeyDictionary()
        self._known: dict[int, Tensor] = {}
        self._add_start(start, generator)
        self._add_networks(generator)
        self.to(grid.vertices.device)

    def _add_start(self, start: ShapeStart, generator: torch.Generator | None) -> None:
        sample = self._prior[0].basis(self._grid.vertices[:1])
        for name, weights, kept in (("style", start.style, True), ("beard", start.beard, False)):
            self.register_buffer(name, _given(weights, 0), persistent=kept)
        self.z = nn.Parameter(_given(start.z, sample.modes.shape[1]))
        self.register_buffer("start_z", self.z.detach().clone())
        self.amplitude = nn.Parameter(torch.ones(len(self.expressions)))
        self.codes = nn.Parameter(torch.randn(len(self.expressions), CODE_SIZE, generator=generator))

    def _add_networks(self, generator: torch.Generator | None) -> None:
        vertices = self._grid.vertices
        box = tuple(tuple(corner.tolist()) for corner in (vertices.amin(0), vertices.amax(0)))
        self.encoding = BoxEncoding(self.options.hash_grid, box, vertices.device, generator)
        channels = self.encoding.out_channels
        self.residual = SmallMlp(channels, 4, generator=generator)
        self.transformer = ExpressionTransformer(DEPTH, len(self.z), generator)
        self.modulated = ModulatedMlp(channels, 4 if self.options.conditioned_sdf else 3, generator)

    def latent_parameters(self) -> list[nn.Parameter]:
        """Those the prior gives a meaning to: shape coefficients and expression amplitudes."""
        return [self.z, self.amplitude]

    def network_parameters(self) -> list[nn.Parameter]:
        """All others: hash grid, networks and codes."""
        latent = {id(parameter) for parameter in self.latent_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in latent]

    def mesh(self, band, expression_ids: Sequence[int]) -> Meshed:
        """The canonical surface in `band` and its positions in the expressions of these ids (places in `expressions`).

        With `conditioned_sdf` the surface is the one all expressions share on average. Raises EmptyMesh.
        """
        prepared = self._at(band)
        features = self.encoding.lookup(prepared.encoded)
        output = self.residual(features)
        sdf, positions = self._surface(prepared, output)
        crossing = band.march(positions, sdf)
        warp, learned = self._displacement(prepared, features, crossing.interpolate, expression_ids)
        moved = crossing.vertices + movable(crossing.vertices.detach()) * (warp + learned)
        strayed = self._strayed(output) + 1e6 * learned.square().sum(-1).mean()
        return Meshed(crossing.vertices, crossing.faces, moved, strayed)

    def meshes(self, bands: Sequence, expression_ids: Sequence[int]) -> list[Meshed]:
        """One mesh per expression, each in its own band; for `conditioned_sdf`. Raises EmptyMesh."""
        return [self._own_mesh(band, place) for band, place in zip(bands, expression_ids, strict=True)]

    @torch.no_grad()
    def grid_sdf(self, band=None, expression_id: int | None = None) -> Tensor:
        """Signed distance [N] at every grid vertex, to make a band from.

        With `band` only its points are computed and the rest is what the last call found (all, if there was none).
        `expression_id` asks for the distance of one expression; for `conditioned_sdf`.
        """
        key = -1 if expression_id is None else expression_id
        if band is None or key not in self._known:
            parts = self._grid.vertices.split(CHUNK)
            self._known[key] = torch.cat([self._distance(self._prepare(part, False), expression_id) for part in parts])
        else:
            self._known[key][band.points] = band.hold(self._distance(self._at(band), expression_id))
        return self._known[key].clone()

    def _own_mesh(self, band, place: int) -> Meshed:
        prepared = self._at(band)
        features = self.encoding.lookup(prepared.encoded)
        output = self.residual(features) + self._modulation(features, [place])[0]
        sdf, positions = self._surface(prepared, output)
        crossing = band.march(positions, sdf)
        warp = crossing.interpolate(prepared.warp[:, place]) * self.amplitude[place]
        moved = crossing.vertices + movable(crossing.vertices.detach()) * warp
        return Meshed(crossing.vertices, crossing.faces, moved[None], self._strayed(output))

    def _distance(self, prepared: Prepared, expression_id: int | None) -> Tensor:
        features = self.encoding.lookup(prepared.encoded)
        output = self.residual(features)
        if expression_id is not None and self.options.conditioned_sdf:
            output = output + self._modulation(features, [expression_id])[0]
        return self._surface(prepared, output)[0]

    def _surface(self, prepared: Prepared, output: Tensor) -> tuple[Tensor, Tensor]:
        """Distance [P] and deformed lattice positions [P, 3] from the networks' `output` [P, 4]."""
        sdf = prepared.base + prepared.modes @ (self.z - prepared.z) + self.options.residual_scale * output[:, 0]
        reach = OFFSET_LIMIT * self._grid.spacing
        return sdf, prepared.points + reach * torch.tanh(output[:, 1:])

    def _strayed(self, output: Tensor) -> Tensor:
        return (1000 * self.options.residual_scale * output[:, 0]).square().mean()

    def _displacement(
        self, prepared: Prepared, features: Tensor, carry: Callable[[Tensor], Tensor], ids: Sequence[int]
    ) -> tuple[Tensor, Tensor]:
        """Displacements [E, V, 3] of the mesh vertices: the prior's, and what the networks add.

        `carry` takes values from the lattice [P, C] to the vertices [V, C].
        """
        warp = carry(prepared.warp[:, list(ids)].flatten(1)).view(-1, len(ids), 3).transpose(0, 1)
        warp = self.amplitude[list(ids)][:, None, None] * warp
        if self.options.conditioned_sdf:
            return warp, torch.zeros_like(warp)
        return warp, self.options.warp_scale * self._modulation(carry(features), ids)

    def _modulation(self, features: Tensor, ids: Sequence[int]) -> Tensor:
        """The modulated network's output [E, ..., C] for the expressions `ids`."""
        return self.modulated(features, self._film(ids))

    def _film(self, ids: Sequence[int]) -> Film:
        return self.transformer(self.codes[list(ids)], self.z.detach() if len(self.z) else None)

    def _at(self, band) -> Prepared:
        """The prepared points of `band`, made on first use with the z of that moment, kept while the band lives."""
        if band not in self._prepared:
            self._prepared[band] = self._prepare(self._grid.vertices[band.points], True)
        return self._prepared[band]

    @torch.no_grad()
    def _prepare(self, points: Tensor, with_warp: bool) -> Prepared:
        prior, z = self._prior[0], self.z.detach().clone()
        basis, base = prior.basis(points), prior.distance(points, z)
        if len(self.beard):
            base = base - prior.beard(points, z) @ self.beard
        if len(self.style):
            base = smooth_union(base, basis.hair @ self.style + basis.modes @ z, BLEND)
        columns = [NAMES.index(name) for name in self.expressions]
        warp = prior.warp(points, z)[:, columns].contiguous() if with_warp else None
        return Prepared(points, self.encoding.prepare(points), base, basis.modes.contiguous(), z, warp)


def _given(values: Tensor | None, size: int) -> Tensor:
    return torch.zeros(size) if values is None else values.detach().clone().float()


def movable(points: Tensor) -> Tensor:
    """[N, 1] share of an expression's displacement at canonical `points` [N, 3] metres: none behind the ears."""
    low, high = STILL
    share = ((points[:, 2:] - low) / (high - low)).clamp(0, 1)
    return share.square() * (3 - 2 * share)


def smooth_union(first: Tensor, second: Tensor, blend: float) -> Tensor:
    """The lesser of two distances, rounded where they differ by less than `blend` metres.

    The quadratic form of https://iquilezles.org/articles/smin.
    """
    overlap = (blend - (first - second).abs()).clamp_min(0) / blend
    return torch.minimum(first, second) - overlap.square() * (blend / 4)
