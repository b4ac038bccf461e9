"""How well a clip drives a head: a film is made of a known track, the head is animated by it, both are compared.

    python -m benchmarks.animate DIR [--seconds 8] [--size 384] [--out FOLDER]

DIR is the run folder of a finished head. Prints JSON: for each movement the correlation of what was read with the
truth and how large it was, the angles of the head, pictures a second, and what files say. The film is made under a
light that the preview has not, on a grey ground, as a camera would see it, and encoded as H.264.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from idto3d.animation import animate
from idto3d.config import AnimateOptions
from idto3d.events import StepDone
from idto3d.evidence.motion.track import Track
from idto3d.export.gltf.load import load_asset
from idto3d.export.moving.neck import neck_of
from idto3d.export.moving.preview import Stage
from idto3d.export.video import write_video

FPS, FILM_LIGHT = 25, "room_office"
# Movements that are shown one after the other, each with all of its shapes; several at a time at the end.
MOVEMENTS = {
    "jaw": ("jawOpen",),
    "lids": ("eyeBlinkLeft", "eyeBlinkRight"),
    "brows up": ("browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    "brows down": ("browDownLeft", "browDownRight"),
    "smile": ("mouthSmileLeft", "mouthSmileRight"),
    "pucker": ("mouthPucker",),
    "frown": ("mouthFrownLeft", "mouthFrownRight"),
    "look left": ("eyeLookOutLeft", "eyeLookInRight"),
    "look right": ("eyeLookOutRight", "eyeLookInLeft"),
}
OPPOSITE = (("brows up", "brows down"), ("look left", "look right"), ("smile", "frown"), ("smile", "pucker"))
NEEDED = ("jaw", "lids", "brows up", "smile")


def known_track(seconds: float, seed: int = 0) -> Track:
    """Every movement as bumps at times of its own, some of which overlap, while the head turns and nods."""
    rng, count = np.random.default_rng(seed), round(seconds * FPS)
    names = tuple(dict.fromkeys(name for group in MOVEMENTS.values() for name in group))
    weights, time_s = np.zeros((count, len(names))), np.arange(count) / FPS
    for number, group in enumerate(MOVEMENTS.values()):
        curve = np.zeros(count)
        for start in np.arange(0.4 + 0.37 * number % 1.5, seconds - 0.6, 2.6):
            length, height = rng.uniform(0.4, 1.0), rng.uniform(0.5, 1.0)
            place = np.clip((time_s - start - rng.uniform(0, 1.2)) / length, 0, 1)
            curve = np.maximum(curve, height * np.sin(np.pi * place) ** 2)
        for name in group:
            weights[:, names.index(name)] = curve
    for first, second in OPPOSITE:  # nobody does both at once
        one, other = ([names.index(name) for name in MOVEMENTS[way]] for way in (first, second))
        weights[:, other] *= 1 - weights[:, one].max(1, keepdims=True)
    waves = [np.sin(2 * np.pi * (time_s / length + shift)) for length, shift in ((5.0, 0.0), (3.3, 0.2), (4.1, 0.5))]
    turns = np.radians(np.stack(waves, 1) * [20.0, 9.0, 7.0])
    return Track(float(FPS), names, weights, turns, np.ones(count, bool))


def filmed(folder: Path, track: Track, size: int, path: Path) -> None:
    """Make the film."""
    asset = load_asset(folder)
    stage = Stage(asset, neck_of(asset.mesh), FILM_LIGHT)
    for _ in write_video(path, on_grey(stage.film(track, size)), "benchmark", FPS):
        pass


def on_grey(pictures: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The pictures with a darker ground than white, so that a face detector sees a usual photo."""
    for picture in pictures:
        ground = (picture.min(-1, keepdims=True) > 250) & np.ones(3, bool)
        yield np.where(ground, np.uint8(150), picture)


def judged(true: Track, told: dict) -> dict:
    """For each movement the correlation with the truth, and the height of what was read over the true height."""
    names, found = told["names"], np.array(told["weights"])[: len(true.weights)]
    truth = true.weights[: len(found)]
    scores = {}
    for movement, group in MOVEMENTS.items():
        pairs = [(truth[:, true.names.index(name)], found[:, names.index(name)]) for name in group]
        scores[movement] = {
            "correlation": round(min(_correlation(*pair) for pair in pairs), 3),
            "gain": round(float(np.mean([(a @ b) / (a @ a) for a, b in pairs])), 2),
        }
    turns = np.radians(told["turns_deg"])[: len(true.turns)]
    for number, name in enumerate(("yaw", "pitch", "roll")):
        pair = true.turns[: len(turns), number], turns[:, number]
        gain = float(np.polyfit(*pair, 1)[0])
        scores[name] = {"correlation": round(_correlation(*pair), 3), "gain": round(gain, 2)}
    return scores


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 1e-9 and b.std() > 1e-9 else 0.0


def measure(folder: Path, seconds: float, size: int, out: Path) -> dict:
    """Film, animate, compare. Files go into `out`."""
    truth = known_track(seconds)
    filmed(folder, truth, size, out / "truth.mp4")
    start, busy, frames = time.monotonic(), time.process_time(), 0
    for event in animate(folder, out / "truth.mp4", AnimateOptions(), out / "animation"):
        frames += isinstance(event, StepDone) and event.stage == "clip"
    elapsed, worked = time.monotonic() - start, time.process_time() - busy
    told = json.loads((out / "animation" / "track.json").read_text())
    sizes = {path.name: path.stat().st_size for path in sorted((out / "animation").iterdir())}
    facts = {"pictures": frames, "seconds": round(elapsed, 1), "pictures_a_second": round(frames / elapsed, 2)}
    facts["processor_seconds_a_picture"] = round(worked / frames, 3)  # of this process; a decoder runs beside it
    return {**facts, "movements": judged(truth, told), "bytes": sizes}


def main(words: list[str]) -> int:
    """Print what was measured; 1 where a movement of NEEDED is read with a correlation under 0.9."""
    parser = argparse.ArgumentParser(description="How well a clip drives a head.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--out", type=Path, help="where the film and the animation stay (default: nowhere)")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as scratch:
        found = measure(given.folder, given.seconds, given.size, given.out or Path(scratch))
    print(json.dumps(found, indent=2))
    return int(any(found["movements"][name]["correlation"] < 0.9 for name in NEEDED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
