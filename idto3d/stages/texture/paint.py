"""Painting the skin's atlas in two ways at once: a guidance of views and a model of atlases judge its code.

After DreamFace (Zhang et al. 2023), section 5.2: first the code itself is drawn, then pictures of what it decodes to,
under random lights with the skin's relief; timesteps fall evenly to 0. Ours begins at what words and photos have
painted, and only what no photo shows may change.
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from idto3d.config import HeadOptions, TextureOptions
from idto3d.events import Event, Preview
from idto3d.guidance.atlas import AtlasConditions, AtlasGuidance
from idto3d.guidance.distillation import Distillation, Term, draw_noise, latents_gradient, sds_loss
from idto3d.guidance.networks.atlas import DOMAINS
from idto3d.guidance.schedules import evenly_falling
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import Surface, draw_relit, paint
from idto3d.render.dressed import read_map
from idto3d.render.environment import random_light
from idto3d.render.material import Material
from idto3d.stages.material import Canvas, material_at, relit_picture, seen
from idto3d.stages.optimise import Checkpoints, Keeper, Optimiser, Work, optimised
from idto3d.stages.texture.code import FINEST, SKIN, AtlasCode, SkinAtlas, changed, coded_views
from idto3d.stages.texture.normals import as_relief, bent
from idto3d.stages.wish import Views, Wish, as_pictures, draw_views, terms

STAGE, DOMAIN, SEED = "texture", "albedo", 7


@dataclass(frozen=True, eq=False)
class Board:
    """What the stage works on: the head as it is dressed, its skin's atlas and relief [s, s, 3], and who judges it."""

    canvas: Canvas
    atlas: SkinAtlas
    relief: Tensor
    guidance: AtlasGuidance
    conditions: AtlasConditions


def make_board(wish: Wish, canvas: Canvas, atlas: SkinAtlas, normal, guidance: AtlasGuidance, options) -> Board:
    """Work out what does not change; normal: the skin's normal map [S, S, 3] uint8."""
    conditions = guidance.conditions([wish.subject], wish.negative_prompt, DOMAINS[options.texture.domain])
    return Board(canvas, atlas, as_relief(normal, guidance.size, guidance.device), guidance, conditions)


def paint_atlas(
    wish: Wish, board: Board, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, Tensor]:
    """The skin's texture [1, 3, S, S] in sRGB after both kinds of steps.

    The stage saves itself, and goes on from its newest checkpoint where there is one.
    """
    asked, saved = options.texture, checkpoints.latest(STAGE)
    total, generator = asked.steps + asked.lit_steps, torch.Generator().manual_seed(options.seed + SEED)
    with torch.no_grad():
        code = AtlasCode(board.guidance.encode(board.atlas.on_white()))
    optimiser = Optimiser(code, [([code.code], asked.learning_rate)], total)
    if saved:
        optimiser.load(saved.tensors, saved.step, generator)
    work = Work(
        STAGE,
        "steps of the atlas",
        lambda: _step(wish, board, code, optimiser, options, generator),
        lambda step: _preview(board, code, options),
        options.preview_every,
    )
    yield from optimised(work, optimiser, Keeper(checkpoints, STAGE, optimiser, generator), saved)
    return changed(board.atlas, board.guidance, code).detach().clamp(0, 1)


def _step(wish: Wish, board: Board, code: AtlasCode, optimiser, options: HeadOptions, generator) -> dict[str, float]:
    asked, step = options.texture, optimiser.step_count
    timestep = _timestep(asked, step, generator)
    views = draw_views(wish, asked.views, generator)
    loss = asked.atlas * _by_atlas(board, code, timestep, wish, asked, generator) if asked.atlas else 0.0
    if asked.generic:
        judge = _by_views if step < asked.steps else _by_lit_views
        loss = loss + asked.generic * judge(wish, board, code, views, timestep, options, generator)
    moved = ((code.code - code.begun) / board.guidance.model.deviation).square()
    finite = optimiser.step(loss + asked.anchor * moved.sum())
    return {"moved": float(moved.detach().mean().sqrt()), "finite": float(finite)}


def _timestep(asked: TextureOptions, step: int, generator: torch.Generator) -> int:
    """Falls evenly to 0 in both kinds of steps, or is drawn at random."""
    if asked.order == "uniform":
        return int(torch.randint(asked.start_timestep + 1, (), generator=generator))
    own, of = (step, asked.steps) if step < asked.steps else (step - asked.steps, asked.lit_steps)
    return evenly_falling(own, of, asked.start_timestep)


