"""One GLB of a head: neutral mesh, an expression per morph target, PBR textures, a one-joint skin, a short clip.

glTF 2.0: right-handed, Y up, the face looks to +Z, metres. No extension is used, so that every importer can read it.
"""

from dataclasses import dataclass

import numpy as np
import pygltflib as gltf

from idto3d.export.gltf.accessors import BufferWriter
from idto3d.export.gltf.provenance import GENERATOR, Provenance, as_extras

STILL = 2e-5  # metres; a vertex that an expression moves less stays where it is
CLIP = "expressions"  # name of the animation


@dataclass(frozen=True)
class HeadMesh:
    """A mesh ready to export, in metres.

    positions, normals: [V, 3]. tangents: [V, 4]. uvs: [V, 2], v down. faces: [F, 3]. displacements: [K, V, 3] from
    `positions` to each expression. names: the K expressions, as in `expressions.NAMES`.
    """

    positions: np.ndarray
    normals: np.ndarray
    tangents: np.ndarray
    uvs: np.ndarray
    faces: np.ndarray
    displacements: np.ndarray
    names: tuple[str, ...]


@dataclass(frozen=True)
class ImageFiles:
    """The three textures as the bytes of PNG or JPEG files: albedo sRGB, the others linear."""

    albedo: bytes
    metallic_roughness: bytes
    normal: bytes


def target_name(expression: str) -> str:
    """The morph target's name: lowerCamelCase, as engines and ARKit have it ("mouth stretch" -> "mouthStretch")."""
    first, *rest = expression.split()
    return first.lower() + "".join(word.capitalize() for word in rest)


def glb_bytes(mesh: HeadMesh, textures: ImageFiles, provenance: Provenance) -> bytes:
    """The GLB file."""
    document = gltf.GLTF2(asset=gltf.Asset(version="2.0", generator=GENERATOR, extras=as_extras(provenance)))
    writer = BufferWriter(document)
    document.meshes = [_mesh(writer, mesh)]
    document.materials = [_material(writer, textures)]
    _add_skeleton(writer)
    if mesh.names:
        document.animations = [_clip(writer, len(mesh.names))]
    document.buffers = [gltf.Buffer(byteLength=len(writer.content))]
    document.set_binary_blob(bytes(writer.content))
    return b"".join(document.save_to_bytes())


def _mesh(writer: BufferWriter, mesh: HeadMesh) -> gltf.Mesh:
    moved = displacements_kept(mesh.displacements)
    primitive = gltf.Primitive(
        attributes=_attributes(writer, mesh),
        indices=writer.array(_indices(mesh), gltf.ELEMENT_ARRAY_BUFFER),
        material=0,
        targets=[{"POSITION": writer.mostly_zero(one)} for one in moved],
    )
    names = {"targetNames": [target_name(name) for name in mesh.names], "expressions": list(mesh.names)}
    return gltf.Mesh(
        name="head",
        primitives=[primitive],
        weights=[0.0] * len(mesh.names),
        extras=names if mesh.names else {},
    )


def displacements_kept(displacements: np.ndarray) -> np.ndarray:
    """`displacements` [K, V, 3] float32 without the movements too small to see."""
    still = np.linalg.norm(displacements, axis=-1, keepdims=True) < STILL
    return np.where(still, 0.0, displacements).astype(np.float32)


def _attributes(writer: BufferWriter, mesh: HeadMesh) -> gltf.Attributes:
    count = len(mesh.positions)
    weights = np.zeros((count, 4), np.float32)
    weights[:, 0] = 1.0
    return gltf.Attributes(
        POSITION=writer.bounded_array(mesh.positions.astype(np.float32), gltf.ARRAY_BUFFER),
        NORMAL=writer.array(mesh.normals.astype(np.float32), gltf.ARRAY_BUFFER),
        TANGENT=writer.array(mesh.tangents.astype(np.float32), gltf.ARRAY_BUFFER),
        TEXCOORD_0=writer.array(mesh.uvs.astype(np.float32), gltf.ARRAY_BUFFER),
        JOINTS_0=writer.array(np.zeros((count, 4), np.uint8), gltf.ARRAY_BUFFER),
        WEIGHTS_0=writer.array(weights, gltf.ARRAY_BUFFER),
    )


def _indices(mesh: HeadMesh) -> np.ndarray:
    return mesh.faces.ravel().astype(np.uint16 if len(mesh.positions) <= 65535 else np.uint32)


def _material(writer: BufferWriter, textures: ImageFiles) -> gltf.Material:
    document = writer.document
    document.samplers = [
        gltf.Sampler(
            magFilter=gltf.LINEAR,
            minFilter=gltf.LINEAR_MIPMAP_LINEAR,
            wrapS=gltf.CLAMP_TO_EDGE,
            wrapT=gltf.CLAMP_TO_EDGE,
        )
    ]
    albedo = _texture(writer, "albedo", textures.albedo)
    rough = _texture(writer, "metallic_roughness", textures.metallic_roughness)
    normal = _texture(writer, "normal", textures.normal)
    return gltf.Material(
        name="skin",
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


def _add_skeleton(writer: BufferWriter) -> None:
    """One joint at the origin that holds the whole head: Unreal keeps morph targets on skeletal meshes only."""
    document = writer.document
    identity = np.eye(4, dtype=np.float32).reshape(1, 16)
    document.nodes = [gltf.Node(name="head", mesh=0, skin=0), gltf.Node(name="root")]
    document.skins = [gltf.Skin(name="skin", joints=[1], skeleton=1, inverseBindMatrices=writer.array(identity))]
    document.scenes = [gltf.Scene(name="scene", nodes=[0, 1])]
    document.scene = 0


def _clip(writer: BufferWriter, count: int) -> gltf.Animation:
    """Every expression in turn, half a second up and half a second down."""
    times = np.arange(2 * count + 1, dtype=np.float32) * np.float32(0.5)
    weights = np.zeros((len(times), count), np.float32)
    weights[2 * np.arange(count) + 1, np.arange(count)] = 1.0
    sampler = gltf.AnimationSampler(
        input=writer.bounded_array(times), output=writer.array(weights.ravel()), interpolation="LINEAR"
    )
    channel = gltf.AnimationChannel(sampler=0, target=gltf.AnimationChannelTarget(node=0, path="weights"))
    return gltf.Animation(name=CLIP, samplers=[sampler], channels=[channel])
