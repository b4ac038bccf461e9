"""The one place where a clip is opened. It is decoded by imageio-ffmpeg's program, in a process of its own.

A clip is as hostile as a photo: that process gets the open file and nothing it could open by name or address, the one
container that the first bytes name, decoders of usual cameras alone, and bounds for memory, pixels and time.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

import imageio_ffmpeg

from idto3d.errors import UserError, shown

MATROSKA, RIFF = b"\x1a\x45\xdf\xa3", b"RIFF"
BOXES = {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"}  # that a film of QuickTime or MPEG-4 may begin with
READABLE = "MP4, MOV, WEBM, MKV or AVI"
DECODERS = "h264,hevc,vp8,vp9,libdav1d,mpeg4,mjpeg"
BLOCK = 512 << 20  # bytes of the largest block of memory that the decoder may ask for
MEMORY = 3 << 30  # bytes of address space, where the system can bound another process
LINE = 4096
SLOW_S = 60.0  # seconds without a sign of life after which the decoder is ended


def container_of(start: bytes) -> str | None:
    """What ffmpeg calls the container that begins with these 12 bytes; None for none that is read."""
    if start[4:8] in BOXES:
        return "mov"
    if start[:4] == MATROSKA:
        return "matroska"
    return "avi" if start[:4] == RIFF and start[8:12] == b"AVI " else None


def clip_container(path: Path, max_megabytes: float) -> str:
    """The container of the clip in file `path`. Raises UserError where it is none, or larger than it may be."""
    name = shown(path.name)
    if not path.is_file():
        raise UserError(f"There is no clip '{name}'.", "Check the path and the spelling.")
    try:
        if path.stat().st_size > max_megabytes * 1e6:
            what = f"'{name}' is larger than the limit of {max_megabytes:g} MB."
            raise UserError(what, "Cut it, or save it smaller.")
        with path.open("rb") as file:
            container = container_of(file.read(12))
    except OSError as fault:
        raise UserError(f"'{name}' cannot be read.", "Check that you may open it.") from fault
    if container is None:
        raise UserError(f"'{name}' is no clip that can be read.", f"Use a {READABLE} file.")
    return container


def arguments(container: str, max_pixels: int, wanted: Sequence[str]) -> list[str]:
    """The command that decodes what lies at its standard input, and does what is `wanted`."""
    bounds = ["-max_alloc", str(BLOCK), "-threads", "1", "-max_pixels", str(max_pixels)]
    only = ["-protocol_whitelist", "fd", "-format_whitelist", container, "-codec_whitelist", DECODERS]
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-hide_banner", "-v", "error"]
    return [*program, *bounds, *only, "-f", container, "-i", "fd:", "-map", "0:V:0", *wanted]  # V: not a cover picture


@dataclass(frozen=True, eq=False)
class Decoder:
    """A decoder at work: what it writes is read here, and it is ended when it stalls."""

    process: subprocess.Popen

    def read(self, count: int = -1) -> bytes:
        """Its next `count` bytes, fewer where it ends; all that come where no number is given."""
        return self._in_time(lambda: self.process.stdout.read(count))

    def line(self) -> bytes:
        """Its next line, of at most LINE bytes."""
        return self._in_time(lambda: self.process.stdout.readline(LINE))

    def _in_time(self, read: Callable[[], bytes]) -> bytes:
        watch = Timer(SLOW_S, self.process.kill)
        watch.daemon = True
        watch.start()
        try:
            return read()
        finally:
            watch.cancel()


@contextmanager
def decoding(path: Path, command: Sequence[str]) -> Iterator[Decoder]:
    """The `command` at work on the clip `path`; it ends with the context."""
    with path.open("rb") as clip:
        pipes = {"stdin": clip, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, **pipes)
    try:
        _bound(process.pid)
        yield Decoder(process)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def _bound(process: int) -> None:
    """Bound the memory of another process, where the system can: Linux."""
    if sys.platform != "linux":
        return
    import resource

    resource.prlimit(process, resource.RLIMIT_AS, (MEMORY, MEMORY))