def _by_atlas(board: Board, code: AtlasCode, timestep: int, wish: Wish, asked: TextureOptions, generator) -> Tensor:
    """The loss of the code itself, as the model of atlases sees it (DreamFace, equation 11)."""
    guidance, how = board.guidance, Distillation(wish.form, asked.guidance_scale)
    noise = draw_noise(wish.form, code.code.shape, generator).to(guidance.device)
    gradient = guidance.gradient(code.code.detach(), timestep, noise, board.conditions, how)
    return sds_loss(guidance.model.inward(code.code), gradient)


def _by_views(wish: Wish, board: Board, code: AtlasCode, views: Views, timestep: int, options, generator) -> Tensor:
    """The loss of views in which the skin shows its code, as the guidances of views see latents."""
    loss, ids = code.code.new_zeros(()), views.expression_ids
    for term in terms(wish, DOMAIN, views):
        guidance = term.guidance
        side = guidance.latent_shape(1)[-1]
        surface = seen(board.canvas, ids, views.camera, side * FINEST)
        with torch.no_grad():
            fine = seen(board.canvas, ids, views.camera, guidance.info.image_size)
            flat = paint(fine, srgb_from_linear(_worn(board, fine, ids).albedo), wish.background(DOMAIN))[0]
            pictures = guidance.encode(as_pictures(flat))
        latents = coded_views(code.code, pictures, surface, board.canvas.dressed)
        loss = loss + _distilled(term, latents, timestep, wish, generator)
    return loss


def _by_lit_views(wish: Wish, board: Board, code: AtlasCode, views: Views, timestep: int, options, generator) -> Tensor:
    """The loss of pictures of what the code decodes to, with the skin's relief under a random light."""
    canvas, ids = board.canvas, list(views.expression_ids)
    surface = seen(canvas, ids, views.camera, options.material.image_size)
    surface = bent(surface, canvas.head.positions[ids], canvas.dressed, board.relief)
    material = _repainted(board, code, surface, _worn(board, surface, ids))
    light = random_light(canvas.lights, generator)
    pictures = as_pictures(draw_relit(surface, material, light, wish.background(DOMAIN))[0])
    loss = code.code.new_zeros(())
    for term in terms(wish, DOMAIN, views):
        loss = loss + _distilled(term, term.guidance.encode(pictures), timestep, wish, generator)
    return loss


def _distilled(term: Term, latents: Tensor, timestep: int, wish: Wish, generator: torch.Generator) -> Tensor:
    """The weighted loss of one guidance, which is not asked at timesteps that its weights do not bear."""
    low, high = wish.timesteps().albedo
    at = torch.full((len(latents),), min(max(timestep, low), high), dtype=torch.int64)
    noise = draw_noise(wish.form, latents.shape, generator).to(latents.device)
    gradient = latents_gradient(replace(term, timesteps=at), DOMAIN, latents.detach(), noise, wish.form)
    return term.weight * sds_loss(latents, gradient)


def _worn(board: Board, surface: Surface, ids) -> Material:
    return material_at(board.canvas, None, surface, ids)


def _repainted(board: Board, code: AtlasCode, surface: Surface, worn: Material) -> Material:
    """What the covered pixels wear, the skin's colour changed as its code says."""
    dressed, fragments, guidance = board.canvas.dressed, surface.fragments, board.guidance
    face = fragments.face[fragments.covered]
    rows = (dressed.worn[face] == SKIN).nonzero()[:, 0]
    place = (dressed.uvs[face[rows]] * fragments.barycentric[fragments.covered].detach()[rows, :, None]).sum(1)
    with torch.no_grad():
        before, share = guidance.decode(code.begun), read_map(board.atlas.open[0].permute(1, 2, 0), place)
    moved = board.atlas.spread(guidance.decode(code.code) - before)
    moved = share * read_map(moved[0].permute(1, 2, 0), place)
    albedo = worn.albedo.index_put((rows,), linear_from_srgb(srgb_from_linear(worn.albedo[rows]) + moved))
    return replace(worn, albedo=albedo)


@torch.no_grad()
def _preview(board: Board, code: AtlasCode, options: HeadOptions) -> Preview:
    """The head from the front with its atlas so far."""
    canvas, picture = board.canvas, changed(board.atlas, board.guidance, code)
    worn = canvas.dressed.maps[SKIN].clone()
    worn[..., :3] = linear_from_srgb(picture[0].permute(1, 2, 0))
    dressed = replace(canvas.dressed, maps=(worn, *canvas.dressed.maps[1:]))
    shown = options.expressions.index("neutral") if "neutral" in options.expressions else 0
    image = relit_picture(replace(canvas, dressed=dressed), None, options.preview_size, shown)
    return Preview(STAGE, "relit", image, options.expressions[shown])
