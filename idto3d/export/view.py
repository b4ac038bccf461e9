"""Drawing a finished head from its GLB: any light, expression mix, direction and mode, as a picture or a turntable."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.config import HDRI, RenderOptions
from idto3d.errors import UserError
from idto3d.export.gltf.load import Asset, load_asset, posed
from idto3d.export.gltf.provenance import GENERATOR
from idto3d.export.video import turntable_angles, write_video
from idto3d.geometry.mesh import vertex_normals
from idto3d.render.backend import make_rasterizer
from idto3d.render.camera import standard_cameras
from idto3d.render.color import linear_from_srgb, srgb_from_linear
from idto3d.render.draw import Surface, camera_normals, draw_relit, draw_surface, paint, sample, to_uint8
from idto3d.render.environment import Environment, environment_names, load_environment, rotate
from idto3d.render.material import Material

CLAY = 0.45  # linear grey of the clay mode
FRAMES = 72
DEFAULT_LIGHT = "studio_three_point"


def draw_view(folder: Path, options: RenderOptions) -> np.ndarray:
    """A picture [S, S, 3] uint8 sRGB of the head in `folder`; with `options.video` its turntable is written there.

    Raises UserError where there is no head, or no such expression or light.
    """
    asset = load_asset(folder)
    positions = posed(asset.mesh, dict(options.expressions))
    light = rotate(find_light(options.light), math.radians(options.light_rotation_deg))
    if options.video:
        angles = turntable_angles(FRAMES)
        views = (replace(options, azimuth_deg=options.azimuth_deg + angle) for angle in angles)
        frames = (picture(asset, positions, view, light) for view in views)
        for _ in write_video(Path(options.video), frames, GENERATOR):
            pass
    return picture(asset, positions, options, light)


def find_light(light: str) -> Environment:
    """The light called `light` in assets/hdri, or in a .hdr file; the default one for an empty name."""
    names = environment_names(HDRI)
    if not light:
        return _stored(DEFAULT_LIGHT if DEFAULT_LIGHT in names else names[0])
    if light in names:
        return _stored(light)
    if Path(light).suffix.lower() == ".hdr" and Path(light).is_file():
        return load_environment(Path(light))
    raise UserError(f"There is no light '{light}'.", f"Give an .hdr file, or one of: {', '.join(names)}.")


@lru_cache(maxsize=64)
def _stored(name: str) -> Environment:
    return load_environment(HDRI / f"{name}.hdr")


@torch.no_grad()
def picture(asset: Asset, positions: Sequence[np.ndarray], options: RenderOptions, light: Environment) -> np.ndarray:
    """A picture [S, S, 3] uint8 sRGB of the head from the options' side, each part's vertices at its `positions`."""
    surface = seen(asset, positions, options.azimuth_deg, options.elevation_deg, 2 * options.size)
    colours = drawn(asset, surface, options.mode, light)
    halved = F.avg_pool2d(colours.permute(0, 3, 1, 2), 2)
    return to_uint8(halved[0].permute(1, 2, 0))


def seen(asset: Asset, positions: Sequence[np.ndarray], azimuth_deg: float, elevation_deg: float, size: int) -> Surface:
    """What the standard camera sees of the posed parts together; normals are smooth across texture seams."""
    parts = asset.mesh.parts
    starts = np.cumsum([0, *(len(part.positions) for part in parts[:-1])])
    faces = np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)])
    vertices, faces = torch.from_numpy(np.concatenate(positions)).float(), torch.from_numpy(faces)
    camera = standard_cameras(azimuth_deg, elevation_deg)
    rasterizer = make_rasterizer(torch.device("cpu"))
    return draw_surface(vertices, faces, camera, rasterizer, size, seamless_normals(asset, vertices, faces))


def seamless_normals(asset: Asset, vertices: Tensor, faces: Tensor) -> Tensor:
    """Unit normals [V, 3] in which vertices of a part that a texture seam has split share one normal."""
    groups, count = [], 0
    for part in asset.mesh.parts:
        _, group = np.unique(part.positions, axis=0, return_inverse=True)
        groups.append(group.reshape(-1) + count)
        count += int(group.max()) + 1
    group = torch.from_numpy(np.concatenate(groups))
    merged = torch.zeros(count, 3).index_copy(0, group, vertices)
    return vertex_normals(merged, group[faces])[group]


def drawn(asset: Asset, surface: Surface, mode: str, light: Environment) -> Tensor:
    """Image [1, S, S, 3] of one of the modes, on white."""
    uvs = sample(surface, _of_parts(asset, "uvs"))
    rough = worn(asset, surface, "metallic_roughness", uvs)
    if mode == "roughness":
        return paint(surface, rough[:, 1:2].expand(-1, 3))[0]
    albedo = linear_from_srgb(worn(asset, surface, "albedo", uvs))
    if mode == "albedo":
        return paint(surface, srgb_from_linear(albedo))[0]
    surface = replace(surface, normal=relief(asset, surface, uvs))
    if mode == "normal":
        return paint(surface, (camera_normals(surface) + 1) / 2)[0]
    if mode == "clay":
        dull = torch.full_like(uvs[:, :1], 0.7)
        return draw_relit(surface, Material(torch.full_like(albedo, CLAY), dull, torch.zeros_like(dull)), light)[0]
    return draw_relit(surface, Material(albedo, rough[:, 1:2], rough[:, 2:3]), light)[0]


def relief(asset: Asset, surface: Surface, uvs: Tensor) -> Tensor:
    """Unit world normals [P, 3] that the normal map gives the covered pixels at `uvs` [P, 2].

    Tangents are the neutral's in every expression, as in viewers of glTF whose morph targets move positions alone.
    """
    local = 2 * worn(asset, surface, "normal", uvs) - 1
    along_u, side = sample(surface, _of_parts(asset, "tangents")).split([3, 1], -1)
    along_v = torch.linalg.cross(surface.normal, along_u) * side.sign()
    return F.normalize(local[:, :1] * along_u + local[:, 1:2] * along_v + local[:, 2:] * surface.normal, dim=-1)


def worn(asset: Asset, surface: Surface, kind: str, uvs: Tensor) -> Tensor:
    """What the pixels see at their `uvs` [P, 2] in one `kind` of Textures, each in its part's -> [P, 3] in 0..1."""
    images = {name: getattr(textures, kind) for name, textures in asset.textures.items()}
    if len(images) == 1:
        return texture(*images.values(), uvs)
    names = list(images)
    parts = asset.mesh.parts
    of_face = np.repeat([names.index(part.material) for part in parts], [len(part.faces) for part in parts])
    of_pixel = torch.from_numpy(of_face)[surface.fragments.face[surface.fragments.covered]]
    values = torch.zeros(len(uvs), 3)
    for number, image in enumerate(images.values()):
        rows = (of_pixel == number).nonzero()[:, 0]
        values[rows] = texture(image, uvs[rows])
    return values


def _of_parts(asset: Asset, attribute: str) -> Tensor:
    """An attribute [V, C] of the vertices of all parts, in their order."""
    return torch.from_numpy(np.concatenate([getattr(part, attribute) for part in asset.mesh.parts])).float()


def texture(image: np.ndarray, uvs: Tensor) -> Tensor:
    """Bilinear look-up [P, C] in 0..1 of a uint8 `image` [H, W, C] at glTF `uvs` [P, 2] (0, 0 is the top left)."""
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255
    grid = (uvs * 2 - 1).view(1, 1, -1, 2)
    values = F.grid_sample(pixels, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return values[0, :, 0].T
