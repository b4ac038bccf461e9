"""Small lumpy heads, a stand-in for the field, and the validator of GLB files."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from idto3d.head.parts import Head, Part
from idto3d.render.material import Material
from idto3d.render.painted import PaintedMaterial

SCRIPT = Path(__file__).parent / "validate_glb.mjs"
NAMES = ("neutral", "mouth stretch", "brow raised")


def lumpy_ball(subdivisions: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Vertices [V, 3] in metres and faces [F, 3] of an egg about as large as a head, with a lump for a nose."""
    ball = trimesh.creation.icosphere(subdivisions=subdivisions)
    lump = np.exp(-20.0 * (1.0 - ball.vertices @ np.array([0.0, 0.0, 1.0])))
    return ball.vertices * (1.0 + 0.2 * lump[:, None]) * [0.075, 0.12, 0.095], np.asarray(ball.faces, np.int64)


@pytest.fixture
def lumpy():
    """`lumpy_ball`."""
    return lumpy_ball


def part(name, vertices, faces, expressions, material, uvs=None) -> Part:
    """A part whose `expressions` are positions [E, V, 3]."""
    displacements = torch.tensor(np.asarray(expressions) - vertices, dtype=torch.float32)
    given = None if uvs is None else torch.tensor(uvs, dtype=torch.float32)
    return Part(name, torch.tensor(vertices).float(), torch.tensor(faces), displacements, material, given)


@pytest.fixture(scope="session")
def head() -> Head:
    vertices, faces = lumpy_ball()
    chin = np.exp(-(((vertices - [0.0, -0.08, 0.06]) / 0.03) ** 2).sum(1))[:, None] * [0.0, -0.02, 0.0]
    brow = np.exp(-(((vertices - [0.0, 0.08, 0.06]) / 0.03) ** 2).sum(1))[:, None] * [0.0, 0.008, 0.002]
    return Head(NAMES, (part("head", vertices, faces, [vertices, vertices + chin, vertices + brow], "skin"),))


@pytest.fixture(scope="session")
def sample():
    """Skin green to the person's left, red to the right, bluer in later expressions; eyes blue and less rough."""

    def material(name, points, expression):
        left = (points[:, :1] > 0).float()
        albedo = torch.cat([1.0 - left, left, torch.full_like(left, 0.25 * expression)], dim=1)
        if name == "eye":
            albedo = torch.tensor([0.1, 0.1, 0.9]).expand(len(points), 3)
        rough = torch.full_like(left, 0.2 if name == "eye" else 0.6)
        return Material(albedo=albedo, roughness=rough, metallic=torch.full_like(left, 0.1))

    return material


def eyeball(middle, tile):
    """Vertices, faces and corner uvs of a ball without its back: its front and its sides each fill a tile of uv."""
    ball = trimesh.creation.icosphere(subdivisions=2)
    centre = ball.vertices[ball.faces].mean(1)[:, 2]
    faces = np.asarray(ball.faces, np.int64)[centre > -0.5]
    beside = (centre[centre > -0.5] < 0.3)[:, None, None]
    uvs = 0.25 + 0.24 * ball.vertices[faces][..., :2] * [1, -1] + np.where(beside, [0.5 * tile, 0.5], [0.5 * tile, 0])
    return ball.vertices * 0.014 + middle, faces, uvs


@pytest.fixture
def seeing() -> Head:
    """A head of two parts: a face and, apart from it, a bun, which stretch the mouth; two eyes, which look aside."""
    face, faces = lumpy_ball()
    bun = trimesh.creation.icosphere(subdivisions=1)
    vertices = np.concatenate([face, bun.vertices * 0.012 + [0.0, 0.16, 0.0]])
    chin = np.exp(-(((vertices - [0.0, -0.08, 0.06]) / 0.03) ** 2).sum(1))[:, None] * [0.0, -0.02, 0.0]
    (right, tiles, uvs), (left, _, others) = (eyeball([x, 0.03, 0.085], x > 0) for x in (-0.03, 0.03))
    balls, aside = np.concatenate([right, left]), np.array([0.003, 0.0, 0.0])
    skin = np.concatenate([faces, np.asarray(bun.faces, np.int64) + len(face)])
    return Head(
        ("neutral", "mouth stretch"),
        (
            part("skin", vertices, skin, [vertices, vertices + chin], "skin"),
            part(
                "eyes",
                balls,
                np.concatenate([tiles, tiles + len(right)]),
                [balls, balls + aside],
                "eye",
                np.concatenate([uvs, others]),
            ),
        ),
    )


