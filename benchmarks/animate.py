"""How well a clip drives a head: a film is made of a known track, the head is animated by it, both are compared.

    python -m benchmarks.animate DIR [--seconds 8] [--size 384] [--seed 0] [--light room_office] [--out FOLDER]

DIR is the run folder of a finished head. Prints JSON: for each movement the correlation of what was read with the
truth and how large it was, the angles of the head, pictures a second by part, and what files say. The film is made
under a light that the preview has not, on a grey ground, as a camera would see it, and encoded as H.264; a seed gives
other movements at other times.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from idto3d.animation import CLIP, PREVIEW, animate
from idto3d.config import AnimateOptions
from idto3d.events import Event, StageStarted, StepDone
from idto3d.evidence.motion.track import Track
from idto3d.export.gltf.load import load_asset
from idto3d.export.moving.neck import neck_of
from idto3d.export.moving.preview import Stage
from idto3d.export.video import write_video

FPS, FILM_LIGHT = 25, "room_office"
PARTS = {CLIP: "reading", PREVIEW: "drawing"}  # what an animation does after opening the head
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
        weights[:, other] *= np.clip(1 - 2 * weights[:, one].max(1, keepdims=True), 0, 1)
    lengths, shifts = np.array([5.0, 3.3, 4.1]), np.array([0.0, 0.2, 0.5])
    if seed:
        lengths, shifts = lengths * rng.uniform(0.7, 1.4, 3), rng.uniform(0, 1, 3)
    waves = [np.sin(2 * np.pi * (time_s / length + shift)) for length, shift in zip(lengths, shifts, strict=True)]
    turns = np.radians(np.stack(waves, 1) * [20.0, 9.0, 7.0])
    return Track(float(FPS), names, weights, turns, np.ones(count, bool))


def filmed(folder: Path, track: Track, size: int, path: Path, light: str = FILM_LIGHT) -> None:
    """Make the film."""
    asset = load_asset(folder)
    stage = Stage(asset, neck_of(asset.mesh), light)
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


@dataclass
class Clock:
    """What an animation takes by part: seconds [parts] by name, and of processors, the decoder's and encoder's too."""

    elapsed: dict[str, float] = field(default_factory=dict)
    worked: dict[str, float] = field(default_factory=dict)
    pictures: int = 0

    def watched(self, events: Iterator[Event]) -> None:
        """Let the events of an animation pass."""
        part, since, busy = "opening", time.monotonic(), _busy()
        for event in events:
            self.pictures += isinstance(event, StepDone) and event.stage == CLIP
            if isinstance(event, StageStarted):
                self._told(part, since, busy)
                part, since, busy = PARTS[event.stage], time.monotonic(), _busy()
        self._told(part, since, busy)

    def _told(self, part: str, since: float, busy: float) -> None:
        self.elapsed[part], self.worked[part] = time.monotonic() - since, _busy() - busy

    def report(self) -> dict:
        """Pictures a second, all in all and by part, and seconds of processors for each."""
        parts = {
            part: {
                "pictures_a_second": round(self.pictures / self.elapsed[part], 2),
                "processor_seconds_a_picture": round(self.worked[part] / self.pictures, 4),
            }
            for part in PARTS.values()
            if part in self.elapsed
        }
        opening = {"opening": {"seconds": round(self.elapsed["opening"], 2)}}
        whole = sum(self.elapsed.values())
        facts = {"pictures": self.pictures, "seconds": round(whole, 1)}
        return {**facts, "pictures_a_second": round(self.pictures / whole, 2), **opening, **parts}


def _busy() -> float:
    """Seconds of processors that this process and those it has ended have taken."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in both)


def measure(folder: Path, track: Track, size: int, light: str, out: Path) -> dict:
    """Film, animate, compare. Files go into `out`."""
    filmed(folder, track, size, out / "truth.mp4", light)
    clock = Clock()
    clock.watched(animate(folder, out / "truth.mp4", AnimateOptions(), out / "animation"))
    told = json.loads((out / "animation" / "track.json").read_text())
    sizes = {path.name: path.stat().st_size for path in sorted((out / "animation").iterdir())}
    return {**clock.report(), "movements": judged(track, told), "bytes": sizes}


def main(words: list[str]) -> int:
    """Print what was measured; 1 where a movement of NEEDED is read with a correlation under 0.9."""
    parser = argparse.ArgumentParser(description="How well a clip drives a head.")
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--light", default=FILM_LIGHT)
    parser.add_argument("--out", type=Path, help="where the film and the animation stay (default: nowhere)")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as scratch:
        track = known_track(given.seconds, given.seed)
        found = measure(given.folder, track, given.size, given.light, given.out or Path(scratch))
    print(json.dumps(found, indent=2))
    return int(any(found["movements"][name]["correlation"] < 0.9 for name in NEEDED))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
