"""The first carrier of a head's shape: one signed distance field over a deformable tetrahedral grid.

The field is evaluated in a narrow band about its surface, which is rebuilt every few steps. All of the head is one
closed part.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from idto3d.config import ShapeOptions
from idto3d.fields.shape_field import Meshed, Prepared, Prior, ShapeField
from idto3d.geometry.dmtet import Band, EmptyMesh, narrow_band, without_islands
from idto3d.geometry.regularisers import laplacian_loss, largest_component
from idto3d.geometry.tet_grid import make_tet_grid
from idto3d.head.parts import Head, Part
from idto3d.head.shape import Grown, ShapeVanished
from idto3d.head.start import Start
from idto3d.render.backend import make_rasterizer

PART, MATERIAL = "head", "skin"
POINTS_AT_ONCE = 65536


class TetrahedralShape:
    """A `head.shape.ShapeCarrier`. It holds the grid, the band, and the last state that had a surface.

    `generator` gives the networks their first values. Raises EmptyMesh where the prior has no surface.
    """

    def __init__(
        self,
        start: Start,
        prior: Prior,
        expressions: Sequence[str],
        options: ShapeOptions,
        generator: torch.Generator | None = None,
    ):
        self._options = options
        self.rasterizer = make_rasterizer(start.coefficients.device)
        self._grid = make_tet_grid(options.resolution).to(start.coefficients.device)
        self._field = ShapeField(self._grid, prior, expressions, options, start=start, generator=generator)
        self._sdf: Tensor = self._everywhere()
        self._band, self._prepared = self._about(self._sdf, self.coefficients())
        self._good = self._state()

    @property
    def module(self) -> nn.Module:
        """The field."""
        return self._field

    def groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Coefficients and amplitudes at the latent rate, everything else at the learning rate."""
        field, options = self._field, self._options
        return [(field.latent_parameters(), options.latent_rate), (field.network_parameters(), options.learning_rate)]

    def refresh(self, step: int) -> None:
        """Every `options.refresh` steps the band is rebuilt, and the field as it is becomes the last good state.

        Of the grid only the neighbourhood of the old band is evaluated. Raises ShapeVanished.
        """
        if not step or step % self._options.refresh:
            return
        try:
            self._sdf = self._sdf.clone()
            self._sdf[self._band.points] = self._band.hold(self._field.distance(self._prepared))
            self._band, self._prepared = self._about(self._sdf, self.coefficients())
        except EmptyMesh:
            self._go_back()
        self._good = self._state()

    def grow(self, expression_ids: Sequence[int]) -> Grown:
        """See `ShapeCarrier.grow`."""
        field = self._field
        try:
            meshed = field.mesh(self._band, self._prepared, expression_ids)
        except EmptyMesh:
            self._go_back()
        names = tuple(field.expressions[place] for place in expression_ids)
        roughness = laplacian_loss(meshed.canonical, meshed.faces)
        shifted = (field.z - field.start_z).square().mean()
        return Grown(_head(meshed, names), roughness, meshed.strayed, shifted)

    @torch.no_grad()
    def finished(self) -> Head:
        """The surface of the whole grid, its largest connected piece alone: a solid has no floating bits."""
        self._sdf = self._everywhere()
        self._band, self._prepared = self._about(self._sdf, self.coefficients())
        meshed = self._field.mesh(self._band, self._prepared, range(len(self._field.expressions)))
        kept, faces = largest_component(meshed.faces, len(meshed.canonical))
        whole = Meshed(meshed.canonical[kept], faces, meshed.displacements[:, kept], meshed.strayed)
        return _head(whole, self._field.expressions)

    def skin_share(self, points: Tensor) -> Tensor:
        """[N] 0..1: how far the surface at canonical `points` [N, 3] is skin, neither hair nor a beard's."""
        return torch.cat([self._field.skin_share(part) for part in points.split(POINTS_AT_ONCE)])

    def coefficients(self) -> Tensor:
        """[K], as the field has them now."""
        return self._field.z.detach().clone()

    def kept(self) -> dict[str, Tensor]:
        """The distances that the band was made from, the coefficients of that moment, and the last good state."""
        good = {f"good.{name}": value for name, value in self._good.items()}
        return {"band.sdf": self._sdf, "band.z": self._prepared.z} | good

    def restore(self, kept: Mapping[str, Tensor]) -> None:
        """Make the same band again."""
        device = self._grid.vertices.device
        self._good = {name: kept[f"good.{name}"].to(device).clone() for name in self._field.state_dict()}
        self._sdf = kept["band.sdf"].to(device)
        self._band, self._prepared = self._about(self._sdf, kept["band.z"].to(device))

    def _everywhere(self) -> Tensor:
        """The field's distance [N] at every vertex of the grid, metres."""
        parts, z = self._grid.vertices.split(POINTS_AT_ONCE), self.coefficients()
        return torch.cat([self._field.distance(self._field.prepare(part, z, False)) for part in parts])

    def _about(self, sdf: Tensor, z: Tensor) -> tuple[Band, Prepared]:
        """The narrow band about the surface of `sdf` [N], and its points prepared about `z` [K]. Raises EmptyMesh."""
        width = self._options.band_cells * self._grid.spacing
        band = narrow_band(self._grid, without_islands(self._grid, sdf), width)
        return band, self._field.prepare(self._grid.vertices[band.points], z)

    def _state(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self._field.state_dict().items()}

    def _go_back(self) -> None:
        """Return to the last good state and say so by raising ShapeVanished."""
        self._field.load_state_dict(self._good)
        self._sdf = self._everywhere()
        self._band, self._prepared = self._about(self._sdf, self.coefficients())
        raise ShapeVanished


def _head(meshed: Meshed, names: tuple[str, ...]) -> Head:
    part = Part(PART, meshed.canonical, meshed.faces, meshed.displacements, MATERIAL)
    return Head(names, (part,))
