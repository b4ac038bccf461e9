"""A pipeline of toys for gates in which the queue is the point, not the head.

Words of the prompt: `mark=NAME` is what the head, its notices and its drawings show; `steps=N` and `pause=SECONDS` of
each; `deaf` stands still for ten minutes in the middle.
"""

import json
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from idto3d.config import HeadOptions, RenderOptions
from idto3d.events import Event, Finished, Notice, Preview, StageStarted, StepDone

MARK = b"made for "
DRAWING_SECONDS = 1.0  # of 1024 pixels


def prepare() -> None:
    """Nothing: toys need nothing for an edit."""


def create_head(photos: list[Path], options: HeadOptions, folder: Path, checkpoints) -> Iterator[Event]:
    """Pretend to make a head."""
    words = dict(word.split("=") for word in options.prompt.split() if "=" in word)
    steps, pause, mark = int(words.get("steps", 4)), float(words.get("pause", 0.05)), words.get("mark", "nobody")
    yield Notice(f"Made for {mark}.")
    yield StageStarted("shape", steps)
    for step in range(1, steps + 1):
        if step == 1:
            yield Preview("shape", "normal", picture(mark, 64))
        time.sleep(600.0 if "deaf" in options.prompt.split() and step > steps // 2 else pause)
        yield StepDone("shape", step, steps)
    yield StageStarted("asset", 1)
    (folder / "head.glb").write_bytes(glb(mark))
    yield StepDone("asset", 1, 1)
    yield Finished(folder, folder / "head.glb")


def render_view(folder: Path, options: RenderOptions) -> np.ndarray:
    """Pretend to draw the head, which takes its time."""
    mark = (folder / "head.glb").read_bytes().split(MARK)[1].split(b'"')[0].decode()
    time.sleep(DRAWING_SECONDS * (options.size / 1024) ** 2)
    return picture(mark, options.size)


def picture(mark: str, size: int) -> np.ndarray:
    """A picture [S, S, 3] uint8 of one colour, which is that of a mark."""
    return np.broadcast_to(np.array(colour(mark), np.uint8), (size, size, 3))


def colour(mark: str) -> tuple[int, int, int]:
    """The colour of a mark."""
    digest = zlib.crc32(mark.encode())
    return digest & 255, digest >> 8 & 255, digest >> 16 & 255


def glb(mark: str) -> bytes:
    """A GLB of nothing that names a mark."""
    text = json.dumps({"asset": {"version": "2.0", "copyright": MARK.decode() + mark}}).encode()
    text += b" " * (-len(text) % 4)
    return b"glTF" + struct.pack("<II", 2, 20 + len(text)) + struct.pack("<I4s", len(text), b"JSON") + text
