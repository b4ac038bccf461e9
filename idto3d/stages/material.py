"""Painting the surface: pictures of random views, unlit and under random lights, judged by the albedo guidance."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from idto3d.config import HeadOptions
from idto3d.events import Event, Preview
from idto3d.fields.material_field import FieldMaterial, MaterialField
from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW
from idto3d.guidance.distillation import distil
from idto3d.guidance.schedules import draw_timesteps, material_phase, material_range
from idto3d.head.parts import Head, Joined
from idto3d.render.camera import standard_cameras
from idto3d.render.color import srgb_from_linear
from idto3d.render.draw import Surface, draw_relit, draw_surface, paint, sample, to_uint8
from idto3d.render.dressed import Dressed, read_dressed
from idto3d.render.environment import Environment, random_light
from idto3d.render.material import Material
from idto3d.render.rasterizer import Rasterizer
from idto3d.stages.optimise import Checkpoints, Keeper, Optimiser, Work, optimised
from idto3d.stages.saved import as_begun
from idto3d.stages.wish import Wish, as_pictures, draw_views, terms, turned_deg

STAGE = "material"
PREVIEW_LIGHT = "studio_three_point"


@dataclass(frozen=True, eq=False)
class Canvas:
    """A finished head ready to be painted: its normals [E, V, 3], the lights, and what draws it.

    `preview` is the light of the pictures that are shown. `dressed` is what its parts wear already, None where the
    field alone says what they are made of.
    """

    head: Joined
    normals: Tensor
    lights: tuple[Environment, ...]
    preview: Environment
    rasterizer: Rasterizer
    dressed: Dressed | None = None


def make_canvas(
    head: Head, lights: tuple[Environment, ...], rasterizer: Rasterizer, dressed: Dressed | None = None
) -> Canvas:
    """Work out what does not change while the head is painted."""
    preview = next((light for light in lights if light.name == PREVIEW_LIGHT), lights[0])
    joined = head.joined()
    return Canvas(joined, head.normals(), lights, preview, rasterizer, dressed)


def paint_material(
    wish: Wish, canvas: Canvas, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, MaterialField]:
    """Optimise the material of a head, which starts as it is dressed; returns its field.

    The stage saves itself, and goes on from its newest checkpoint where there is one.
    """
    material, generator = options.material, torch.Generator().manual_seed(options.seed + 1)
    box, device = (BOX_LOW, BOX_HIGH), wish.device()
    saved = checkpoints.latest(STAGE)
    begun = as_begun(material, saved)
    field = MaterialField(options.expressions, begun, box, generator=generator, device=device)
    optimiser = Optimiser(field, [(list(field.parameters()), material.learning_rate)], material.steps)
    if saved:
        optimiser.load(saved.tensors, saved.step, generator)
    work = Work(
        STAGE,
        "skin steps",
        lambda: _step(wish, canvas, field, optimiser, options, generator),
        lambda step: _preview(canvas, field, options, step),
        options.preview_every,
    )
    yield from optimised(work, optimiser, Keeper(checkpoints, STAGE, optimiser, generator), saved)
    return field


def _preview(canvas: Canvas, field: MaterialField, options: HeadOptions, step: int) -> Preview:
    """The head after `step`, where the camera has gone on from the shape's pictures."""
    before = 1 + options.shape.steps // options.preview_every
    turned = turned_deg(before + step // options.preview_every)
    shown = options.expressions.index("neutral") if "neutral" in options.expressions else 0
    picture = relit_picture(canvas, field, options.preview_size, shown, turned)
    return Preview(STAGE, "relit", picture, options.expressions[shown])


def _step(wish: Wish, canvas: Canvas, field, optimiser, options: HeadOptions, generator) -> dict[str, float]:
    painting, step = options.material, optimiser.step_count
    views = draw_views(wish, painting.views, generator)
    surface = seen(canvas, views.expression_ids, views.camera, painting.image_size)
    material = material_at(canvas, field, surface, views.expression_ids)
    phase = material_phase(step, painting)
    refined = phase == "refine" and wish.refinement is not None  # by a model of photos, which are lit
    asked = wish.refinement if refined else wish
    chance = float(torch.rand((), generator=generator)) if phase == "albedo" else 1.0
    lit = phase == "joint" or refined or chance < painting.lit_share
    background = asked.background("albedo")
    flat, _ = paint(surface, srgb_from_linear(material.albedo), background)
    image = _lit(canvas, surface, material, (phase, background), generator) if lit else flat
    timesteps = draw_timesteps(material_range(step, painting, asked.timesteps()), painting.views, generator)
    sds = distil(
        terms(asked, "albedo", views), "albedo", as_pictures(image), timesteps, generator, asked.distillation()
    )
    smooth = flat.diff(dim=1).abs().mean() + flat.diff(dim=2).abs().mean()
    drift = (srgb_from_linear(material.albedo) - srgb_from_linear(material.start)).square()
    finite = optimiser.step(sds + painting.smoothness * smooth + painting.anchor * (drift * material.held).mean())
    return {"smooth": float(smooth.detach()), "finite": float(finite)}


def _lit(canvas: Canvas, surface: Surface, material: Material, how: tuple[str, float], generator) -> Tensor:
    """The view under a random light; in the first phase roughness and metallic only shade and are not learned."""
    phase, background = how
    if phase == "albedo":
        material = replace(material, roughness=material.roughness.detach(), metallic=material.metallic.detach())
    return draw_relit(surface, material, random_light(canvas.lights, generator), background)[0]


def seen(canvas: Canvas, expression_ids, camera, size: int) -> Surface:
    """What cameras [B] see of the head in B expressions."""
    ids, head = list(expression_ids), canvas.head
    return draw_surface(head.positions[ids], head.faces, camera, canvas.rasterizer, size, canvas.normals[ids])


def material_at(canvas: Canvas, field: MaterialField | None, surface: Surface, expression_ids) -> FieldMaterial:
    """Material at the P covered pixels of B views, each in its own expression; as worn where there is no field."""
    count = len(expression_ids)
    points = sample(surface, canvas.head.canonical.expand(count, -1, -1)).detach()
    view = surface.fragments.covered.nonzero()[:, 0]
    worn = None if canvas.dressed is None else read_dressed(canvas.dressed, surface)
    if field is None:
        return _as_worn(worn)
    parts = [
        field(points[view == i], [e])
        if worn is None
        else dressed_material(field, points[view == i], worn[view == i], e)
        for i, e in enumerate(expression_ids)
    ]
    albedo, roughness, metallic = (
        torch.cat([getattr(part, name)[0] for part in parts]) for name in ("albedo", "roughness", "metallic")
    )
    start, held = (torch.cat([getattr(part, name) for part in parts]) for name in ("start", "held"))
    return FieldMaterial(albedo, roughness, metallic, start=start, held=held)


def _as_worn(worn: Tensor) -> FieldMaterial:
    albedo, roughness, known = worn.split([3, 1, 1], -1)
    return FieldMaterial(albedo, roughness, torch.zeros_like(roughness), start=albedo, held=known)


def dressed_material(field: MaterialField, points: Tensor, worn: Tensor, expression_id: int) -> FieldMaterial:
    """Material [1, N, ...] at canonical `points` [N, 3] that wear `worn` [N, 5], see `render.dressed`.

    What is known for certain stays; of the rest the field learns the colour, and nothing is metal.
    """
    albedo, roughness, known = worn.split([3, 1, 1], -1)
    prepared = field.prepared(points, albedo, torch.ones_like(known))
    painted = field.at(prepared, [expression_id])
    mixed = torch.lerp(painted.albedo, painted.start.expand_as(painted.albedo), known)
    dull = torch.zeros_like(roughness)[None]
    return FieldMaterial(mixed, roughness[None], dull, start=painted.start, held=painted.held)


@torch.no_grad()
def relit_picture(
    canvas: Canvas,
    field: MaterialField | None,
    size: int,
    expression_id: int = 0,
    azimuth_deg: float = 0.0,
    light: Environment | None = None,
) -> np.ndarray:
    """Picture [S, S, 3] uint8 sRGB of the head so far under `light` (the preview light when not given), on white.

    Without a field it shows what the parts of a dressed head wear.
    """
    device = canvas.head.canonical.device
    camera = standard_cameras(torch.tensor([azimuth_deg], device=device), 0.0)
    surface = seen(canvas, [expression_id], camera, 2 * size)
    material = material_at(canvas, field, surface, [expression_id])
    image, _ = draw_relit(surface, material, light or canvas.preview)
    halved = torch.nn.functional.avg_pool2d(as_pictures(image), 2)
    return to_uint8(halved[0].permute(1, 2, 0))
