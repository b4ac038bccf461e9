"""Growing the shape: normal maps of random views, judged by the geometry guidance."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from idto3d.bundle.info import Timesteps
from idto3d.config import HeadOptions
from idto3d.events import Event, Preview
from idto3d.guidance.distillation import Term, distil
from idto3d.guidance.schedules import draw_timesteps, shape_range
from idto3d.head.parts import Head, Joined
from idto3d.head.shape import Grown, ShapeCarrier, ShapeVanished
from idto3d.render.camera import standard_cameras
from idto3d.render.draw import Surface, depth_maps, draw_normals, draw_surface, normal_maps, to_uint8
from idto3d.render.rasterizer import Rasterizer
from idto3d.stages.optimise import Checkpoints, Keeper, Optimiser, StepLost, Work, optimised
from idto3d.stages.wish import Companion, Views, Wish, as_pictures, draw_views, term, terms, turned_deg

STAGE, DOMAIN = "shape", "geometry"


def grow_shape(
    wish: Wish,
    carrier: ShapeCarrier,
    options: HeadOptions,
    checkpoints: Checkpoints,
    generator: torch.Generator,
    kept_as: str = STAGE,
) -> Generator[Event, None, Head]:
    """Optimise a head's shape and expressions in its `carrier`; returns the finished head.

    The stage saves itself as `kept_as`, and goes on from its newest checkpoint where there is one. `generator` draws
    views, noise and timesteps.
    """
    steps = options.shape.steps
    optimiser = Optimiser(carrier.module, carrier.groups(), steps)
    if saved := checkpoints.latest(kept_as):
        optimiser.load(saved.tensors, saved.step, generator)
        carrier.restore(saved.tensors)
    work = Work(
        STAGE,
        "shape steps",
        lambda: _step(wish, carrier, optimiser, options, generator),
        lambda step: _preview(wish, carrier, options, step),
        options.preview_every,
    )
    keeper = Keeper(checkpoints, kept_as, optimiser, generator, carrier.kept)
    yield from optimised(work, optimiser, keeper, saved)
    return carrier.finished()


def _step(wish: Wish, carrier: ShapeCarrier, optimiser, options: HeadOptions, generator) -> dict[str, float]:
    step = optimiser.step_count
    with _vanishing():
        carrier.refresh(step)
        views = draw_views(wish, options.shape.views, generator)
        grown = carrier.grow(views.expression_ids)
    sds = _judged(wish, grown.head.joined(), views, options, (step, carrier.rasterizer, generator))
    finite = optimiser.step(_loss(grown, sds, options))
    return {"smooth": float(grown.roughness.detach()), "finite": float(finite)}


def _preview(wish: Wish, carrier: ShapeCarrier, options: HeadOptions, step: int) -> Preview:
    """The head after `step`, from a camera that goes on around it."""
    with _vanishing():
        head = _at_rest(wish, carrier)
    turned = turned_deg(step // options.preview_every)
    picture = shape_picture(head.joined(), carrier.rasterizer, options.preview_size, turned)
    return Preview(STAGE, "normal", picture, head.expressions[0])


@contextmanager
def _vanishing() -> Iterator[None]:
    try:
        yield
    except ShapeVanished as fault:
        raise StepLost("The shape vanished for a moment and went back to its last good state.") from fault


@torch.no_grad()
def _at_rest(wish: Wish, carrier: ShapeCarrier) -> Head:
    """The head as it is, neutral where it has that expression, so that pictures of it do not grimace."""
    return carrier.grow([wish.expressions.index("neutral") if "neutral" in wish.expressions else 0]).head


def _judged(wish: Wish, joined: Joined, views: Views, options: HeadOptions, moment) -> Tensor:
    """The distillation loss of the head's pictures from `views`, each in its own expression."""
    step, rasterizer, generator = moment
    surface = draw_surface(joined.positions, joined.faces, views.camera, rasterizer, options.shape.image_size)

    def drawn_timesteps(own: Timesteps) -> Tensor:
        return draw_timesteps(shape_range(step, options.shape, own), options.shape.views, generator)

    image, _ = normal_maps(surface, wish.background(DOMAIN))
    timesteps, asked = drawn_timesteps(wish.timesteps()), terms(wish, DOMAIN, views)
    for one in (one for one in wish.beside if one.domain == DOMAIN):
        asked.append(_beside(one, wish, views, surface, drawn_timesteps(one.guidance.info.timesteps)))
    return distil(asked, DOMAIN, as_pictures(image), timesteps, generator, wish.distillation())


def _beside(one: Companion, wish: Wish, views: Views, surface: Surface, timesteps: Tensor) -> Term:
    """What a companion is asked about its own picture of `surface`."""
    draw = depth_maps if one.picture == "depth" else normal_maps
    image, _ = draw(surface, one.guidance.background(DOMAIN))
    asked = term(one.guidance, one.weight, wish, DOMAIN, views)
    return replace(asked, images=as_pictures(image), timesteps=timesteps)


def _loss(grown: Grown, sds: Tensor, options: HeadOptions) -> Tensor:
    shape = options.shape
    held = shape.latent * grown.shifted + shape.anchor * grown.strayed
    return shape.sds * sds + shape.laplacian * grown.roughness + held


@torch.no_grad()
def shape_picture(joined: Joined, rasterizer: Rasterizer, size: int, azimuth_deg: float = 0.0) -> np.ndarray:
    """Normal map [S, S, 3] uint8 of a head in the first of its expressions, from a view."""
    camera = standard_cameras(torch.tensor([azimuth_deg], device=joined.faces.device), 0.0)
    image, _ = draw_normals(joined.positions[:1].detach(), joined.faces, camera, rasterizer, size)
    return to_uint8(image[0])
