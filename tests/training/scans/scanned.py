"""Made-up scans: balls the size of a head, red on the person's left and blue on the right; encoders that pretend."""

import json
import struct
import zlib

import numpy as np
import trimesh
from PIL import Image

from idto3d.subject.face import Face

RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (0, 255, 0)
HEIGHT = 0.36


def ball(scale: float = 1.0, turn: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] and faces [F, 3] of an upright ellipsoid HEIGHT metres tall, in units of 1 / `scale` metres."""
    sphere = trimesh.creation.icosphere(subdivisions=3)
    vertices = sphere.vertices * [0.1, HEIGHT / 2, 0.12] + [0.0, -0.01, 0.01]
    return (vertices / scale) @ (np.eye(3) if turn is None else turn).T, np.asarray(sphere.faces)


def two_coloured(scale: float = 1.0, turn: np.ndarray | None = None) -> trimesh.Trimesh:
    """The ball with a texture: red where x > 0, the person's left, before it is turned."""
    upright, faces = ball()
    texture = Image.fromarray(np.array([[BLUE] * 4 + [RED] * 4] * 4, np.uint8))
    uv = np.stack([np.where(upright[:, 0] > 0, 0.8, 0.2), np.full(len(upright), 0.5)], 1)
    material = trimesh.visual.material.SimpleMaterial(image=texture, diffuse=[255] * 4)
    visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    return trimesh.Trimesh(ball(scale, turn)[0], faces, process=False, visual=visual)


def with_eyes(degrees: float) -> trimesh.Trimesh:
    """The ball with two green eyes 6 cm apart, its head tilted by `degrees`."""
    vertices, faces = ball()
    front = vertices[:, 2] > 0.05
    near = [np.hypot(vertices[:, 0] - side, vertices[:, 1] - 0.03) < 0.012 for side in (-0.03, 0.03)]
    colours = np.full((len(vertices), 3), 128, np.uint8)
    colours[front & (near[0] | near[1])] = GREEN
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return trimesh.Trimesh(vertices @ turn.T, faces, process=False, vertex_colors=colours)


class BlindEncoder:
    """Finds no face anywhere."""

    name, dimension, border, notice = "dlib", 8, 0.4, ""

    def embed(self, pixels):
        return []


class GreenEncoder(BlindEncoder):
    """Finds a face wherever there is green: its eyes are the two halves of it. All faces are the same person's."""

    def embed(self, pixels):
        red, green = pixels[..., 0].astype(int), pixels[..., 1].astype(int)
        y, x = np.nonzero((green > 80) & (red < 40))
        if not len(x):
            return []
        left = x < x.mean()
        eyes = [[x[half].mean(), y[half].mean()] for half in (left, ~left)]
        marks = np.array(eyes + [[0, 0]] * 3, np.float32)
        return [Face((0, 0, 10, 10), marks, np.eye(8, dtype=np.float32)[0])]


def png_header(width: int, height: int) -> bytes:
    """The beginning of a PNG file that claims to be this large."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 100) + b"IDAT"


def glb_of(header: dict) -> bytes:
    """A GLB file of a JSON chunk alone."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    return b"glTF" + struct.pack("<II", 2, 20 + len(text)) + struct.pack("<I", len(text)) + b"JSON" + text
