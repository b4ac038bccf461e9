"""Drawing a finished head from its GLB: any light, expression mix, direction and mode, as a picture or a turntable."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from idto3d.config import HDRI, RenderOptions
from idto3d.errors import UserError
from idto3d.export.gltf.load import Asset, load_asset
from idto3d.export.gltf.mesh import PartMesh, Pose, posed
from idto3d.export.gltf.provenance import GENERATOR
from idto3d.export.video import turntable_angles, write_video
from idto3d.geometry.mesh import face_normals
from idto3d.render.backends.kernel import QUARTERS, Holes, holes_of
from idto3d.render.backends.numba_raster import NumbaRasterizer
from idto3d.render.brdf import shade
from idto3d.render.camera import standard_cameras
from idto3d.render.color import linear_from_srgb, srgb_from_linear, tone_map
from idto3d.render.draw import Surface, camera_normals, draw_surface, paint, sample, to_uint8
from idto3d.render.environment import Environment, environment_names, load_environment, rotate
from idto3d.render.panorama.load import TYPES, light_from_file

CLAY = 0.45  # linear grey of the clay mode
FRAMES = 72
DEFAULT_LIGHT = "studio_three_point"
AT_ONCE = 1 << 14  # pixels that are shaded at a time: what is computed on the way stays in the processor's cache
CUT = 0.5  # opacity under which nothing is drawn of what is cut out


def draw_view(folder: Path, options: RenderOptions) -> np.ndarray:
    """A picture [S, S, 3] uint8 sRGB of the head in `folder`; with `options.video` its turntable is written there.

    Raises UserError where there is no head, or no such expression or light.
    """
    asset = _opened(Path(folder), _stamp(Path(folder) / "head.glb"))
    poses = posed(asset.mesh, dict(options.expressions))
    light = rotate(find_light(options.light), math.radians(options.light_rotation_deg))
    if options.video:
        angles = turntable_angles(FRAMES)
        views = (replace(options, azimuth_deg=options.azimuth_deg + angle) for angle in angles)
        frames = (picture(asset, poses, view, light) for view in views)
        for _ in write_video(Path(options.video), frames, GENERATOR):
            pass
    return picture(asset, poses, options, light)


@lru_cache(maxsize=4)
def _opened(folder: Path, _stamp: tuple[int, ...]) -> Asset:
    """The head in `folder`, read once while its file stays the same: reading takes half as long as drawing."""
    return load_asset(folder)


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when a file is replaced; nothing where there is none."""
    if not path.is_file():
        return ()
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def find_light(light: str) -> Environment:
    """The light called `light` in assets/hdri, or in a .hdr or .exr file; the default one for an empty name."""
    names = environment_names(HDRI)
    if not light:
        return _stored(DEFAULT_LIGHT if DEFAULT_LIGHT in names else names[0])
    if light in names:
        return _stored(light)
    if Path(light).suffix.lower() in TYPES and Path(light).is_file():
        return light_from_file(light)
    raise UserError(f"There is no light '{light}'.", f"Give an .hdr or .exr file, or one of: {', '.join(names)}.")


@lru_cache(maxsize=64)
def _stored(name: str) -> Environment:
    return load_environment(HDRI / f"{name}.hdr")


@dataclass(frozen=True)
class Seen:
    """What a camera sees of a head: its surface, and of the P covered pixels uvs [P, 2], tangents [P, 4] and the place
    [P] of the material among the asset's textures.
    """

    surface: Surface
    uvs: Tensor
    tangents: Tensor
    material: Tensor

    def some(self, rows: slice) -> "Seen":
        """The same of some of the covered pixels."""
        values = {name: getattr(self.surface, name)[rows] for name in ("position", "normal", "view")}
        return Seen(replace(self.surface, **values), self.uvs[rows], self.tangents[rows], self.material[rows])


@torch.no_grad()
def picture(asset: Asset, poses: Sequence[Pose], options: RenderOptions, light: Environment) -> np.ndarray:
    """A picture [S, S, 3] uint8 sRGB of the head from the options' side, its parts in their `poses`."""
    found = seen(asset, poses, options.azimuth_deg, options.elevation_deg, 2 * options.size)
    pieces = (found.some(slice(start, start + AT_ONCE)) for start in range(0, len(found.uvs), AT_ONCE))
    colours = torch.cat([torch.zeros(0, 3), *(drawn(asset, piece, options.mode, light) for piece in pieces)])
    image = paint(found.surface, colours)[0]
    halved = F.avg_pool2d(image.permute(0, 3, 1, 2), 2)
    return to_uint8(halved[0].permute(1, 2, 0))


def seen(asset: Asset, poses: Sequence[Pose], azimuth_deg: float, elevation_deg: float, size: int) -> Seen:
    """What the standard camera sees of the posed parts together."""
    parts = asset.mesh.parts
    starts = np.cumsum([0, *(len(part.positions) for part in parts[:-1])])
    faces = torch.from_numpy(np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]))
    vertices, normals = (_joined(poses, name) for name in ("positions", "normals"))
    along = torch.cat([_joined(parts, "uvs"), _joined(parts, "tangents")], -1)
    camera, rasterizer = standard_cameras(azimuth_deg, elevation_deg), NumbaRasterizer(asset_holes(asset))
    faces = _fronts(asset, vertices, faces, camera.c2w[0, :3, 3])
    surface = draw_surface(vertices, faces, camera, rasterizer, size, normals)
    uvs, tangents = sample(surface, along).split([2, 4], -1)
    return Seen(surface, uvs, tangents, _materials(asset, surface))


