"""A pipeline of toys. Words of the prompt decide what happens.

refuse: no face is found. break: a fault of ours. stall: a third into the shape it stands still, unless it did before.
checkpoint: it saves every step of the shape, and resumes there. full: the disk is, after three steps of the shape,
unless resumed. slow: 50 ms a step, half a second one of an edit. A head that is exported again heeds `REFUSED`,
`BROKEN` and `STALLED` faces, one that is edited the words refuse, break, stall and slow of that prompt.
"""

import json
import struct
import time
from pathlib import Path

import numpy as np

from idto3d.errors import UserError
from idto3d.events import (
    Candidate,
    CandidatesFound,
    Finished,
    HairChoice,
    HairFound,
    LikenessMeasured,
    Notice,
    Preview,
    StageStarted,
    StepDone,
)
from idto3d.files import write_atomic

STAGES = ("shape", "material")
REFUSED, BROKEN, STALLED = 101, 102, 103
SAVED = b"a face in numbers"


def create_head(photos, options, folder, checkpoints):
    """Pretend to make a head."""
    words = options.prompt.split()
    yield from read_photos(photos, words)
    first = yield from start_point(checkpoints, words)
    for stage in STAGES:
        steps = getattr(options, stage).steps
        yield StageStarted(stage, steps)
        for step in range(first if stage == "shape" else 1, steps + 1):
            time.sleep(0.05 if "slow" in words else 0.0)
            if "stall" in words and stage == "shape" and step == max(3, steps // 3):
                stand_still_once(checkpoints.folder)
            if "full" in words and first == 1 and step == 4:
                raise UserError("The disk is too full.", "Free some space and resume.")
            yield from one_step(checkpoints, stage, step, steps, words)
    yield LikenessMeasured(0.71, "fake", 0.9)
    (folder / "head.safetensors").write_bytes(SAVED + "|".join(options.expressions).encode())
    yield from export_head(folder, options.export)


def export_head(folder, options, into=None):
    """Pretend to write the asset of a saved head."""
    if not (folder / "head.safetensors").is_file():
        raise UserError("There is no saved head.", "Make one.")
    yield StageStarted("asset", 2)
    yield StepDone("asset", 1, 2)
    if options.faces == REFUSED:
        raise UserError("The toy has no faces.", "Give it some.")
    if options.faces == BROKEN:
        raise RuntimeError("a toy broke")
    if options.faces == STALLED:
        time.sleep(600)
    yield from put_down((folder / "head.safetensors").read_bytes(), into or folder, options.faces)


def put_down(saved, folder, faces):
    """Write a head whole; its edits are the lines after its names."""
    names, *edits = saved[len(SAVED) :].decode().split("\n")
    write_atomic(folder / "saved" / f"toy-{len(edits):032x}.safetensors", b"shared by all that were edited as often")
    write_atomic(folder / "head.safetensors", saved)
    write_atomic(folder / "textures" / "skin_albedo.png", edits[-1].encode() if edits else b"as made")
    for edit in edits[-1:]:
        if "glasses" in edit:
            write_atomic(folder / "textures" / "glasses_albedo.png", b"glasses")
    glb = write_atomic(folder / "head.glb", tiny_glb(names.split("|"), faces, edits))
    yield StepDone("asset", 2, 2)
    yield Finished(folder, glb)


def prepare():
    """Nothing is slow about toys, but they talk as some libraries do."""
    print("toys are ready", flush=True)


def remaining_pictures(folder):
    """Pretend to draw what is missing."""
    if not (folder / "renders" / "back.png").is_file():
        for _ in range(20 if b"unhurried" in (folder / "head.safetensors").read_bytes() else 1):
            yield None
            time.sleep(0.1 if b"unhurried" in (folder / "head.safetensors").read_bytes() else 0.0)
        yield Path("renders") / "back.png", b"a back"


def edit_head(folder, options, into=None):
    """Pretend to edit a saved head: its texture is the request."""
    words = options.prompt.split()
    yield StageStarted("edit", 4)
    if "refuse" in words:
        raise UserError("This changes nothing: 'refuse'.", "Say it in other words.")
    if "break" in words:
        raise RuntimeError("a toy broke")
    yield Preview("edit", "relit", ball(64))
    for step in range(1, 5):
        if step == 3 and "stall" in words:
            time.sleep(600)
        time.sleep(0.5 if "slow" in words else 0.0)
        yield StepDone("edit", step, 4)
    saved = (folder / "head.safetensors").read_bytes() + b"\n" + options.prompt.encode()
    yield from put_down(saved, into or folder, 0)


def stand_still_once(folder):
    """Ten minutes, unless a run with checkpoints in `folder` did before."""
    mark = folder / "stood"
    if not mark.exists():
        folder.mkdir(exist_ok=True)
        mark.touch()
        time.sleep(600)


def read_photos(photos, words):
    """The subject stage; a photo whose name has `nobody` in it shows no face."""
    yield StageStarted("subject", max(len(photos), 1))
    if "refuse" in words:
        raise UserError("No face was found in any photo.", "Use a photo in which the face is larger.")
    if "break" in words:
        raise RuntimeError("a toy broke")
    for step, photo in enumerate(photos, 1):
        if "nobody" in photo.name:
            yield Notice(f"'{photo.name}' is left out: no face was found.")
        else:
            yield Preview("subject", "crop", ball(64))
        yield StepDone("subject", step, len(photos))


def start_point(checkpoints, words):
    """The first shape step to do."""
    if "checkpoint" in words and (latest := checkpoints.latest("shape")):
        yield Notice(f"Continued after step {latest.step}.")
        return latest.step + 1
    return 1


def one_step(checkpoints, stage, step, steps, words):
    """One optimisation step."""
    if step % 5 == 1:
        yield Preview(stage, "normal" if stage == "shape" else "relit", ball(192, step / steps, stage != "shape"))
    if "checkpoint" in words and stage == "shape":
        import torch

        checkpoints.save(stage, step, {"weight": torch.full((3,), step)})
    yield StepDone(stage, step, steps, {"sds": 1.0 / step})


def render_view(folder, options):
    """Pretend to draw the head; the expression weights make it wider."""
    if options.mode == "roughness":
        raise UserError("The toy has no roughness.", "Choose another mode.")
    if options.video:
        with open(options.video, "wb") as file:
            file.write(b"mp4")
    return ball(options.size, sum(weight for _, weight in options.expressions), options.mode != "normal")


def viewer_head(folder):
    """Pretend to pack the head for the page's viewer: an egg as payload_bytes would, were it an asset."""
    return b"IDV1" + (folder / "head.glb").read_bytes()


def viewer_light(path):
    """Pretend to filter a light."""
    if "wrong" in path.name:
        raise UserError("This is no light.", "Choose another file.")
    return b"IDL1"


def ball(size, growth=0.0, lit=False):
    """[S, S, 3] uint8 picture of an egg: its normals, or a light from the upper left."""
    y, x = np.mgrid[0:size, 0:size] / size * 2 - 1
    x, y = x / (0.62 + 0.05 * growth), -y / 0.8
    inside = x**2 + y**2 < 1
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, 1))
    normal = np.stack([x, y, z], -1)
    colour = normal / 2 + 0.5
    if lit:
        colour = np.clip(normal @ np.array([-0.5, 0.5, 0.7]), 0.08, 1)[..., None] * np.array([0.87, 0.68, 0.58])
    return (np.where(inside[..., None], colour, 1.0) * 255).astype(np.uint8)


