"""A head that moves as a clip says, as a GLB of its own: head.glb with joints in its neck and one animation.

Expressions are weights of the morph targets that head.glb has. The bust stays, the neck bends: parts that reach below
the head are skinned, the others hang on the head's joint, so that every importer of glTF 2.0 can play it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pygltflib as gltf
from scipy.spatial.transform import Rotation

from idto3d.evidence.motion.pose import rotations
from idto3d.evidence.motion.track import Track
from idto3d.export.gltf.accessors import BufferWriter
from idto3d.export.gltf.container import packed
from idto3d.export.gltf.reading import Glb, open_glb
from idto3d.export.moving.neck import WHOLE, Neck

JOINTS = ("bust_joint", "neck_joint", "head_joint")
ROOT = "head"


@dataclass(frozen=True, eq=False)
class Placed:
    """A mesh of the file: its number, the name of its node, and its matrix [4, 4] in the world."""

    mesh: int
    name: str
    matrix: np.ndarray


def moving_glb(content: bytes, neck: Neck, track: Track, name: str) -> bytes:
    """The head of a GLB file `content` playing `track` as the animation `name`.

    Raises ValueError, or what missing and odd entries of a header raise, for a file that is no head.
    """
    glb = open_glb(content, "head.glb")
    placed = [Placed(line[-1][0]["mesh"], _name(line), line[-1][1]) for line in glb.placed() if "mesh" in line[-1][0]]
    header, writer = dict(glb.header), _writer_after(glb)
    meshes = json.loads(json.dumps(header["meshes"]))
    skinned = [one for one in placed if _bind(glb, writer, neck, meshes[one.mesh], one)]
    nodes, joints = _nodes(placed, skinned, neck)
    header |= {"meshes": meshes, "nodes": nodes, "scene": 0}
    header["scenes"] = [{"name": "scene", "nodes": [len(nodes) - 1, *range(len(skinned))]}]
    header["skins"] = [_skin(writer, neck, joints, one) for one in skinned]
    moved = [meshes[node["mesh"]] for node in nodes if "mesh" in node]
    header["animations"] = [{"name": name, **_animation(writer, neck, track, joints, moved)}]
    return _joined(header, glb, writer)


def _name(line) -> str:
    return next((node["name"] for node, _ in reversed(line) if node.get("name")), "part")


def _writer_after(glb: Glb) -> BufferWriter:
    """A writer that goes on where the file ends; the places of what is there are held by empty entries."""
    document = gltf.GLTF2(
        bufferViews=[gltf.BufferView() for _ in glb.all("bufferViews")],
        accessors=[gltf.Accessor() for _ in glb.all("accessors")],
    )
    writer = BufferWriter(document)
    writer.content.extend(glb.binary)
    return writer


def _joined(header: dict, glb: Glb, writer: BufferWriter) -> bytes:
    added = json.loads(writer.document.gltf_to_json())
    for kind in ("bufferViews", "accessors"):
        header[kind] = [*glb.all(kind), *added[kind][len(glb.all(kind)) :]]
    header["buffers"] = [{"byteLength": len(writer.content)}]
    return packed(header, bytes(writer.content))


def _bind(glb: Glb, writer: BufferWriter, neck: Neck, mesh: dict, place: Placed) -> bool:
    """Give a mesh its shares where it reaches below the head; whether it does."""
    shares = [_shares(glb, neck, primitive, place) for primitive in mesh["primitives"]]
    if all((one[:, 2] >= WHOLE).all() for one in shares):
        return False
    for primitive, own in zip(mesh["primitives"], shares, strict=True):
        weights = np.concatenate([own, np.zeros_like(own[:, :1])], 1).astype(np.float32)
        weights /= weights.sum(1, keepdims=True)
        joints = np.where(weights > 0, np.arange(4), 0).astype(np.uint8)
        primitive["attributes"] |= {
            "JOINTS_0": writer.array(joints, gltf.ARRAY_BUFFER),
            "WEIGHTS_0": writer.array(weights, gltf.ARRAY_BUFFER),
        }
    return True


def _shares(glb: Glb, neck: Neck, primitive: dict, place: Placed) -> np.ndarray:
    points = glb.floats(primitive["attributes"]["POSITION"])
    return neck.shares(place.name, points @ place.matrix[:3, :3].T + place.matrix[:3, 3])


def _nodes(placed: Sequence[Placed], skinned: Sequence[Placed], neck: Neck) -> tuple[list[dict], list[int]]:
    """All nodes, skinned ones first and the root last; and the numbers of the three joints.

    A skinned node's own place means nothing, so it lies at the scene's root; see Skins in glTF 2.0.
    """
    rigid = [one for one in placed if one not in skinned]
    nodes = [{"name": one.name, "mesh": one.mesh, "skin": number} for number, one in enumerate(skinned)]
    nodes += [{"name": one.name, "mesh": one.mesh, **_local(one.matrix, neck.head)} for one in rigid]
    bust, lower, upper = joints = [len(nodes) + number for number in range(3)]
    hung = list(range(len(skinned), len(nodes)))
    nodes += [
        {"name": JOINTS[0], "children": [lower]},
        {"name": JOINTS[1], "translation": neck.neck.tolist(), "children": [upper]},
        {"name": JOINTS[2], "translation": (neck.head - neck.neck).tolist(), "children": hung},
        {"name": ROOT, "children": [bust]},
    ]
    nodes = [{key: value for key, value in node.items() if value != []} for node in nodes]
    return nodes, joints


def _local(matrix: np.ndarray, parent: np.ndarray) -> dict:
    """What puts a node below a joint at `parent` [3] where it was."""
    if np.array_equal(matrix[:3, :3], np.eye(3)):
        return {"translation": (matrix[:3, 3] - parent).tolist()}
    moved = matrix.copy()
    moved[:3, 3] -= parent
    return {"matrix": moved.T.ravel().tolist()}


def _skin(writer: BufferWriter, neck: Neck, joints: Sequence[int], place: Placed) -> dict:
    """What leads from a mesh to the rest of its joints."""
    inverse = []
    for joint in (np.zeros(3), neck.neck, neck.head):
        moved = place.matrix.copy()
        moved[:3, 3] -= joint
        inverse.append(moved.T)
    accessor = writer.array(np.stack(inverse).reshape(3, 16).astype(np.float32))
    return {"name": place.name, "joints": list(joints), "skeleton": joints[0], "inverseBindMatrices": accessor}


def _animation(writer: BufferWriter, neck: Neck, track: Track, joints: Sequence[int], meshes: Sequence[dict]) -> dict:
    """Weights of all meshes, and turns of the two upper joints. The meshes' nodes are the first ones."""
    times = writer.bounded_array(track.times)
    samplers, channels, known = [], [], {}
    for node, mesh in enumerate(meshes):
        targets = tuple(mesh.get("extras", {}).get("targetNames", ()))
        if not targets:
            continue
        if targets not in known:
            known[targets] = len(samplers)
            samplers.append({"input": times, "output": writer.array(_weights(track, targets).ravel())})
        channels.append({"sampler": known[targets], "target": {"node": node, "path": "weights"}})
    for joint, turns in zip(joints[1:], neck.joint_turns(rotations(track.turns)), strict=True):
        turned = writer.array(Rotation.from_matrix(turns).as_quat().astype(np.float32))
        channels.append({"sampler": len(samplers), "target": {"node": joint, "path": "rotation"}})
        samplers.append({"input": times, "output": turned})
    return {"samplers": [{**one, "interpolation": "LINEAR"} for one in samplers], "channels": channels}


def _weights(track: Track, targets: Sequence[str]) -> np.ndarray:
    """[T, K] float32 the weights of a mesh's morph targets."""
    weights = np.zeros((len(track.weights), len(targets)), np.float32)
    for column, target in enumerate(targets):
        if target in track.names:
            weights[:, column] = track.weights[:, track.names.index(target)]
    return weights
