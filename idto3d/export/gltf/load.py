"""Reads a written head back, to draw it again or to edit it."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pygltflib as gltf

from idto3d.errors import UserError
from idto3d.export.bake import Textures
from idto3d.export.gltf.accessors import read_accessor, read_view
from idto3d.export.gltf.glb import HeadMesh, PartMesh, target_name
from idto3d.export.images import read_image


@dataclass(frozen=True)
class Asset:
    """A head read from head.glb: its parts (metres), the textures of each material that they name, its origin.

    provenance: what `asset.extras` says.
    """

    mesh: HeadMesh
    textures: Mapping[str, Textures]
    provenance: Mapping[str, object]


def load_asset(folder: Path) -> Asset:
    """The head in `folder`/head.glb. Raises UserError when there is none, or when another program wrote it."""
    path = Path(folder) / "head.glb"
    if not path.is_file():
        raise UserError(f"There is no head.glb in {folder}.", "Give the folder that `generate` wrote.")
    try:
        document = gltf.GLTF2.load_binary(str(path))
        return Asset(_mesh(document), _textures(document), document.asset.extras)
    except (ValueError, IndexError, TypeError, AttributeError, KeyError, OSError, struct.error, StopIteration) as error:
        raise UserError(f"{path} is not a head that idto3d wrote.", "Give the folder that `generate` wrote.") from error


def posed(mesh: HeadMesh, weights: Mapping[str, float]) -> tuple[np.ndarray, ...]:
    """Positions [V, 3] of each part with each named expression at its weight, 0 for the others.

    Names are taken as in `expressions.NAMES` or as the morph targets are called. Raises UserError for an unknown one.
    """
    moving = [(_index(mesh, name), weight) for name, weight in weights.items() if target_name(name) != "neutral"]
    return tuple(
        part.positions.astype(np.float64) + sum(weight * part.displacements[index] for index, weight in moving)
        for part in mesh.parts
    )


def _index(mesh: HeadMesh, name: str) -> int:
    for index, known in enumerate(mesh.names):
        if name in (known, target_name(known)):
            return index
    raise UserError(f"This head has no expression '{name}'.", f"Choose from: {', '.join(mesh.names) or 'neutral'}.")


def _mesh(document: gltf.GLTF2) -> HeadMesh:
    names = tuple(document.meshes[0].extras.get("expressions", ()))
    return HeadMesh(tuple(_part(document, mesh) for mesh in document.meshes), names)


def _part(document: gltf.GLTF2, mesh: gltf.Mesh) -> PartMesh:
    primitive = mesh.primitives[0]
    attributes = primitive.attributes
    position = read_accessor(document, attributes.POSITION)
    moved = [read_accessor(document, target["POSITION"]) for target in primitive.targets]
    return PartMesh(
        name=mesh.name,
        material=document.materials[primitive.material].name,
        positions=position,
        normals=read_accessor(document, attributes.NORMAL),
        tangents=read_accessor(document, attributes.TANGENT),
        uvs=read_accessor(document, attributes.TEXCOORD_0),
        faces=read_accessor(document, primitive.indices).reshape(-1, 3).astype(np.int64),
        displacements=np.stack(moved) if moved else np.zeros((0, *position.shape), np.float32),
    )


def _textures(document: gltf.GLTF2) -> dict[str, Textures]:
    return {material.name: _textures_of(document, material) for material in document.materials}


def _textures_of(document: gltf.GLTF2, material: gltf.Material) -> Textures:
    surface = material.pbrMetallicRoughness
    used = (surface.baseColorTexture, surface.metallicRoughnessTexture, material.normalTexture)
    images = [document.images[document.textures[one.index].source] for one in used]
    return Textures(*(read_image(read_view(document, image.bufferView)) for image in images))