def tiny_glb(names, wanted=0, edits=()):
    """A GLB of an egg with a morph target per name but neutral, in lowerCamelCase; a target makes the egg wider."""
    names = [name.title().replace(" ", "") for name in names if name != "neutral"]
    names = [name[0].lower() + name[1:] for name in names]
    corners, faces = egg()
    wider = corners * np.array([0.2, 0, 0], np.float32)
    arrays = [(corners, 5126, "VEC3"), (unit(corners), 5126, "VEC3"), (wider, 5126, "VEC3"), (faces, 5125, "SCALAR")]
    data = b"".join(array.tobytes() for array, _, _ in arrays)
    starts = np.cumsum([0] + [array.nbytes for array, _, _ in arrays]).tolist()
    primitive = {"attributes": {"POSITION": 0, "NORMAL": 1}, "indices": 3, "material": 0}
    skin = {"baseColorFactor": [0.8, 0.55, 0.45, 1], "metallicFactor": 0, "roughnessFactor": 0.6}
    document = {
        "asset": {"version": "2.0", "extras": {"faces": wanted, "edits": list(edits)}},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "materials": [{"pbrMetallicRoughness": skin}],
        "meshes": [
            {
                "primitives": [primitive | {"targets": [{"POSITION": 2} for _ in names]}],
                "extras": {"targetNames": names},
            }
        ],
        "accessors": [
            {"bufferView": i, "componentType": kind, "count": len(array), "type": shape}
            | ({"min": array.min(0).tolist(), "max": array.max(0).tolist()} if shape == "VEC3" else {})
            for i, (array, kind, shape) in enumerate(arrays)
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": starts[i], "byteLength": array.nbytes} for i, (array, _, _) in enumerate(arrays)
        ],
        "buffers": [{"byteLength": len(data)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body


def egg(rows=24, columns=32):
    """Vertices [V, 3] float32 metres and corners [3F] uint32 of an egg."""
    down, around = np.meshgrid(np.linspace(0, np.pi, rows), np.linspace(0, 2 * np.pi, columns), indexing="ij")
    x, y, z = np.sin(down) * np.cos(around), np.cos(down), np.sin(down) * np.sin(around)
    vertices = np.stack([0.08 * x, 0.11 * y, 0.09 * z], -1).reshape(-1, 3).astype(np.float32)
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    quads = np.stack([corner, corner + 1, corner + columns, corner + 1, corner + columns + 1, corner + columns], -1)
    return vertices, quads.ravel().astype(np.uint32)


def unit(vectors):
    """`vectors` [N, 3] with length 1."""
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def propose(options, like=(), count=9):
    """Pretend to propose faces: their numbers are their place, the seed, and whom they are like."""
    if "refuse" in options.prompt:
        raise UserError("Nothing is known of such people.", "Say it in other words.")
    if "break" in options.prompt:
        raise RuntimeError("a toy broke")
    time.sleep(2.0 if "slow" in options.prompt else 0.0)
    yield Notice("Toys look alike.")
    first = like[0][0] if like else -1.0
    faces = [Candidate((float(i), float(options.seed), first), 1.0 - 0.1 * i, ball(32, i / 9)) for i in range(count)]
    yield CandidatesFound(tuple(faces))


def hair_choices(options):
    """Pretend to propose hair."""
    yield HairFound(
        tuple(HairChoice(name, 0.5, ball(32)) for name in ("bob", "bald")), (HairChoice("green", 0.9, ball(32)),)
    )
