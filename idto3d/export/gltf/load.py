"""Reads a written head back, to draw it again or to edit it."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pygltflib as gltf

from idto3d.errors import UserError
from idto3d.export.gltf.accessors import read_accessor, read_view
from idto3d.export.gltf.mesh import HeadMesh, PartMesh, one_side
from idto3d.export.images import read_image
from idto3d.export.textures import Textures


@dataclass(frozen=True)
class Asset:
    """A head read from head.glb: its parts (metres), the textures of each material that they name, its origin.

    provenance: what `asset.extras` says. blend: what is see-through is blended, not cut out.
    """

    mesh: HeadMesh
    textures: Mapping[str, Textures]
    provenance: Mapping[str, object]
    blend: bool = False


def load_asset(folder: Path) -> Asset:
    """The head in `folder`/head.glb. Raises UserError when there is none, or when another program wrote it."""
    path = Path(folder) / "head.glb"
    if not path.is_file():
        raise UserError(f"There is no head.glb in {folder}.", "Give the folder that `generate` wrote.")
    try:
        document = gltf.GLTF2.load_binary(str(path))
        blend = any(material.alphaMode == "BLEND" for material in document.materials)
        return Asset(_mesh(document), _textures(document), document.asset.extras, blend)
    except (ValueError, IndexError, TypeError, AttributeError, KeyError, OSError, struct.error, StopIteration) as error:
        raise UserError(f"{path} is not a head that idto3d wrote.", "Give the folder that `generate` wrote.") from error


def _mesh(document: gltf.GLTF2) -> HeadMesh:
    names = tuple(document.meshes[0].extras.get("expressions", ()))
    nodes = [node for node in document.nodes if node.mesh is not None]
    return HeadMesh(tuple(_part(document, node) for node in nodes), names)


def _part(document: gltf.GLTF2, node: gltf.Node) -> PartMesh:
    mesh = document.meshes[node.mesh]
    primitive = mesh.primitives[0]
    attributes = primitive.attributes
    position = read_accessor(document, attributes.POSITION)
    part = PartMesh(
        name=mesh.name,
        material=document.materials[primitive.material].name,
        positions=position,
        normals=read_accessor(document, attributes.NORMAL),
        tangents=_tangents(document, attributes, len(position)),
        uvs=read_accessor(document, attributes.TEXCOORD_0),
        faces=read_accessor(document, primitive.indices).reshape(-1, 3).astype(np.int64),
        displacements=_targets(document, primitive, "POSITION", len(position)),
        normal_displacements=_targets(document, primitive, "NORMAL", len(position)),
        pivot=np.array(node.translation or (0.0, 0.0, 0.0)),
    )
    return one_side(part)


def _tangents(document: gltf.GLTF2, attributes: gltf.Attributes, count: int) -> np.ndarray:
    """Tangents [V, 4]; zero in a part without a normal map, which has none."""
    return np.zeros((count, 4)) if attributes.TANGENT is None else read_accessor(document, attributes.TANGENT)


def _targets(document: gltf.GLTF2, primitive: gltf.Primitive, attribute: str, count: int) -> np.ndarray:
    """What each morph target adds to an attribute [K, V, 3]; nothing, as glTF has it, where it does not say."""
    moved = np.zeros((len(primitive.targets), count, 3), np.float32)
    for row, target in zip(moved, primitive.targets, strict=True):
        if attribute in target:
            row[:] = read_accessor(document, target[attribute])
    return moved


def _textures(document: gltf.GLTF2) -> dict[str, Textures]:
    return {material.name: _textures_of(document, material) for material in document.materials}


def _textures_of(document: gltf.GLTF2, material: gltf.Material) -> Textures:
    surface, alpha = material.pbrMetallicRoughness, material.alphaMode != "OPAQUE"
    albedo = _image(document, surface.baseColorTexture, alpha)
    rough = _image(document, surface.metallicRoughnessTexture)
    metal = rough * np.array([1, 1, surface.metallicFactor != 0.0], np.uint8)
    return Textures(albedo, metal, _image(document, material.normalTexture))


def _image(document: gltf.GLTF2, texture: gltf.TextureInfo | None, alpha: bool = False) -> np.ndarray | None:
    if texture is None:
        return None
    image = document.images[document.textures[texture.index].source]
    return read_image(read_view(document, image.bufferView), alpha)
