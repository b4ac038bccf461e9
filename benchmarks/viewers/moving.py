"""Compares where other programs draw a moving head with where our preview does, as JSON.

    python -m benchmarks.viewers.moving RUN_FOLDER ANIMATION [--three DIR] [--blender PROGRAM] [--picture FILE.png]

ANIMATION is the folder that `animate` wrote. three.js and Blender as in benchmarks.viewers; what is not installed is
reported as null. Exit code 1 where a vertex lies more than 0.1 mm elsewhere.
"""

import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.viewers.in_three import served
from idto3d.evidence.motion.pose import rotations
from idto3d.evidence.motion.track import Track
from idto3d.export.gltf.load import load_asset
from idto3d.export.moving.figure import figure_of
from idto3d.export.moving.neck import neck_of
from idto3d.export.moving.preview import moving_weights

STEP, MOMENTS, NEAR_MM = 37, 4, 0.1
Places = Mapping[str, np.ndarray]


def read_track(folder: Path) -> Track:
    """The track beside a moving head."""
    told = json.loads((folder / "track.json").read_text())
    weights, turns = np.array(told["weights"]), np.radians(told["turns_deg"])
    return Track(told["fps"], tuple(told["names"]), weights, turns, np.array(told["seen"]))


def ours(head: Path, track: Track, frames: list[int]) -> list[Places]:
    """Where the preview has every STEPth vertex of each part in these pictures."""
    asset = load_asset(head)
    figure = figure_of(asset, neck_of(asset.mesh))
    weights, turns = moving_weights(tuple(figure.expressions), track), rotations(track.turns)
    ends = np.cumsum([len(part.positions) for part in asset.mesh.parts])[:-1]
    found = []
    for frame in frames:
        split = np.split(figure.posed(weights[frame], turns[frame])[0], ends)
        found.append({part.name: own[::STEP] for part, own in zip(asset.mesh.parts, split, strict=True)})
    return found


def in_three(glb: Path, times: list[float], three: Path, picture: Path | None) -> tuple[str, list[Places]] | None:
    """three.js's revision and where it has them; None where it or Chromium is missing."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or not (three / "build" / "three.module.js").is_file():
        return None
    with served(glb, three, chromium, "moving.html") as page:
        found = [page.evaluate("time => window.at(time)", time) for time in times]
        if picture is not None:
            picture.write_bytes(base64.b64decode(page.evaluate("window.picture()").partition(",")[2]))
        return page.evaluate("window.revision"), [_places(one) for one in found]


def in_blender(glb: Path, times: list[float], program: str) -> tuple[str, list[Places]] | None:
    """Likewise for Blender; None where it is missing."""
    if shutil.which(program) is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "places.json"
        script = Path(__file__).with_name("moving_in_blender.py")
        words = [program, "--background", "--python", script, "--", glb, *map(str, times), out]
        subprocess.run(words, check=True, capture_output=True)
        told = json.loads(out.read_text())
    return told["version"], [_places(one) for one in told["places"]]


def _places(told: Mapping[str, list[float]]) -> Places:
    return {name: np.array(values).reshape(-1, 3) for name, values in told.items()}


def farthest(own: list[Places], other: list[Places]) -> dict[str, float]:
    """By part, the largest distance in millimetres from one of our vertices to the nearest of all of theirs.

    Programs call parts by names of their own, and order vertices as they like.
    """
    apart = {}
    for mine, theirs in zip(own, other, strict=True):
        all_theirs = cKDTree(np.concatenate(list(theirs.values())))
        for name, points in mine.items():
            away = all_theirs.query(points)[0].max() * 1000
            apart[name] = max(apart.get(name, 0.0), round(float(away), 4))
    return apart


def main(words: list[str]) -> int:
    """Print what was found."""
    parser = argparse.ArgumentParser(description="Where other programs draw a moving head.")
    parser.add_argument("head", type=Path)
    parser.add_argument("animation", type=Path)
    parser.add_argument("--three", type=Path, default=Path("node_modules/three"))
    parser.add_argument("--blender", default="blender")
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args(words)
    track, glb = read_track(given.animation), given.animation / "clip.glb"
    frames = [round(k * (len(track.weights) - 1) / (MOMENTS - 1)) for k in range(MOMENTS)]
    times, own, report = [frame / track.fps for frame in frames], ours(given.head, track, frames), {}
    shown = {
        "three.js": in_three(glb, times, given.three, given.picture),
        "Blender": in_blender(glb, times, given.blender),
    }
    for name, found in shown.items():
        report[name] = found and {"version": found[0], "farthest_mm": farthest(own, found[1])}
    print(json.dumps(report, indent=2))
    return int(any(one and max(one["farthest_mm"].values()) > NEAR_MM for one in report.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
