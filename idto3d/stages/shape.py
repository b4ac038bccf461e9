"""Growing the shape: normal maps of random views, judged by the geometry guidance."""

from collections.abc import Generator, Mapping
from typing import Protocol

import torch
from torch import Tensor

from idto3d.config import HeadOptions
from idto3d.events import Event, Notice, Preview, StageStarted, StepDone
from idto3d.fields.shape_field import Prior, ShapeField, ShapeStart
from idto3d.geometry.dmtet import Band, EmptyMesh, narrow_band, without_islands
from idto3d.geometry.regularisers import laplacian_loss, largest_component
from idto3d.geometry.tet_grid import make_tet_grid
from idto3d.guidance.distillation import distil
from idto3d.guidance.schedules import draw_timesteps, shape_range
from idto3d.head.parts import HeadShape
from idto3d.render.camera import standard_cameras
from idto3d.render.draw import draw_normals, to_uint8
from idto3d.render.rasterizer import Rasterizer
from idto3d.stages.optimise import Optimiser
from idto3d.stages.wish import Wish, as_pictures, draw_views, terms

STAGE = "shape"
PREVIEW_SIZE = 256


class Checkpoints(Protocol):
    """Where a stage saves itself; see jobs.checkpoint."""

    def due(self) -> bool: ...

    def save(self, stage: str, step: int, tensors: Mapping[str, Tensor], state: dict, force: bool = False) -> bool: ...


def grow_shape(
    wish: Wish,
    prior: Prior,
    start: ShapeStart,
    options: HeadOptions,
    rasterizer: Rasterizer,
    checkpoints: Checkpoints,
    resumed: tuple[int, Mapping[str, Tensor]] | None = None,
) -> Generator[Event, None, tuple[HeadShape, Tensor]]:
    """Optimise a head's shape and expressions; returns the shape on one topology and z [K].

    resumed: step and tensors of a checkpoint of this stage.
    """
    told = options.shape
    generator = torch.Generator().manual_seed(options.seed)
    grid = make_tet_grid(told.resolution).to(wish.device())
    field = ShapeField(grid, prior, wish.expressions, told, start=start, generator=generator)
    groups = [(field.latent_parameters(), told.latent_rate), (field.network_parameters(), told.learning_rate)]
    optimiser = Optimiser(field, groups, told.steps)
    if resumed is not None:
        optimiser.load(resumed[1], resumed[0])
        generator.set_state(resumed[1]["random"].cpu())
    yield StageStarted(STAGE, told.steps)
    yield from _steps(wish, field, optimiser, grid, options, rasterizer, checkpoints, generator)
    optimiser.settle()
    if optimiser.skipped:
        yield Notice(f"{optimiser.skipped} of {told.steps} shape steps were skipped because they were not finite.")
    shape = finished_shape(field, band_of(field, grid))
    z = field.z.detach()
    checkpoints.save("shaped", told.steps, shape_tensors(shape, z), {}, force=True)
    return shape, z


def _steps(wish, field, optimiser, grid, options: HeadOptions, rasterizer, checkpoints, generator):
    told, band, good = options.shape, band_of(field, grid), optimiser.good_state()
    while optimiser.step_count < told.steps:
        step = optimiser.step_count
        if step % told.refresh == 0 and step:
            band, good = band_of(field, grid, band), optimiser.good_state()
        try:
            losses, picture = _step(wish, field, optimiser, band, options, rasterizer, generator)
        except EmptyMesh:
            field.load_state_dict(good)
            band = band_of(field, grid)
            optimiser.step_count += 1
            losses, picture = {}, None
            yield Notice("The shape vanished for a moment and went back to its last good state.")
        if picture is not None:
            yield Preview(STAGE, "normal", picture)
        yield StepDone(STAGE, optimiser.step_count, told.steps, losses)
        if checkpoints.due():
            tensors = optimiser.tensors() | {"random": generator.get_state()}
            checkpoints.save(STAGE, optimiser.step_count, tensors, {})


def _step(wish: Wish, field, optimiser, band, options: HeadOptions, rasterizer, generator):
    told, step = options.shape, optimiser.step_count
    views = draw_views(wish, told.views, generator)
    meshed = field.mesh(band, views.expression_ids)
    image, _ = draw_normals(meshed.positions, meshed.faces, views.camera, rasterizer, told.image_size)
    timesteps = draw_timesteps(wish.bounded(shape_range(step, told)), told.views, generator)
    sds = distil(
        terms(wish, "geometry", views), "geometry", as_pictures(image), timesteps, generator, wish.distillation()
    )
    smooth = laplacian_loss(meshed.canonical, meshed.faces)
    known = (field.z - field.start_z).square().mean()
    held = told.latent * known + told.anchor * meshed.strayed
    finite = optimiser.step(told.sds * sds + told.laplacian * smooth + held)
    picture = None
    if (step + 1) % options.preview_every == 0 or step == 0:
        picture = shape_picture(meshed.positions[:1].detach(), meshed.faces, rasterizer)
    return {"smooth": float(smooth.detach()), "finite": float(finite)}, picture


def shape_picture(
    positions: Tensor, faces: Tensor, rasterizer: Rasterizer, azimuth_deg: float = 0.0, size: int = PREVIEW_SIZE
):
    """Normal map [S, S, 3] uint8 of `positions` [1, V, 3] from a view."""
    camera = standard_cameras(torch.tensor([azimuth_deg], device=positions.device), 0.0)
    with torch.no_grad():
        image, _ = draw_normals(positions, faces, camera, rasterizer, size)
    return to_uint8(image[0])


def band_of(field: ShapeField, grid, band: Band | None = None) -> Band:
    """The narrow band about the field's surface; of `band`, when given, only its neighbourhood is searched."""
    return narrow_band(grid, without_islands(grid, field.grid_sdf(band)), field.options.band_cells * grid.spacing)


@torch.no_grad()
def finished_shape(field: ShapeField, band: Band) -> HeadShape:
    """The field's mesh in all its expressions, its largest connected part alone."""
    meshed = field.mesh(band, range(len(field.expressions)))
    kept, faces = largest_component(meshed.faces, len(meshed.canonical))
    return HeadShape(meshed.canonical[kept], faces, field.expressions, meshed.positions[:, kept])


def shape_tensors(shape: HeadShape, z: Tensor) -> dict[str, Tensor]:
    """A finished shape as tensors for a checkpoint."""
    return {"canonical": shape.canonical, "faces": shape.faces, "expressions": shape.expressions, "z": z}


def shape_from(tensors: Mapping[str, Tensor], names: tuple[str, ...], device: torch.device) -> tuple[HeadShape, Tensor]:
    """The inverse of `shape_tensors`: the shape and z [K]."""
    canonical, faces, moved, z = (tensors[key].to(device) for key in ("canonical", "faces", "expressions", "z"))
    return HeadShape(canonical, faces, names, moved), z
