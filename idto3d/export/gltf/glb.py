"""One GLB of a head: a mesh per part, a morph target per expression, PBR textures, a one-joint skin, a short clip.

glTF 2.0: right-handed, Y up, the face looks to +Z, metres. No extension is used, so that every importer can read it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pygltflib as gltf

from idto3d.export.gltf.accessors import BufferWriter
from idto3d.export.gltf.provenance import GENERATOR, Provenance, as_extras

SMALLEST_MOVE_M = 2e-5  # metres; a vertex that an expression moves less stays where it is
CLIP = "expressions"  # name of the animation


@dataclass(frozen=True)
class PartMesh:
    """One part of a head ready to export, in metres.

    positions, normals: [V, 3]. tangents: [V, 4]. uvs: [V, 2], v down. faces: [F, 3]. displacements: [K, V, 3] from
    `positions` to each of the head's expressions. material: the name of the textures it wears.
    """

    name: str
    material: str
    positions: np.ndarray
    normals: np.ndarray
    tangents: np.ndarray
    uvs: np.ndarray
    faces: np.ndarray
    displacements: np.ndarray


@dataclass(frozen=True)
class HeadMesh:
    """A head ready to export: its parts and the names, as in `expressions.NAMES`, of the K expressions of them all."""

    parts: tuple[PartMesh, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class ImageFiles:
    """The three textures of a material as the bytes of PNG or JPEG files: albedo sRGB, the others linear."""

    albedo: bytes
    metallic_roughness: bytes
    normal: bytes


def target_name(expression: str) -> str:
    """The morph target's name: lowerCamelCase, as engines and ARKit have it ("mouth stretch" -> "mouthStretch")."""
    first, *rest = expression.split()
    return first.lower() + "".join(word.capitalize() for word in rest)


def glb_bytes(mesh: HeadMesh, images: Mapping[str, ImageFiles], provenance: Provenance) -> bytes:
    """The GLB file; `images` are those of each material that the parts name."""
    document = gltf.GLTF2(asset=gltf.Asset(version="2.0", generator=GENERATOR, extras=as_extras(provenance)))
    writer = BufferWriter(document)
    materials = list(images)
    document.meshes = [_mesh(writer, part, mesh.names, materials.index(part.material)) for part in mesh.parts]
    document.samplers = [_sampler()]
    document.materials = [_material(writer, name, files) for name, files in images.items()]
    _add_skeleton(writer, [part.name for part in mesh.parts])
    if mesh.names:
        document.animations = [_clip(writer, len(mesh.parts), len(mesh.names))]
    document.buffers = [gltf.Buffer(byteLength=len(writer.content))]
    document.set_binary_blob(bytes(writer.content))
    return b"".join(document.save_to_bytes())


def _mesh(writer: BufferWriter, part: PartMesh, expressions: tuple[str, ...], material: int) -> gltf.Mesh:
    moved = displacements_kept(part.displacements)
    primitive = gltf.Primitive(
        attributes=_attributes(writer, part),
        indices=writer.array(_indices(part), gltf.ELEMENT_ARRAY_BUFFER),
        material=material,
        targets=[{"POSITION": writer.mostly_zero(one)} for one in moved],
    )
    names = {"targetNames": [target_name(name) for name in expressions], "expressions": list(expressions)}
    return gltf.Mesh(
        name=part.name,
        primitives=[primitive],
        weights=[0.0] * len(expressions),
        extras=names if expressions else {},
    )


def displacements_kept(displacements: np.ndarray) -> np.ndarray:
    """`displacements` [K, V, 3] float32 without the movements too small to see."""
    still = np.linalg.norm(displacements, axis=-1, keepdims=True) < SMALLEST_MOVE_M
    return np.where(still, 0.0, displacements).astype(np.float32)


def _attributes(writer: BufferWriter, part: PartMesh) -> gltf.Attributes:
    count = len(part.positions)
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = 1.0
    return gltf.Attributes(
        POSITION=writer.bounded_array(part.positions.astype(np.float32), gltf.ARRAY_BUFFER),
        NORMAL=writer.array(part.normals.astype(np.float32), gltf.ARRAY_BUFFER),
        TANGENT=writer.array(part.tangents.astype(np.float32), gltf.ARRAY_BUFFER),
        TEXCOORD_0=writer.array(part.uvs.astype(np.float32), gltf.ARRAY_BUFFER),
        JOINTS_0=writer.array(np.zeros((count, 4), np.uint8), gltf.ARRAY_BUFFER),
        WEIGHTS_0=writer.array(weights, gltf.ARRAY_BUFFER),
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


def _material(writer: BufferWriter, name: str, images: ImageFiles) -> gltf.Material:
    albedo = _texture(writer, f"{name}_albedo", images.albedo)
    rough = _texture(writer, f"{name}_metallic_roughness", images.metallic_roughness)
    normal = _texture(writer, f"{name}_normal", images.normal)
    return gltf.Material(
        name=name,
        pbrMetallicRoughness=gltf.PbrMetallicRoughness(
            baseColorTexture=gltf.TextureInfo(index=albedo), metallicRoughnessTexture=gltf.TextureInfo(index=rough)
        ),
        normalTexture=gltf.NormalMaterialTexture(index=normal),
        alphaMode="OPAQUE",
        alphaCutoff=None,
        doubleSided=False,
    )


def _texture(writer: BufferWriter, name: str, content: bytes) -> int:
    document = writer.document
    mime = "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
    document.images.append(gltf.Image(name=name, mimeType=mime, bufferView=writer.view(content)))
    document.textures.append(gltf.Texture(name=name, sampler=0, source=len(document.images) - 1))
    return len(document.textures) - 1


def _add_skeleton(writer: BufferWriter, parts: list[str]) -> None:
    """A node per part, and one joint at the origin for all: Unreal keeps morph targets on skeletal meshes only."""
    document = writer.document
    identity = np.eye(4, dtype=np.float32).reshape(1, 16)
    root = len(parts)
    meshes = [gltf.Node(name=name, mesh=index, skin=0) for index, name in enumerate(parts)]
    document.nodes = [*meshes, gltf.Node(name="root")]
    document.skins = [gltf.Skin(name="skin", joints=[root], skeleton=root, inverseBindMatrices=writer.array(identity))]
    document.scenes = [gltf.Scene(name="scene", nodes=list(range(root + 1)))]
    document.scene = 0


def _clip(writer: BufferWriter, parts: int, count: int) -> gltf.Animation:
    """Each of `count` expressions in turn, half a second up and half a second down, by all parts at once."""
    times = np.arange(2 * count + 1, dtype=np.float32) * np.float32(0.5)
    weights = np.zeros((len(times), count), np.float32)
    weights[2 * np.arange(count) + 1, np.arange(count)] = 1.0
    sampler = gltf.AnimationSampler(
        input=writer.bounded_array(times), output=writer.array(weights.ravel()), interpolation="LINEAR"
    )
    targets = [gltf.AnimationChannelTarget(node=node, path="weights") for node in range(parts)]
    channels = [gltf.AnimationChannel(sampler=0, target=target) for target in targets]
    return gltf.Animation(name=CLIP, samplers=[sampler], channels=channels)
