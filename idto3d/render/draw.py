"""Pictures of a mesh: normals, attributes, relit. One rasterisation, then a colour per covered pixel."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.geometry.mesh import vertex_normals
from idto3d.render.brdf import shade
from idto3d.render.camera import Camera, camera_to, clip_positions, view_directions
from idto3d.render.color import srgb_from_linear, tone_map
from idto3d.render.environment import Environment
from idto3d.render.material import Material
from idto3d.render.rasterizer import Fragments, Rasterizer, interpolate_covered

LEAST_NEARNESS = 1e-6  # per metre: a difference below which all of a picture lies at one depth


@dataclass(frozen=True)
class Surface:
    """What B cameras see of a mesh, as P covered pixels (row-major over B, H, W).

    position: [P, 3] world, metres. normal: [P, 3] unit, world, smooth. view: [P, 3] unit, towards the camera.
    """

    faces: Tensor
    clip: Tensor
    camera: Camera
    rasterizer: Rasterizer
    fragments: Fragments
    position: Tensor
    normal: Tensor
    view: Tensor


def draw_surface(
    vertices: Tensor, faces: Tensor, camera: Camera, rasterizer: Rasterizer, size: int, normals: Tensor | None = None
) -> Surface:
    """Rasterise `vertices` [V, 3] or [B, V, 3], metres, into size x size pixels, one picture per camera.

    normals: like vertices, unit; computed from the faces [F, 3] when not given.
    """
    camera = camera_to(camera, vertices.device)
    clip = clip_positions(vertices, camera)
    fragments = rasterizer.fragments(clip, faces, (size, size))
    return surface_of(vertices, faces, camera, rasterizer, fragments, normals, clip)


def surface_of(
    vertices: Tensor,
    faces: Tensor,
    camera: Camera,
    rasterizer: Rasterizer,
    fragments: Fragments,
    normals: Tensor | None = None,
    clip: Tensor | None = None,
) -> Surface:
    """The surface that `fragments` have found; see `draw_surface`. clip [B, V, 4]: computed when not given."""
    clip = clip_positions(vertices, camera) if clip is None else clip
    normals = vertex_normals(vertices, faces) if normals is None else normals
    values = interpolate_covered(torch.cat([vertices, normals], -1), fragments, faces)
    position, normal = values[:, :3], F.normalize(values[:, 3:], dim=-1)
    view = view_directions(position, _per_pixel(camera.c2w[:, :3, 3], fragments))
    return Surface(faces, clip, camera, rasterizer, fragments, position, normal, view)


def sample(surface: Surface, attribute: Tensor) -> Tensor:
    """Per-vertex `attribute` [V, C] or [B, V, C] at the covered pixels, [P, C]."""
    return interpolate_covered(attribute, surface.fragments, surface.faces)


def paint(surface: Surface, values: Tensor, background: Tensor | float = 1.0) -> tuple[Tensor, Tensor]:
    """Image [B, S, S, C] and mask [B, S, S, 1] of `values` [P, C] at the covered pixels, both antialiased.

    background: a number or a tensor that broadcasts to the image. Gradients reach the values and the outline.
    """
    covered = surface.fragments.covered
    backdrop = torch.as_tensor(background, dtype=values.dtype, device=values.device)
    layers = torch.cat([backdrop.expand(*covered.shape, values.shape[-1]), values.new_zeros(*covered.shape, 1)], -1)
    layers = layers.index_put((covered,), torch.cat([values, values.new_ones(len(values), 1)], -1))
    layers = surface.rasterizer.antialias(layers, surface.fragments, surface.clip, surface.faces)
    return layers[..., :-1], layers[..., -1:]


def camera_normals(surface: Surface) -> Tensor:
    """Camera-space unit normals [P, 3] of the covered pixels: +X right, +Y up, +Z towards the viewer."""
    return _turn(surface.normal, surface.camera.c2w[:, :3, :3], surface.fragments)


def draw_normals(
    vertices: Tensor, faces: Tensor, camera: Camera, rasterizer: Rasterizer, size: int
) -> tuple[Tensor, Tensor]:
    """Normal maps of a mesh on white, see `normal_maps`. vertices: [V, 3] or [B, V, 3], metres; faces: [F, 3]."""
    return normal_maps(draw_surface(vertices, faces, camera, rasterizer, size))


def normal_maps(surface: Surface, background: float = 1.0) -> tuple[Tensor, Tensor]:
    """Camera-space normal maps [B, S, S, 3], (n + 1) / 2, and masks [B, S, S, 1]; antialiased.

    Gradients reach the vertices inside and at the outline.
    """
    return paint(surface, (camera_normals(surface) + 1) / 2, background)


def depth_maps(surface: Surface, background: float = 0.0) -> tuple[Tensor, Tensor]:
    """Depth maps [B, S, S, 3], three times the same number, and masks [B, S, S, 1]; antialiased.

    1 / z, z in metres along the viewing axis, stretched in each picture to 0 at the farthest pixel and 1 at the
    nearest (HumanNorm, Huang et al. 2024). These two count as constants: else all of a picture would pull at them.
    """
    nearness = 1 / _distances(surface)
    view, pictures = surface.fragments.covered.nonzero()[:, 0], len(surface.fragments.face)
    ends = [
        nearness.new_zeros(pictures).scatter_reduce(0, view, nearness.detach(), which, include_self=False)[view]
        for which in ("amin", "amax")
    ]
    stretched = (nearness - ends[0]) / (ends[1] - ends[0]).clamp(min=LEAST_NEARNESS)
    return paint(surface, stretched[:, None].expand(-1, 3), background)


def _distances(surface: Surface) -> Tensor:
    """Metres [P] from the camera along its viewing axis."""
    pose = _per_pixel(surface.camera.c2w, surface.fragments)
    return ((pose[:, :3, 3] - surface.position) * pose[:, :3, 2]).sum(-1)


def draw_relit(
    surface: Surface, material: Material, environment: Environment, background: Tensor | float = 1.0
) -> tuple[Tensor, Tensor]:
    """Tone-mapped sRGB pictures [B, S, S, 3], 0..1, under `environment`, and masks [B, S, S, 1].

    material: at the P covered pixels. background: sRGB, a number or a tensor that broadcasts to the image.
    """
    radiance = shade(surface.normal, surface.view, material.albedo, material.roughness, material.metallic, environment)
    return paint(surface, srgb_from_linear(tone_map(radiance)), background)


def to_uint8(image: Tensor) -> np.ndarray:
    """`image` [..., H, W, C] in 0..1 as a uint8 array on the CPU, rounded."""
    return (image.detach().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


def _per_pixel(per_view: Tensor, fragments: Fragments) -> Tensor:
    """A value per camera [B, ...] as one that broadcasts over the P covered pixels."""
    if len(per_view) == 1:
        return per_view
    return per_view[fragments.covered.nonzero()[:, 0]]


def _turn(vectors: Tensor, rotation: Tensor, fragments: Fragments) -> Tensor:
    """`vectors` [P, 3] times the rotation [B, 3, 3] of their view, from the right: world to camera for c2w."""
    if len(rotation) == 1:
        return vectors @ rotation[0]
    return (vectors[:, None] @ _per_pixel(rotation, fragments))[:, 0]
