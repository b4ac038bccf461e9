"""A head in programs that run by themselves: Blender and pyrender."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.viewers.baked import solid, write_still
from benchmarks.viewers.shots import Shot, Shown
from idto3d.export.gltf.load import Asset

HERE = Path(__file__).parent


def in_blender(glb: Path, shots: Sequence[Shot], blender: str) -> tuple[str, list[Shown]] | None:
    """Blender's version and what it shows of each shot; None where there is no program `blender`."""
    if shutil.which(blender) is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        told = _tell([shot.told() for shot in shots], Path(folder))
        options = [blender, "-b", "-t", "1", "--factory-startup", "--python-exit-code", "1", "--python"]
        said = _run([*options, HERE / "in_blender.py", "--", glb, told, folder])
        version = next(line.split()[1] for line in said.splitlines() if line.startswith("BLENDER "))
        return version, [_read(Path(folder) / f"{shot.name}.png") for shot in shots]


def in_pyrender(asset: Asset, shots: Sequence[Shot], python: str) -> tuple[str, list[Shown]] | None:
    """pyrender's version and what it shows of the opaque parts; None where the interpreter `python` does not have it.

    Every expression is baked into a file of its own. What is cut out is left out, as pyrender blends it unsorted.
    """
    if not python or subprocess.run([python, "-c", "import pyrender"], capture_output=True, env=_egl()).returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        told = []
        for shot in shots:
            file = Path(folder) / f"{shot.name}.glb"
            write_still(solid(asset), shot.expression, file)
            told.append(shot.told() | {"file": str(file)})
        version = _run([python, HERE / "in_pyrender.py", _tell(told, Path(folder)), folder]).splitlines()[-1]
        return version, [_read(Path(folder) / f"{shot.name}.png") for shot in shots]


def _egl() -> dict[str, str]:
    return {"PYOPENGL_PLATFORM": "egl"} | os.environ


def _tell(shots: list[dict], folder: Path) -> Path:
    path = folder / "shots.json"
    path.write_text(json.dumps(shots))
    return path


def _run(command: list) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=_egl())
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stderr[-2000:]}{done.stdout[-500:]}")
    return done.stdout


def _read(path: Path) -> Shown:
    """A picture of RGBA, laid on white."""
    image = np.asarray(Image.open(path).convert("RGBA"), np.float64)
    cover = image[..., 3] / 255
    plain = image[..., :3] * cover[..., None] + 255 * (1 - cover[..., None])
    return Shown(plain.round().astype(np.uint8), cover)
