"""Radiance .hdr files (RGBE): read and write. Row 0 is the top.

The format is that of Ward, "Real Pixels" (Graphics Gems II, 1991): three mantissas share one exponent per pixel,
each scan line may be run-length coded channel by channel.
"""

from pathlib import Path

import numpy as np
from numba import njit

from idto3d.errors import UserError

MAX_PIXELS = 2**23
MAX_BYTES = 2**27
SOUND, SHORT, DAMAGED = 0, 1, 2
REMEDY = "Use a Radiance .hdr panorama of at most 4096 x 2048 pixels, for example one from Poly Haven."


class HdrError(UserError):
    """A file that is no usable Radiance picture."""

    def __init__(self, path: Path, what: str):
        super().__init__(f"The light '{path.name}' cannot be read: {what}.", REMEDY)


def read_hdr(path: str | Path) -> np.ndarray:
    """Linear radiance [H, W, 3] float32 of a Radiance .hdr file, plain or run-length coded.

    Raises UserError for a missing, too large, truncated or foreign file.
    """
    path = Path(path)
    if not path.is_file():
        raise HdrError(path, "there is no such file")
    if path.stat().st_size > MAX_BYTES:
        raise HdrError(path, "the file is too large")
    data = path.read_bytes()
    height, width, offset = _read_header(data, path)
    if data[offset : offset + 2] == b"\2\2" and 8 <= width < 32768:
        rgbe = _decode_lines(data, offset, (height, width), path)
    else:
        rgbe = _decode_flat(data, offset, (height, width), path)
    return _from_rgbe(rgbe)


def write_hdr(path: str | Path, radiance: np.ndarray) -> None:
    """Write linear radiance [H, W, 3] >= 0 as a run-length coded Radiance file; W in 8..32767."""
    height, width, _ = radiance.shape
    if not 8 <= width < 32768:
        raise ValueError(f"width must be in 8..32767, got {width}")
    lines = [bytes([2, 2, width >> 8, width & 255]) + _encode_line(line) for line in _to_rgbe(radiance)]
    header = f"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y {height} +X {width}\n"
    Path(path).write_bytes(header.encode() + b"".join(lines))


def _read_header(data: bytes, path: Path) -> tuple[int, int, int]:
    """Height, width, and where the pixels start."""
    blank = data.find(b"\n\n", 0, 65536)
    end = data.find(b"\n", blank + 2, blank + 200)
    if not data.startswith(b"#?") or blank < 0 or end < 0 or b"32-bit_rle_rgbe" not in data[:blank]:
        raise HdrError(path, "it is not a Radiance RGB picture")
    words = data[blank + 2 : end].split()
    if len(words) != 4 or words[0] != b"-Y" or words[2] != b"+X" or not (words[1] + words[3]).isdigit():
        raise HdrError(path, "its rows must run from the top and its columns from the left")
    height, width = int(words[1]), int(words[3])
    if height < 1 or width < 1 or height * width > MAX_PIXELS:
        raise HdrError(path, f"{width} x {height} pixels are too many or too few")
    return height, width, end + 1


def _decode_lines(data: bytes, offset: int, size: tuple[int, int], path: Path) -> np.ndarray:
    """RGBE bytes [H, W, 4] of run-length coded scan lines."""
    height, width = size
    rgbe = np.empty((height, 4, width), np.uint8)
    fault = _fill_lines(np.frombuffer(data, np.uint8), offset, rgbe)
    if fault:
        raise HdrError(path, "it ends too early" if fault == SHORT else "it is damaged")
    return rgbe.transpose(0, 2, 1)


@njit(nogil=True, cache=True)
def _fill_lines(data, offset, rgbe):
    """Fill `rgbe` [H, 4, W] from the bytes at `offset`: SOUND, SHORT or DAMAGED. Runs of one byte take no longer."""
    height, _, width = rgbe.shape
    for row in range(height):
        if offset + 4 > len(data):
            return SHORT
        if data[offset] != 2 or data[offset + 1] != 2 or data[offset + 2] * 256 + data[offset + 3] != width:
            return DAMAGED
        offset += 4
        for channel in range(4):
            offset = _fill_channel(data, offset, rgbe[row, channel])
            if offset < 0:
                return -offset
    return SOUND


@njit(nogil=True, cache=True)
def _fill_channel(data, offset, out):
    """Fill one channel `out` [W] of a scan line: where the next one starts, or what is wrong, negative."""
    at = 0
    while at < len(out):
        if offset + 1 >= len(data):
            return -SHORT
        code = int(data[offset])
        count = code - 128 if code > 128 else code
        if count == 0 or at + count > len(out):
            return -DAMAGED
        if code <= 128 and offset + 1 + count > len(data):
            return -SHORT
        for step in range(count):
            out[at + step] = data[offset + 1] if code > 128 else data[offset + 1 + step]
        at += count
        offset += 2 if code > 128 else 1 + count
    return offset


def _decode_flat(data: bytes, offset: int, size: tuple[int, int], path: Path) -> np.ndarray:
    """RGBE bytes [H, W, 4] of plain pixels."""
    height, width = size
    if len(data) - offset < 4 * height * width:
        raise HdrError(path, "it ends too early")
    return np.frombuffer(data, np.uint8, 4 * height * width, offset).reshape(height, width, 4)


def _from_rgbe(rgbe: np.ndarray) -> np.ndarray:
    exponent = rgbe[..., 3:].astype(np.int32)
    scale = np.where(exponent > 0, np.ldexp(np.float32(1), exponent - 136), np.float32(0))
    return (rgbe[..., :3] * scale).astype(np.float32)


def _to_rgbe(radiance: np.ndarray) -> np.ndarray:
    peak = radiance.max(-1, keepdims=True)
    exponent = np.frexp(peak)[1]
    mantissa = np.minimum(np.rint(np.ldexp(radiance, 8 - exponent)), 255)
    bright = (peak > 1e-30) & (exponent < 128)
    return np.where(bright, np.concatenate([mantissa, exponent + 128], -1), 0).astype(np.uint8)


def _encode_line(line: np.ndarray) -> bytes:
    return b"".join(_encode_channel(line[:, channel].tobytes()) for channel in range(4))


def _encode_channel(values: bytes) -> bytes:
    """Runs of three or more as (128 + count, value), everything else as (count, values...)."""
    coded, literal, at = bytearray(), bytearray(), 0
    while at < len(values):
        run = 1
        while run < 127 and at + run < len(values) and values[at + run] == values[at]:
            run += 1
        if run >= 3:
            coded += _literal(literal) + bytes([128 + run, values[at]])
            literal.clear()
        else:
            literal += values[at : at + run]
        at += run
    return bytes(coded + _literal(literal))


def _literal(values: bytes) -> bytes:
    pieces = (values[at : at + 128] for at in range(0, len(values), 128))
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)
