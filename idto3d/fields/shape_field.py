"""The signed distance of a head over a deformable grid, and a displacement per expression.

    distance = union(prior's head at z0 and its beard, prior's hair) + prior's modes (z - z0) + learned residual
    grid     = lattice + learned offsets, less than half a cell
    position = canonical vertex + (amplitude * prior's displacement + learned displacement), on the front alone

All that is learned is read at the lattice and carried to the mesh along the grid's edges, so one look into the hash
grid serves shape and motion. A field starts exactly at its prior. z0 is the z of the moment a band was made: the
prior's own distance is not linear in z, and a new band takes it up anew. Metres everywhere.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from idto3d.config import ShapeOptions
from idto3d.fields.hash_grid import BoxEncoding
from idto3d.fields.modulated import CODE_SIZE, ExpressionTransformer, Film, ModulatedMlp, SmallMlp
from idto3d.geometry.dmtet import Band
from idto3d.geometry.tet_grid import TetGrid
from idto3d.head.start import Start
from idto3d.words.expressions import NAMES
from idto3d.words.traits import BEARDS, HAIR_STYLES, SHAVEN, STYLES

OFFSET_LIMIT_CELLS = 0.45  # largest offset of a lattice vertex along an axis, in spacings
HAIR_BLEND_M = 0.004  # metres over which hair and skin are rounded into each other
BEARD_M = 0.002  # thickness from which a beard hides the skin's shape
TRANSFORMER_LAYERS = 4  # as in ID-to-3D
MOVABLE_FROM_Z_M = (-0.03, -0.005)  # metres between which expressions begin to move the head; behind it is the skull


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
    """canonical [V, 3] metres; faces [F, 3] int64; displacements [E, V, 3] metres to each expression asked for.

    `strayed` is how far the networks moved distances and expressions from the prior's: mean squares, in square
    millimetres.
    """

    canonical: Tensor
    faces: Tensor
    displacements: Tensor
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


class ShapeField(nn.Module):
    """Signed distance, grid offsets and expression displacement of one head, which starts as `start` says.

    The prior is frozen, is not part of the state, and must live on the grid's device.
    """

    def __init__(
        self,
        grid: TetGrid,
        prior: Prior,
        expressions: Sequence[str],
        options: ShapeOptions,
        *,
        start: Start,
        generator: torch.Generator | None = None,
    ):
        super().__init__()
        self.expressions = tuple(expressions)
        self.options = options
        self._grid, self._prior = grid, (prior,)  # in a tuple, so that the prior does not become a submodule
        self._add_start(start, generator)
        self._add_networks(generator)
        self.to(grid.vertices.device)

    def _add_start(self, start: Start, generator: torch.Generator | None) -> None:
        words = start.words()
        style, beard = words.get("hair_style", ""), words.get("beard", SHAVEN)
        grows = style in STYLES and STYLES[style].grows
        self.register_buffer("hair_style", one_hot(HAIR_STYLES, style if grows else ""), persistent=False)
        self.register_buffer("beard", one_hot(BEARDS, beard if beard != SHAVEN else ""), persistent=False)
        self.z = nn.Parameter(start.coefficients.detach().clone().float())
        self.register_buffer("start_z", self.z.detach().clone())
        self.amplitude = nn.Parameter(torch.ones(len(self.expressions)))
        self.codes = nn.Parameter(torch.randn(len(self.expressions), CODE_SIZE, generator=generator))

    def _add_networks(self, generator: torch.Generator | None) -> None:
        vertices = self._grid.vertices
        box = tuple(tuple(corner.tolist()) for corner in (vertices.amin(0), vertices.amax(0)))
        self.encoding = BoxEncoding(self.options.hash_grid, box, vertices.device, generator)
        channels = self.encoding.out_channels
        self.residual = SmallMlp(channels, 4, generator=generator)
        self.transformer = ExpressionTransformer(TRANSFORMER_LAYERS, len(self.z), generator)
        self.modulated = ModulatedMlp(channels, 3, generator)

    def latent_parameters(self) -> list[nn.Parameter]:
        """Those the prior gives a meaning to: shape coefficients and expression amplitudes."""
        return [self.z, self.amplitude]

    def network_parameters(self) -> list[nn.Parameter]:
        """All others: hash grid, networks and codes."""
        latent = {id(parameter) for parameter in self.latent_parameters()}
        return [parameter for parameter in self.parameters() if id(parameter) not in latent]

    @torch.no_grad()
    def prepare(self, points: Tensor, z: Tensor, with_warp: bool = True) -> Prepared:
        """What can be worked out once for lattice `points` [P, 3] metres, about the coefficients `z` [K]."""
        prior = self._prior[0]
        basis, base = prior.basis(points), prior.distance(points, z)
        if len(self.beard):
            base = base - prior.beard(points, z) @ self.beard
        if len(self.hair_style):
            base = smooth_union(base, basis.hair @ self.hair_style + basis.modes @ z, HAIR_BLEND_M)
        columns = [NAMES.index(name) for name in self.expressions]
        warp = prior.warp(points, z)[:, columns].contiguous() if with_warp else None
        return Prepared(points, self.encoding.prepare(points), base, basis.modes.contiguous(), z, warp)

    @torch.no_grad()
    def distance(self, prepared: Prepared) -> Tensor:
        """Signed distance [P] at prepared points, metres."""
        return self._surface(prepared, self.residual(self.encoding.lookup(prepared.encoded)))[0]

    @torch.no_grad()
    def skin_share(self, points: Tensor) -> Tensor:
        """[N] 0..1: how far the surface at canonical `points` [N, 3] metres is skin, neither hair nor a beard's."""
        prior, z = self._prior[0], self.z.detach()
        share = torch.ones_like(points[:, 0])
        if len(self.hair_style):
            basis = prior.basis(points)
            above = basis.hair @ self.hair_style + basis.modes @ z - prior.distance(points, z)
            share = share * (above / HAIR_BLEND_M).clamp(0, 1)
        if len(self.beard):
            share = share * (1 - prior.beard(points, z) @ self.beard / BEARD_M).clamp(0, 1)
        return share

    def mesh(self, band: Band, prepared: Prepared, expression_ids: Sequence[int]) -> Meshed:
        """The canonical surface in `band` and its displacements to the expressions of these ids.

        `prepared` are the band's points; ids are places in `expressions`. Raises EmptyMesh.
        """
        features = self.encoding.lookup(prepared.encoded)
        output = self.residual(features)
        sdf, positions = self._surface(prepared, output)
        crossing = band.march(positions, sdf)
        warp, learned = self._displacement(prepared, features, crossing.interpolate, expression_ids)
        moved = movable(crossing.vertices.detach()) * (warp + learned)
        strayed = self._strayed(output) + 1e6 * learned.square().sum(-1).mean()
        return Meshed(crossing.vertices, crossing.faces, moved, strayed)

    def _surface(self, prepared: Prepared, output: Tensor) -> tuple[Tensor, Tensor]:
        """Distance [P] and deformed lattice positions [P, 3] from the networks' `output` [P, 4]."""
        sdf = prepared.base + prepared.modes @ (self.z - prepared.z) + self.options.residual_scale * output[:, 0]
        reach = OFFSET_LIMIT_CELLS * self._grid.spacing
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
        return warp, self.options.warp_scale * self.modulated(carry(features), self._film(ids))

    def _film(self, ids: Sequence[int]) -> Film:
        return self.transformer(self.codes[list(ids)], self.z.detach() if len(self.z) else None)


def one_hot(choices: tuple[str, ...], word: str) -> Tensor:
    """[len(choices)] one for `word`, zero for all others; empty without a word."""
    return torch.eye(len(choices))[choices.index(word)] if word else torch.zeros(0)


def movable(points: Tensor) -> Tensor:
    """[N, 1] share of an expression's displacement at canonical `points` [N, 3] metres: none behind the ears."""
    low, high = MOVABLE_FROM_Z_M
    share = ((points[:, 2:] - low) / (high - low)).clamp(0, 1)
    return share.square() * (3 - 2 * share)


def smooth_union(first: Tensor, second: Tensor, blend: float) -> Tensor:
    """The lesser of two distances, rounded where they differ by less than `blend` metres.

    The quadratic form of https://iquilezles.org/articles/smin.
    """
    overlap = (blend - (first - second).abs()).clamp_min(0) / blend
    return torch.minimum(first, second) - overlap.square() * (blend / 4)
