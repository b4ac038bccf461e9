"""The two chunks of a GLB file: a JSON header, and the numbers that it describes."""

import json
import struct
from collections.abc import Mapping

MAGIC, VERSION = b"glTF", 2
JSON, BINARY = b"JSON", b"BIN\0"


def packed(header: Mapping[str, object], binary: bytes) -> bytes:
    """A GLB file. Raises ValueError where the header holds a number that JSON has none for."""
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    chunks = _chunk(JSON, text, b" ") + _chunk(BINARY, binary, b"\0")
    return MAGIC + struct.pack("<II", VERSION, 12 + len(chunks)) + chunks


def unpacked(content: bytes) -> tuple[dict, bytes]:
    """The header and the binary chunk, empty where there is none, of a GLB file. Raises ValueError for another file."""
    if len(content) < 20 or content[:4] != MAGIC or struct.unpack_from("<I", content, 4) != (VERSION,):
        raise ValueError("not a file of GLB 2")
    kind, text, rest = _first_chunk(content, 12)
    if kind != JSON:
        raise ValueError(f"the first chunk of a GLB is JSON, not {kind!r}")
    try:
        header = json.loads(text)
    except RecursionError as fault:
        raise ValueError("the header is nested too deeply") from fault
    if not isinstance(header, dict):
        raise ValueError("the header of a GLB is a JSON object")
    kind, binary, _ = _first_chunk(content, rest) if rest + 8 <= len(content) else (BINARY, b"", 0)
    return header, binary if kind == BINARY else b""


def _chunk(kind: bytes, content: bytes, padding: bytes) -> bytes:
    content += padding * (-len(content) % 4)
    return struct.pack("<I", len(content)) + kind + content


def _first_chunk(content: bytes, start: int) -> tuple[bytes, bytes, int]:
    """Kind and content of the chunk at `start`, and where the next one is."""
    (length,) = struct.unpack_from("<I", content, start)
    begin = start + 8
    if begin + length > len(content):
        raise ValueError("a chunk is cut short")
    return content[begin - 4 : begin], content[begin : begin + length], begin + length
