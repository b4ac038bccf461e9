"""Toys that move, beside the pipeline of toys; bytes of the clip decide what happens, as words do there."""

import time

import numpy as np

from idto3d.errors import UserError
from idto3d.events import Finished, Notice, Preview, StageStarted, StepDone
from idto3d.files import write_atomic

FRAMES = 6


def animate(folder, clip, options, into):
    """Pretend to animate a head by a clip."""
    said = clip.read_bytes()
    if not (folder / "head.safetensors").is_file():
        raise UserError("There is no saved head.", "Make one.")
    yield StageStarted("clip", FRAMES)
    if b"refuse" in said:
        raise UserError("No face was found in the clip.", "Use one in which the face is larger.")
    for step in range(1, FRAMES + 1):
        if b"stall" in said and step == 3:
            time.sleep(600)
        yield Preview("preview", "relit", np.full((64, 64, 3), 30 * step, np.uint8))
        yield StepDone("clip", step, FRAMES)
    yield Notice("In 1 of 6 frames no face was seen; the head rests there.")
    write_atomic(into / "preview.mp4", b"a film " + bytes([int(10 * options.strength)]))
    glb = write_atomic(into / "clip.glb", b"glTF" + said[:4])
    yield Finished(into, glb)
