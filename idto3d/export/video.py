"""Pictures as an mp4 (H.264, plays in every browser)."""

import errno
import os
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import imageio_ffmpeg
import numpy as np

from idto3d.files import NO_SPACE

FPS = 18


def turntable_angles(frames: int) -> list[float]:
    """Azimuths in degrees, 0 first, evenly over one turn."""
    return [360.0 * frame / frames for frame in range(frames)]


def write_video(path: Path, frames: Iterable[np.ndarray], notes: str, fps: float = FPS) -> Iterator[int]:
    """Write `frames` (uint8 [H, W, 3], one size) to `path`, yielding how many are in; whole or not at all.

    notes: goes into the file's comment, beside the mark that it is AI generated. Raises OSError where the encoder
    cannot write it to its end, as on a full disk; ValueError without a frame, or for one of under two pixels a side.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.part{path.suffix}")
    encoder = None
    with TemporaryFile() as said:
        try:
            for number, frame in enumerate(frames, 1):
                even = _even(frame)
                encoder = encoder or _encoder(partial, even.shape, notes, fps, said)
                if not _takes(encoder, even):
                    break
                yield number
            _expect_whole(encoder, path, said)
            os.replace(partial, path)
        finally:
            if encoder is not None:
                _end(encoder)
            partial.unlink(missing_ok=True)


def _encoder(path: Path, shape: tuple[int, int, int], notes: str, fps: float, said: BinaryIO) -> subprocess.Popen:
    """imageio-ffmpeg's program, at work on a film of pictures [H, W, 3]; its complaints are `said`."""
    height, width, _ = shape
    given = ["-f", "rawvideo", "-s", f"{width}x{height}", "-pix_fmt", "rgb24", "-r", f"{fps:.6f}", "-i", "pipe:0"]
    coded = ["-an", "-vcodec", "libx264", "-pix_fmt", "yuv420p", "-crf", "15", "-threads", "1"]
    marks = ["-metadata", f"comment=ai_generated=true; {notes}", "-movflags", "+faststart"]
    place = f"file:{path}"  # it is no address, whatever its name looks like
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", *given, *coded, *marks, place]
    # In a session of its own: an interrupt is for us, who end it.
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": said}
    return subprocess.Popen(command, start_new_session=True, **pipes)


def _takes(encoder: subprocess.Popen, picture: np.ndarray) -> bool:
    """Give the encoder one more picture; whether it takes it, and has not ended."""
    try:
        encoder.stdin.write(picture.data)
    except BrokenPipeError:
        return False
    return True


def _expect_whole(encoder: subprocess.Popen | None, path: Path, said: BinaryIO) -> None:
    """Wait until all is written. Raises ValueError where there was nothing, OSError where the encoder failed."""
    if encoder is None:
        raise ValueError("a film has at least one picture")
    with suppress(BrokenPipeError):
        encoder.stdin.close()
    if encoder.wait() == 0:
        return
    said.seek(0)
    text = said.read()
    number = next((number for number in NO_SPACE if os.strerror(number).encode() in text), errno.EIO)
    raise OSError(number, os.strerror(number), str(path))


def _end(encoder: subprocess.Popen) -> None:
    encoder.kill()
    with suppress(BrokenPipeError):
        encoder.stdin.close()
    encoder.wait()


def _even(frame: np.ndarray) -> np.ndarray:
    """`frame` cut to even sides, which H.264 asks for, rows packed. Raises ValueError where nothing is left of it."""
    height, width = frame.shape[:2]
    if min(height, width) < 2:
        raise ValueError(f"a film's pictures have at least two pixels a side, these have {width} by {height}")
    return np.ascontiguousarray(frame[: height // 2 * 2, : width // 2 * 2])
