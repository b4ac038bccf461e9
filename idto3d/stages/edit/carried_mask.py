"""The mask and the sketch of an edit as text within its options, so that they alone say all that was asked.

Whoever asks for an edit names pictures; what is kept of them in records, saved heads and GLBs is a PNG, of a mask a
grey one, of a sketch one with its colours and how opaque they are.
"""

import base64
import binascii
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from idto3d.checks import checked_edit
from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.files import remove, write_atomic
from idto3d.subject.images import load_drawing, load_photo

TEXT = "data:image/png;base64,"
PICTURES = {"mask": ".mask.png", "sketch": ".sketch.png"}  # fields of EditOptions, and the files they are again
SIDE = 1024  # pixels of a sketch at most
SHOWN = {"mask": "painted", "sketch": "drawn"}  # in place of them, for who reads along


def carried(options: EditOptions) -> EditOptions:
    """`options` with pictures themselves in place of the names of their files.

    Raises UserError where one cannot be read, or is too large to be carried.
    """
    found = {}
    if options.mask and not options.mask.startswith(TEXT):
        found["mask"] = _text(load_photo(options.mask).mean(-1).round().astype(np.uint8))
    if options.sketch and not options.sketch.startswith(TEXT):
        found["sketch"] = _text(load_drawing(options.sketch, side=SIDE))
    return checked_edit(replace(options, **found)) if found else options


def _text(picture: np.ndarray) -> str:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "PNG", optimize=True)
    return TEXT + base64.b64encode(stream.getvalue()).decode()


@contextmanager
def as_file(options: EditOptions, folder: Path) -> Iterator[EditOptions]:
    """`options` whose pictures are files again, in `folder` while they are needed. Raises UserError where one is none.

    A picture that is not carried stays the name of its file.
    """
    content = {name: _content(name, text) for name in PICTURES if (text := getattr(options, name)).startswith(TEXT)}
    paths: dict[str, Path] = {}
    try:
        for name, data in content.items():
            paths[name] = write_atomic(folder / PICTURES[name], data)
        yield replace(options, **{name: str(path) for name, path in paths.items()})
    finally:
        for path in paths.values():
            remove(path)


def _content(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix(TEXT), validate=True)
    except binascii.Error as fault:
        raise UserError(f"The {name} of the edit is damaged.", f"Give a picture as its {name}.") from fault


def brief(options: EditOptions) -> EditOptions:
    """`options` for who reads along: of pictures only that there are some."""
    return replace(options, **{name: word for name, word in SHOWN.items() if getattr(options, name)})
