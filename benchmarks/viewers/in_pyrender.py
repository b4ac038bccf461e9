"""Run by a Python that has pyrender: draws a GLB's shots without light. pyrender knows no morph targets.

python in_pyrender.py SHOTS.json FOLDER

SHOTS.json is a list of `Shot.told`, each with the `file` that shows it. Writes FOLDER/NAME.png, RGBA, and prints which
platform drew. PYOPENGL_PLATFORM is egl or osmesa.
"""

import json
import math
import os
import sys
from pathlib import Path

import numpy as np
import pyrender
import trimesh
from PIL import Image


def drawn(shot: dict, renderer: pyrender.OffscreenRenderer) -> np.ndarray:
    """[S, S, 4] uint8, drawn larger and averaged; opaque where there is a head."""
    scene = pyrender.Scene.from_trimesh_scene(trimesh.load(shot["file"]), bg_color=(255, 255, 255, 0))
    camera = pyrender.PerspectiveCamera(yfov=math.radians(shot["fov_deg"]), aspectRatio=1.0, znear=0.05, zfar=20.0)
    scene.add(camera, pose=np.array(shot["c2w"]))
    colour, depth = renderer.render(scene, flags=pyrender.RenderFlags.FLAT)
    there = (depth > 0)[..., None]
    layers = np.concatenate([colour[..., :3] * there, 255.0 * there], -1)
    finer = shot["drawn"] // shot["size"]
    averaged = layers.reshape(shot["size"], finer, shot["size"], finer, 4).mean((1, 3))
    averaged[..., :3] /= np.maximum(averaged[..., 3:] / 255, 1e-3)  # the head's own colour, white not mixed in
    return averaged.round().clip(0, 255).astype(np.uint8)


def main(shots: str, folder: str) -> None:
    """All shots."""
    told = json.loads(Path(shots).read_text())
    renderer = pyrender.OffscreenRenderer(told[0]["drawn"], told[0]["drawn"])
    for shot in told:
        Image.fromarray(drawn(shot, renderer)).save(Path(folder) / f"{shot['name']}.png")
    renderer.delete()
    print(pyrender.__version__, os.environ.get("PYOPENGL_PLATFORM", ""))


if __name__ == "__main__":
    main(*sys.argv[1:])
