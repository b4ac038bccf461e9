"""Carving details into a head's skin: pictures from before the face, judged by a guidance (DreamFace, section 4.2)."""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from idto3d.bundle.asking import Range, Timesteps
from idto3d.config import CarvingOptions, HeadOptions
from idto3d.events import Event, Preview
from idto3d.geometry.mesh import vertex_normals
from idto3d.guidance.distillation import distil
from idto3d.guidance.schedules import draw_timesteps
from idto3d.head.parts import Head, Part
from idto3d.render.camera import standard_cameras
from idto3d.render.draw import Surface, camera_normals, draw_surface, paint, to_uint8
from idto3d.render.dressed import Dressed, read_dressed
from idto3d.render.material import Material
from idto3d.render.rasterizer import Rasterizer
from idto3d.stages.carving.carver import Block, Carved, Carver
from idto3d.stages.carving.relief import Tangents, bent_normals, tangents_of
from idto3d.stages.carving.views import draw_face_views, front_lamp, under_lamp
from idto3d.stages.optimise import Checkpoints, Keeper, Optimiser, Work, optimised
from idto3d.stages.wish import Wish, as_pictures, terms, turned_deg

STAGE = "carving"
PAPERS: Range = (20, 980)  # timesteps: 0.02 and 0.98 of 1000
DOMAINS = {"light": "albedo", "normals": "geometry"}  # of the guidance that is asked, by judge


@dataclass(frozen=True, eq=False)
class Scene:
    """A head around the block that is carved, in one expression: `start` of the skin's displacement there is 0.

    positions [V, 3] metres and normals [V, 3] of all parts joined, of which the skin's come first; faces [F, 3].
    moved [Vs, 3]: what the expression adds to the skin at rest.
    """

    positions: Tensor
    normals: Tensor
    faces: Tensor
    moved: Tensor
    skin_faces: Tensor
    tangents: Tangents
    dressed: Dressed
    rasterizer: Rasterizer
    expression: int


def scene_of(head: Head, expression: int, dressed: Dressed, rasterizer: Rasterizer) -> Scene:
    """`head` in the expression of this place, dressed."""
    one = Head(
        head.expressions[expression : expression + 1],
        tuple(replace(part, displacements=part.displacements[expression : expression + 1]) for part in head.parts),
    )
    joined, skin = one.joined(), one.parts[0]
    tangents = tangents_of(joined.positions[0, : len(skin.vertices)], skin.faces, skin.uvs)
    shape = (joined.positions[0], one.normals()[0], joined.faces, skin.displacements[0])
    return Scene(*shape, skin.faces, tangents, dressed, rasterizer, expression)


def carve(
    wish: Wish, block: Block, scene: Scene, options: HeadOptions, checkpoints: Checkpoints
) -> Generator[Event, None, Carver]:
    """Optimise the details of a block in its scene; returns what is carved.

    The stage saves itself, and goes on from its newest checkpoint where there is one.
    """
    carving, generator = options.carving, torch.Generator().manual_seed(options.seed + 2)
    carver = Carver(block, carving)
    optimiser = Optimiser(carver, carver.groups(), carving.steps)
    if saved := checkpoints.latest(STAGE):
        optimiser.load(saved.tensors, saved.step, generator)
    work = Work(
        STAGE,
        "steps of details",
        lambda: _step(wish, carver, scene, optimiser, options, generator),
        lambda step: _preview(carver, scene, options, step),
        options.preview_every,
    )
    yield from optimised(work, optimiser, Keeper(checkpoints, STAGE, optimiser, generator), saved)
    return carver


def _step(wish: Wish, carver: Carver, scene: Scene, optimiser, options: HeadOptions, generator) -> dict[str, float]:
    carving = options.carving
    carved, domain = carver(), DOMAINS[carving.judge]
    views = draw_face_views(carving.views, scene.expression, carving.close, generator, wish.device())
    surface = _surface(scene, carved, views.camera, carving.image_size or options.material.image_size)
    towards = front_lamp(generator)
    image = _pictured(scene, surface, carved, carving.judge, towards, wish.background(domain))
    timesteps = draw_timesteps(carving_range(carving, wish.timesteps()), carving.views, generator)
    sds = distil(terms(wish, domain, views), domain, as_pictures(image), timesteps, generator, wish.distillation())
    held = carving.drift * carved.drift + carving.laplacian * carved.rough + carving.smoothness * carved.uneven
    finite = optimiser.step(carving.sds * sds + held)
    return {"smooth": float(carved.uneven.detach()), "finite": float(finite)}


def carving_range(carving: CarvingOptions, own: Timesteps) -> Range:
    """The timesteps that are drawn: as asked for, or the paper's as far as the weights are ever asked."""
    return carving.timesteps or (PAPERS[0], min(PAPERS[1], own.highest()))


def _surface(scene: Scene, carved: Carved, camera, size: int) -> Surface:
    """What cameras see of the scene with the skin carved."""
    skin = carved.vertices + scene.moved
    count = len(skin)
    positions = torch.cat([skin, scene.positions[count:]])
    normals = torch.cat([vertex_normals(skin, scene.skin_faces), scene.normals[count:]])
    return draw_surface(positions, scene.faces, camera, scene.rasterizer, size, normals)


def _pictured(scene: Scene, surface: Surface, carved: Carved, judge: str, towards: Tensor, background) -> Tensor:
    """The pictures [B, S, S, 3], 0..1, that a `judge` is shown."""
    normal = bent_normals(surface, scene.tangents, carved.slopes)
    if judge == "normals":
        return paint(surface, (camera_normals(replace(surface, normal=normal)) + 1) / 2, background)[0]
    albedo, roughness, _ = read_dressed(scene.dressed, surface).split([3, 1, 1], -1)
    material = Material(albedo, roughness, torch.zeros_like(roughness))
    return under_lamp(surface, normal, material, towards, background)


@torch.no_grad()
def carved_picture(carver: Carver, scene: Scene, size: int, azimuth_deg: float = 0.0) -> np.ndarray:
    """Normal map [S, S, 3] uint8 of what is carved so far, relief and all."""
    camera, carved = standard_cameras(torch.tensor([azimuth_deg], device=scene.faces.device), 0.0), carver()
    surface = _surface(scene, carved, camera, size)
    return to_uint8(_pictured(scene, surface, carved, "normals", front_lamp(torch.Generator()), 1.0)[0])


def _preview(carver: Carver, scene: Scene, options: HeadOptions, step: int) -> Preview:
    """The head after `step`, where the camera has gone on from the shape's pictures."""
    turned = turned_deg((options.shape.steps + step) // options.preview_every)
    picture = carved_picture(carver, scene, options.preview_size, turned)
    return Preview(STAGE, "normal", picture, options.expressions[scene.expression])


def with_skin(head: Head, skin: Part) -> Head:
    """The head whose skin, its first part, is `skin`."""
    return replace(head, parts=(skin, *head.parts[1:]))
