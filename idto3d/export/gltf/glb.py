"""One GLB of a head: a node and a mesh per part below one root, a morph target per expression, PBR textures.

glTF 2.0: right-handed, Y up, the face looks to +Z, metres. No skin or (unless asked for) animation is used, and one
extension, which whoever does not know it may leave aside: every importer can read it, none plays anything by itself.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pygltflib as gltf

from idto3d.export.gltf.accessors import BufferWriter
from idto3d.export.gltf.clip import expression_clip
from idto3d.export.gltf.container import packed
from idto3d.export.gltf.former import Former, copied_mesh
from idto3d.export.gltf.mesh import HeadMesh, PartMesh, both_sides, target_name, visible
from idto3d.export.gltf.provenance import GENERATOR, Provenance, as_extras
from idto3d.export.gltf.specular import SPECULAR
from idto3d.stages.edit.paint.parted import kind_of

ROOT = "head"
ONE_SIDED = ("beard",)  # kinds of sheets that stand so close on the skin that nobody sees them from behind


@dataclass(frozen=True)
class ImageFiles:
    """The textures of a material as the bytes of PNG or JPEG files: albedo and specular sRGB, the others linear.

    normal is None where the material has no relief, specular where it reflects as plastics do. see_through: the albedo
    has an alpha channel. metal: what the blue channel says of metal counts; otherwise there is none.
    """

    albedo: bytes
    metallic_roughness: bytes
    normal: bytes | None
    specular: bytes | None = None
    see_through: bool = False
    metal: bool = True


@dataclass(frozen=True)
class Layout:
    """How the same head is written down.

    dense: morph targets say every vertex, also those they do not move. blend: what is see-through is blended, in
    place of being cut out where its alpha is under a half. clip: the file plays its expressions.
    """

    dense: bool = False
    blend: bool = False
    clip: bool = False


def glb_bytes(
    mesh: HeadMesh,
    images: Mapping[str, ImageFiles],
    provenance: Provenance,
    layout: Layout = Layout(),
    former: Former | None = None,
) -> bytes:
    """The GLB file; `images` are those of each material that the parts name.

    Parts that `former`, of the same layout, still has right are taken from there: of these `mesh` has the rest alone.
    """
    document = gltf.GLTF2(asset=gltf.Asset(version="2.0", generator=GENERATOR))
    writer = BufferWriter(document)
    materials = list(images)
    for part in mesh.parts:
        material = materials.index(part.material)
        if former is not None and (known := former.mesh(part.name)):
            document.meshes.append(copied_mesh(writer, former.glb, known))
            document.meshes[-1].primitives[0].material = material
            continue
        worn = images[part.material]
        shown = both_sides(part) if worn.see_through and kind_of(part.name) not in ONE_SIDED else part
        attributes = _attributes(writer, shown, worn.normal is not None)
        document.meshes.append(_mesh(writer, shown, mesh.names, attributes, layout))
        document.meshes[-1].primitives[0].material = material
    document.samplers = [_sampler()]
    document.materials = [_material(writer, name, files, layout.blend) for name, files in images.items()]
    if any(files.specular is not None for files in images.values()):
        document.extensionsUsed = [SPECULAR]
    _add_nodes(document, mesh.parts)
    if mesh.names and layout.clip:
        document.animations = [expression_clip(writer, len(mesh.parts), len(mesh.names))]
    document.buffers = [gltf.Buffer(byteLength=len(writer.content))]
    header = json.loads(document.gltf_to_json())
    header["asset"]["extras"] = as_extras(provenance)  # not by pygltflib, which deletes "", None, [] and {} in extras
    return packed(header, bytes(writer.content))


def _mesh(
    writer: BufferWriter, part: PartMesh, expressions: tuple[str, ...], attributes: gltf.Attributes, layout: Layout
) -> gltf.Mesh:
    primitive = gltf.Primitive(
        attributes=attributes,
        indices=writer.array(_indices(part), gltf.ELEMENT_ARRAY_BUFFER),
        targets=_targets(writer, part, layout.dense),
    )
    names = {"targetNames": [target_name(name) for name in expressions], "expressions": list(expressions)}
    return gltf.Mesh(
        name=part.name,
        primitives=[primitive],
        weights=[0.0] * len(expressions),
        extras=names if expressions else {},
    )


def _targets(writer: BufferWriter, part: PartMesh, dense: bool) -> list[dict[str, int]]:
    pairs = zip(*visible(part), strict=True)
    return [{"POSITION": _target(writer, move, dense), "NORMAL": _target(writer, turn, dense)} for move, turn in pairs]


def _target(writer: BufferWriter, values: np.ndarray, dense: bool) -> int:
    return writer.bounded_array(values, gltf.ARRAY_BUFFER) if dense and values.any() else writer.mostly_zero(values)


def _attributes(writer: BufferWriter, part: PartMesh, relief: bool) -> gltf.Attributes:
    """What each vertex says; tangents only below a normal map, where they mean something."""
    tangents = part.tangents.astype(np.float32)
    return gltf.Attributes(
        POSITION=writer.bounded_array(part.positions.astype(np.float32), gltf.ARRAY_BUFFER),
        NORMAL=writer.array(part.normals.astype(np.float32), gltf.ARRAY_BUFFER),
        TANGENT=writer.array(tangents, gltf.ARRAY_BUFFER) if relief else None,
        TEXCOORD_0=writer.array(part.uvs.astype(np.float32), gltf.ARRAY_BUFFER),
    )


def _indices(part: PartMesh) -> np.ndarray:
    return part.faces.ravel().astype(np.uint16 if len(part.positions) <= 65535 else np.uint32)


def _sampler() -> gltf.Sampler:
    return gltf.Sampler(
        magFilter=gltf.LINEAR,
        minFilter=gltf.LINEAR_MIPMAP_LINEAR,
        wrapS=gltf.CLAMP_TO_EDGE,
        wrapT=gltf.CLAMP_TO_EDGE,
    )


def _material(writer: BufferWriter, name: str, images: ImageFiles, blend: bool) -> gltf.Material:
    albedo = _texture(writer, f"{name}_albedo", images.albedo)
    rough = _texture(writer, f"{name}_metallic_roughness", images.metallic_roughness)
    normal = None if images.normal is None else _texture(writer, f"{name}_normal", images.normal)
    mode = ("BLEND" if blend else "MASK") if images.see_through else "OPAQUE"
    dull = None if images.specular is None else _texture(writer, f"{name}_specular", images.specular)
    return gltf.Material(
        name=name,
        pbrMetallicRoughness=gltf.PbrMetallicRoughness(
            baseColorTexture=gltf.TextureInfo(index=albedo),
            metallicRoughnessTexture=gltf.TextureInfo(index=rough),
            metallicFactor=1.0 if images.metal else 0.0,
        ),
        normalTexture=None if normal is None else gltf.NormalMaterialTexture(index=normal),
        extensions={} if dull is None else {SPECULAR: {"specularColorTexture": {"index": dull}}},
        alphaMode=mode,
        alphaCutoff=0.5 if mode == "MASK" else None,
    )


def _texture(writer: BufferWriter, name: str, content: bytes) -> int:
    document = writer.document
    mime = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    document.images.append(gltf.Image(name=name, mimeType=mime, bufferView=writer.view(content)))
    document.textures.append(gltf.Texture(name=name, sampler=0, source=len(document.images) - 1))
    return len(document.textures) - 1


def _add_nodes(document: gltf.GLTF2, parts: tuple[PartMesh, ...]) -> None:
    """A node per part, at what it turns about, below one root, whose name no part has."""
    names = [part.name for part in parts]
    nodes = [gltf.Node(name=part.name, mesh=index, translation=_origin(part)) for index, part in enumerate(parts)]
    root = gltf.Node(name=ROOT if ROOT not in names else "root", children=list(range(len(parts))))
    document.nodes = [*nodes, root]
    document.scenes = [gltf.Scene(name="scene", nodes=[len(parts)])]
    document.scene = 0


def _origin(part: PartMesh) -> list[float] | None:
    return part.pivot.tolist() if part.pivot.any() else None
