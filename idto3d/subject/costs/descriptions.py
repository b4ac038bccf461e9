"""What reading a picture's description (TIFF's directory, which EXIF is as well) may cost beyond the file's size.

Each entry names a place and a length, and readers copy them all: a small file whose entries all name the same bytes
would take any amount of memory.
"""

import re
from collections.abc import Iterator
from itertools import chain

import numpy as np

from idto3d.errors import UserError

MOST_COPIES = 4  # times the file's own size that all entries may name together
SPARE = 2**20  # bytes that they may name beyond that
MOST_SEGMENTS = 500  # of a JPEG's EXIF, each of up to 64 KB: 30 MB
MOST_DIRECTORIES = 500
SEGMENT = re.compile(rb"\xff\xe1(..)Exif\0\0", re.DOTALL)  # of a JPEG; readers join what several hold
HEADER = re.compile(rb"(?:II|MM)(?:\*\0|\0\*|\+\0|\0\+)")
LAYOUTS = {"u4": "u2", "u8": "u8"}  # TIFF and BigTIFF: numbers of places and lengths, and of the count of entries
INNER = (330, 34665, 34853, 40965)  # tags that name another directory: parts, EXIF, GPS, interoperability
SIZES = np.zeros(65536)  # bytes of a value of each of TIFF's types; of unknown types none is read
SIZES[1:14] = (1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4)
SIZES[16:19] = 8


def check_descriptions(data: bytes, name: str) -> None:
    """Raise UserError for a file whose descriptions name far more bytes than it has, or come in too many pieces."""
    pieces = list(SEGMENT.finditer(data)) if data.startswith(b"\xff\xd8") else []
    if len(pieces) > MOST_SEGMENTS:
        raise _too_large(name)
    whole = b"".join(data[piece.end() : piece.start() + 2 + int.from_bytes(piece[1])] for piece in pieces)
    named, most = 0.0, MOST_COPIES * len(data) + SPARE
    for count, size in enumerate(chain(_sizes(data), _sizes(whole) if len(pieces) > 1 else ())):
        named += size
        if named > most or count >= MOST_DIRECTORIES:
            raise _too_large(name)


def _too_large(name: str) -> UserError:
    return UserError(
        f"The description inside '{name}' is larger than any photo's.", "Save it anew as an ordinary JPEG."
    )


def _sizes(data: bytes) -> Iterator[float]:
    """The bytes that each directory names: the first behind every header, and those that it names in turn."""
    for header in HEADER.finditer(data):
        order, start = "<" if header[0][:1] == b"I" else ">", header.start()
        for kind in LAYOUTS if b"+" in header[0] else ("u4",):
            number = np.dtype(order + kind)
            places, seen = [_number(data, start + number.itemsize, number)], set()
            while places:
                place = places.pop()
                if place not in seen:
                    seen.add(place)
                    entries = _entries(data, start + place, number)
                    yield _named(entries, len(data) - start)
                    places += {int(entry["value"]) for entry in entries[np.isin(entries["tag"], INNER)]}


def _entries(data: bytes, place: int, number: np.dtype) -> np.ndarray:
    """The entries (tag, type, count, value) of the directory at `place`; none where it lies beyond the end."""
    order, count = number.str[0], np.dtype(number.str[0] + LAYOUTS[number.str[1:]])
    entry = np.dtype([("tag", f"{order}u2"), ("type", f"{order}u2"), ("count", number), ("value", number)])
    first = place + count.itemsize
    total = min(_number(data, place, count), 65535, max(len(data) - first, 0) // entry.itemsize)
    return np.frombuffer(data, entry, total, first) if total else np.empty(0, entry)


def _number(data: bytes, place: int, kind: np.dtype) -> int:
    """The number of a numpy `kind` at a place of `data`; 0 beyond its end."""
    return int(np.frombuffer(data, kind, 1, place)[0]) if place + kind.itemsize <= len(data) else 0


def _named(entries: np.ndarray, most: int) -> float:
    """The bytes that entries name, but for those that name more than the `most` there are, which nobody can read."""
    sizes = SIZES[entries["type"]] * entries["count"].astype(float)
    return float(sizes[(sizes > 8) & (sizes <= most)].sum())
