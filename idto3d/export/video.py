"""Pictures as an mp4 (H.264, plays in every browser)."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np

FPS = 18


def turntable_angles(frames: int) -> list[float]:
    """Azimuths in degrees, 0 first, evenly over one turn."""
    return [360.0 * frame / frames for frame in range(frames)]


def write_video(path: Path, frames: Iterable[np.ndarray], notes: str, fps: float = FPS) -> Iterator[int]:
    """Write `frames` (uint8 [H, W, 3], one size) to `path`, yielding how many are in; whole or not at all.

    notes: goes into the file's comment, beside the mark that it is AI generated.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    encoder = None
    try:
        for number, frame in enumerate(frames, 1):
            even = _even(frame)
            encoder = encoder or _encoder(partial, even.shape[1], even.shape[0], notes, fps)
            encoder.send(even)
            yield number
        encoder.close()
        encoder = None
        os.replace(partial, path)
    finally:
        if encoder is not None:
            encoder.close()
        partial.unlink(missing_ok=True)


def _encoder(path: Path, width: int, height: int, notes: str, fps: float):
    marks = ["-metadata", f"comment=ai_generated=true; {notes}", "-movflags", "+faststart", "-threads", "1"]
    encoder = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=fps, codec="libx264", quality=7, macro_block_size=2, output_params=marks
    )
    encoder.send(None)
    return encoder


def _even(frame: np.ndarray) -> np.ndarray:
    """`frame` cut to even sides, which H.264 asks for, rows packed."""
    height, width = frame.shape[:2]
    return np.ascontiguousarray(frame[: height // 2 * 2, : width // 2 * 2])
