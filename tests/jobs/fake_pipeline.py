"""A pipeline of toys. Words of the prompt decide what happens: refuse, break, stall, checkpoint, slow."""

import json
import struct
import time

import numpy as np

from idto3d.errors import UserError
from idto3d.events import Finished, LikenessMeasured, Notice, Preview, StageStarted, StepDone

STAGES = ("shape", "material")


def create_head(photos, options, folder, resume):
    """Pretend to make a head."""
    words = options.prompt.split()
    yield from read_photos(photos, folder, words)
    first = yield from start_point(folder, words, resume)
    for stage in STAGES:
        steps = getattr(options, stage).steps
        yield StageStarted(stage, steps)
        for step in range(first if stage == "shape" else 1, steps + 1):
            time.sleep(0.05 if "slow" in words else 0.0)
            yield from one_step(folder, stage, step, steps, words)
    yield LikenessMeasured(0.71, "fake")
    glb = folder / "head.glb"
    glb.write_bytes(tiny_glb(options.expressions))
    yield Finished(folder, glb)


def read_photos(photos, folder, words):
    """The subject stage."""
    yield StageStarted("subject", 1)
    (folder / "subject").mkdir(exist_ok=True)
    (folder / "subject" / "embedding.json").write_text("[1, 2, 3]")
    for _photo in photos:
        yield Preview("subject", "crop", ball(64))
    if "refuse" in words:
        raise UserError("No face was found in any photo.", "Use a photo in which the face is larger.")
    if "break" in words:
        raise RuntimeError("a toy broke")
    yield Notice(f"Resumed words: {' '.join(words)}.")
    yield StepDone("subject", 1, 1)


def start_point(folder, words, resume):
    """The first shape step to do."""
    if "checkpoint" in words and resume:
        from idto3d.jobs.checkpoint import Checkpointer

        if latest := Checkpointer(folder / "checkpoints", 0).latest():
            yield Notice(f"Continued after step {latest.step}.")
            return latest.step + 1
    return 1


def one_step(folder, stage, step, steps, words):
    """One optimisation step."""
    if "stall" in words and step == 3:
        time.sleep(60)
    if step % 5 == 1:
        yield Preview(stage, "normal" if stage == "shape" else "relit", ball(96, step / steps, stage != "shape"))
    if "checkpoint" in words:
        import torch

        from idto3d.jobs.checkpoint import Checkpointer

        state = {"stage": stage}
        Checkpointer(folder / "checkpoints", 0).save(stage, step, {"weight": torch.full((3,), step)}, state, force=True)
    yield StepDone(stage, step, steps, {"sds": 1.0 / step})


def render_view(folder, options):
    """Pretend to draw the head; the expression weights make it wider."""
    if options.mode == "roughness":
        raise UserError("The toy has no roughness.", "Choose another mode.")
    if options.video:
        with open(options.video, "wb") as file:
            file.write(b"mp4")
    return ball(options.size, sum(weight for _, weight in options.expressions), options.mode != "normal")


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


def tiny_glb(names):
    """A GLB of one triangle with a morph target per name."""
    corners = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], np.float32)
    data = corners.tobytes() * 2
    accessor = {"componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [0.1, 0.1, 0]}
    primitive = {"attributes": {"POSITION": 0}, "targets": [{"POSITION": 1} for _ in names]}
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive], "extras": {"targetNames": list(names)}}],
        "accessors": [{"bufferView": 0, **accessor}, {"bufferView": 1, **accessor}],
        "bufferViews": [{"buffer": 0, "byteOffset": 36 * i, "byteLength": 36} for i in range(2)],
        "buffers": [{"byteLength": len(data)}],
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    body = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body
