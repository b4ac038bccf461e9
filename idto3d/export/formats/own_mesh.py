"""An expression that was grown as a mesh of its own: one part, in the colours of the head of parts beneath. Metres."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from idto3d.config import ExportOptions
from idto3d.export.bake import SampleMaterial, albedo_texture, metallic_roughness_texture, sampled
from idto3d.export.gltf.glb import ImageFiles, Layout, glb_bytes
from idto3d.export.gltf.mesh import HeadMesh
from idto3d.export.gltf.provenance import Provenance
from idto3d.export.images import small_jpeg
from idto3d.export.prepare import dense_surfaces, part_meshes, prepared, simplified
from idto3d.export.surface import carry, closest_in_groups, grouped
from idto3d.export.textures import Textures
from idto3d.head.parts import Head, Part
from idto3d.render.color import linear_from_srgb
from idto3d.render.material import Material

NEIGHBOURS = 6  # nearest vertices of the head whose triangles a point may lie on
UNSEEN = ("lashes",)  # parts whose colour nothing around them has
BYTES = {"albedo": 0.3, "metallic_roughness": 0.12}  # at most, per texel


@dataclass(frozen=True)
class Clothes:
    """A head of parts in one expression as the N vertices of one mesh: positions [N, 3], uvs [N, 2], faces [F, 3], and
    which of `textures` each vertex is in, page [N].
    """

    positions: np.ndarray
    uvs: np.ndarray
    faces: np.ndarray
    page: np.ndarray
    textures: tuple[Textures, ...]


def clothes_of(mesh: HeadMesh, textures: Mapping[str, Textures]) -> Clothes:
    """What a head `mesh`, held in one expression, wears."""
    parts = [part for part in mesh.parts if part.material not in UNSEEN]
    starts = np.cumsum([0, *(len(part.positions) for part in parts)])
    names = list(textures)
    return Clothes(
        np.concatenate([part.positions + part.pivot for part in parts]).astype(np.float64),
        np.concatenate([part.uvs for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]).astype(np.int64),
        np.concatenate([np.full(len(part.positions), names.index(part.material)) for part in parts]),
        tuple(textures.values()),
    )


def colours_of(clothes: Clothes) -> SampleMaterial:
    """What the surface is made of that lies next to points."""
    tree, groups = cKDTree(clothes.positions), grouped(np.arange(len(clothes.page)), len(clothes.page))

    def sample(_material: str, points: Tensor, _expression: int) -> Material:
        places = points.double().cpu().numpy()
        near = tree.query(places, k=NEIGHBOURS)[1]
        onto = closest_in_groups(places, near, groups, clothes.positions, clothes.faces)
        values = _read(clothes, carry(clothes.uvs, onto), clothes.page[onto.corners[:, 0]])
        albedo, rough = torch.from_numpy(values).to(points).split([3, 1], -1)
        return Material(linear_from_srgb(albedo), rough, torch.zeros_like(rough))

    return sample


def _read(clothes: Clothes, uvs: np.ndarray, page: np.ndarray) -> np.ndarray:
    """[N, 4] sRGB albedo and roughness, 0..1, of the nearest texel at `uvs` [N, 2] of each one's page [N]."""
    values = np.zeros((len(uvs), 4))
    for number, own in enumerate(clothes.textures):
        here, size = page == number, len(own.albedo)
        column, row = (uvs[here] * size).astype(int).clip(0, size - 1).T
        values[here, :3] = own.albedo[row, column, :3] / 255
        values[here, 3] = own.metallic_roughness[row, column, 1] / 255
    return values


def own_mesh_glb(part: Part, clothes: Clothes, options: ExportOptions, provenance: Provenance) -> bytes:
    """A GLB of a grown `part`, which has no texture coordinates yet and lies about where the clothed head does."""
    head = Head(("neutral",), (part,))
    (dense,) = dense_surfaces(head).values()
    size = options.texture_size
    own = prepared(dense, *simplified(dense, options.faces, size), size)
    mesh = HeadMesh(tuple(part_meshes(head, own, 0, ()).values()), ())
    sample = colours_of(clothes)

    def of_part(points: Tensor, expression: int) -> Material:
        return sample(part.material, points, expression)

    channels = sampled(of_part, own.points, 0, part.vertices.device)
    maps = {"albedo": albedo_texture(channels, own.texels)}
    maps["metallic_roughness"] = metallic_roughness_texture(channels, own.texels)
    images = {name: small_jpeg(image, BYTES[name]) for name, image in maps.items()}
    files = ImageFiles(**images, normal=None, see_through=False, metal=False)
    return glb_bytes(mesh, {part.material: files}, provenance, Layout())
