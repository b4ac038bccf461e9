"""The mask of an edit as text within its options, so that they alone say all that was asked.

Whoever asks for an edit names a picture; what is kept of it in records, saved heads and GLBs is a grey PNG.
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

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.files import remove, write_atomic
from idto3d.subject.images import load_photo

TEXT = "data:image/png;base64,"
FILE = ".mask.png"


def carried(options: EditOptions) -> EditOptions:
    """`options` with the mask itself in place of the name of its file. Raises UserError where it cannot be read."""
    if not options.mask or options.mask.startswith(TEXT):
        return options
    grey = load_photo(options.mask).mean(-1).round().astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG", optimize=True)
    return replace(options, mask=TEXT + base64.b64encode(stream.getvalue()).decode())


@contextmanager
def as_file(options: EditOptions, folder: Path) -> Iterator[EditOptions]:
    """`options` whose mask is a file again, in `folder` while it is needed. Raises UserError where it is none."""
    if not options.mask.startswith(TEXT):
        yield options
        return
    try:
        content = base64.b64decode(options.mask.removeprefix(TEXT), validate=True)
    except binascii.Error as fault:
        raise UserError("The mask of the edit is damaged.", "Give a picture as its mask.") from fault
    path = write_atomic(folder / FILE, content)
    try:
        yield replace(options, mask=str(path))
    finally:
        remove(path)


def brief(options: EditOptions) -> EditOptions:
    """`options` for who reads along: of a mask only that there is one."""
    return replace(options, mask="painted") if options.mask else options