def _fronts(asset: Asset, vertices: Tensor, faces: Tensor, eye: Tensor) -> Tensor:
    """The faces [F, 3] without opaque ones turned away from `eye` [3], which shrink to a corner: glTF shows none."""
    parts = asset.mesh.parts
    solid = np.repeat([not asset.textures[p.material].see_through for p in parts], [len(p.faces) for p in parts])
    away = (face_normals(vertices, faces) * (eye - vertices[faces[:, 0]])).sum(-1) < 0
    return torch.where((away & torch.from_numpy(solid))[:, None], faces[:, :1], faces)


def _joined(values: Sequence[Pose | PartMesh], name: str) -> Tensor:
    """An attribute [V, C] of the vertices of all parts, in their order."""
    return torch.from_numpy(np.concatenate([getattr(one, name) for one in values])).float()


def asset_holes(asset: Asset) -> Holes:
    """Where the head's materials are not solid; of what is blended, a pixel's four quarters decide each for itself."""
    pages = {name: one.albedo[..., 3] for name, one in asset.textures.items() if one.see_through}
    numbers = {name: number for number, name in enumerate(pages)}
    page = np.concatenate([np.full(len(p.faces), numbers.get(p.material, -1)) for p in asset.mesh.parts])
    least = QUARTERS if asset.blend else np.full((2, 2), CUT, np.float32)
    return holes_of(_joined(asset.mesh.parts, "uvs").numpy(), page, list(pages.values()), least)


def _materials(asset: Asset, surface: Surface) -> Tensor:
    """The place [P] among the asset's textures of what each covered pixel shows."""
    names, parts = list(asset.textures), asset.mesh.parts
    of_face = np.repeat([names.index(part.material) for part in parts], [len(part.faces) for part in parts])
    return torch.from_numpy(of_face)[surface.fragments.face[surface.fragments.covered]]


def drawn(asset: Asset, found: Seen, mode: str, light: Environment) -> Tensor:
    """What the covered pixels show [P, 3], 0..1, in one of the modes."""
    rough = worn(asset, found, "metallic_roughness")
    if mode == "roughness":
        return rough[:, 1:2].expand(-1, 3)
    albedo = worn(asset, found, "albedo")
    if mode == "albedo":
        return albedo
    normal = relief(asset, found)
    if mode == "normal":
        return (camera_normals(replace(found.surface, normal=normal)) + 1) / 2
    colour, gloss, metal = linear_from_srgb(albedo), rough[:, 1:2], rough[:, 2:3]
    if mode == "clay":
        colour, gloss, metal = torch.full_like(colour, CLAY), torch.full_like(gloss, 0.7), torch.zeros_like(metal)
    dull = worn(asset, found, "specular", 1.0)[:, :1] if mode == "relit" else torch.ones_like(gloss)
    return srgb_from_linear(tone_map(shade(normal, found.surface.view, colour, gloss, metal, light, dull)))


def relief(asset: Asset, found: Seen) -> Tensor:
    """Unit world normals [P, 3] that the normal maps give the covered pixels.

    Tangents are the neutral's in every expression, as in viewers of glTF whose morph targets do not move them.
    """
    local = 2 * worn(asset, found, "normal") - 1
    along_u, side = found.tangents.split([3, 1], -1)
    along_v = torch.linalg.cross(found.surface.normal, along_u) * side.sign()
    return F.normalize(local[:, :1] * along_u + local[:, 1:2] * along_v + local[:, 2:] * found.surface.normal, dim=-1)


def worn(asset: Asset, found: Seen, kind: str, missing: float = 0.5) -> Tensor:
    """What the pixels see [P, 3], 0..1, in one `kind` of Textures. A material without a normal map is flat.

    missing: what stands in the first two channels where there is no such texture.
    """
    values = torch.tensor([missing, missing, 1.0]).repeat(len(found.uvs), 1)
    for number, textures in enumerate(asset.textures.values()):
        image, rows = getattr(textures, kind), (found.material == number).nonzero()[:, 0]
        if image is not None and len(rows):
            grey = image.ndim == 2
            values[rows] = texture(image[..., None] if grey else image[..., :3], found.uvs[rows])
    return values


def texture(image: np.ndarray, uvs: Tensor) -> Tensor:
    """Bilinear look-up [P, C] in 0..1 of a uint8 `image` [H, W, C] at glTF `uvs` [P, 2] (0, 0 is the top left)."""
    last = torch.tensor([image.shape[1] - 1, image.shape[0] - 1])
    place = (uvs * (last + 1) - 0.5).clamp(min=torch.zeros(2), max=last.float())
    low = place.floor().long()
    high, share = torch.minimum(low + 1, last), place - low
    (left, top), (right, bottom) = low.T.numpy(), high.T.numpy()
    corners = (torch.from_numpy(image[y, x]).float() for y in (top, bottom) for x in (left, right))
    top_left, top_right, bottom_left, bottom_right = corners
    upper, lower = (torch.lerp(*pair, share[:, :1]) for pair in ((top_left, top_right), (bottom_left, bottom_right)))
    return torch.lerp(upper, lower, share[:, 1:]) / 255