EYE = (0.03, 0.03, 0.085)
SIZE = 32


def wrapped(vertices, faces):
    """Corner uvs [F, 3, 2] by longitude and height, cut open along the back of the head."""
    across = np.arctan2(vertices[:, 0], vertices[:, 2]) / (2 * np.pi) + 0.5
    corners = across[faces]
    corners = np.where((corners.max(1, keepdims=True) - corners > 0.5), corners + 1.0, corners) / 1.5
    height = 0.5 - vertices[:, 1] / 0.3
    return np.stack([corners, height[faces]], -1)


def sheet(rows=6, columns=3):
    """Vertices, faces and corner uvs of a fringe: a flat sheet before the forehead."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    vertices = np.stack([0.08 * u.ravel() - 0.04, 0.11 - 0.05 * v.ravel(), np.full(u.size, 0.11)], 1)
    start = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).reshape(-1, 1)
    faces = np.concatenate([start + [0, columns, 1], start + [1, columns, columns + 1]])
    return vertices, faces, np.stack([u.ravel(), v.ravel()], 1)[faces]


@pytest.fixture(scope="session")
def portrait() -> Head:
    """Skin, an eye with a pivot and a fringe of hair, all with texture coordinates; the eye and the hair rest."""
    face, faces = lumpy_ball()
    chin = np.exp(-(((face - [0.0, -0.08, 0.06]) / 0.03) ** 2).sum(1))[:, None] * [0.0, -0.02, 0.0]
    ball, tiles, uvs = eyeball(EYE, 1)
    fringe, cards, places = sheet()
    eye = part("eye_left", ball, tiles, [ball] * 3, "eyes", uvs)
    return Head(
        ("neutral", "mouth stretch", "jawOpen"),
        (
            part("skin", face, faces, [face, face + chin, face + 0.5 * chin], "skin", wrapped(face, faces)),
            replace(eye, pivot=torch.tensor(EYE)),
            part("hair", fringe, cards, [fringe] * 3, "hair", places),
        ),
    )


@pytest.fixture(scope="session")
def painted() -> dict[str, PaintedMaterial]:
    """Textures for `portrait`: red skin with relief, blue eyes, green hair of which the right half is clear."""
    gloss = np.full((SIZE, SIZE), 100, np.uint8)

    def plain(*colour):
        return np.broadcast_to(np.array(colour, np.uint8), (SIZE, SIZE, len(colour))).copy()

    relief = plain(128, 128, 255)
    relief[::2] = (128, 160, 250)
    hair = plain(20, 200, 20, 255)
    hair[:, SIZE // 2 :, 3] = 0
    return {
        "skin": PaintedMaterial(plain(200, 40, 40), gloss, relief),
        "eyes": PaintedMaterial(plain(20, 20, 220), gloss // 4),
        "hair": PaintedMaterial(hair, gloss),
    }


def validator_folder() -> Path | None:
    """Where the Khronos validator is: `npm install --prefix DIR gltf-validator`, then GLTF_VALIDATOR=DIR."""
    folder = Path(os.environ.get("GLTF_VALIDATOR", "."))
    return folder if shutil.which("node") and (folder / "node_modules" / "gltf-validator").is_dir() else None


@pytest.fixture
def issues():
    """Every message of the Khronos validator about a GLB, hints included."""
    if validator_folder() is None:
        pytest.skip("needs node and GLTF_VALIDATOR (npm's gltf-validator)")

    def said(path: Path) -> list[dict]:
        environment = {**os.environ, "GLTF_VALIDATOR": str(validator_folder())}
        done = subprocess.run(["node", SCRIPT, path], env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout)["issues"]["messages"]

    return said
