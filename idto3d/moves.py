"""Files that get another place, or one more name."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path

from idto3d.files import copy_atomic, remove


def move_all(source: Path, target: Path, last: Sequence[str]) -> None:
    """Move every file below the folder `source` to its place below `target`, those named `last` in the end, in order.

    Of a file that lies there already, under one more name, nothing is left in `source` either.
    """
    names = sorted((path.relative_to(source) for path in source.rglob("*") if path.is_file()), key=str)
    for name in sorted(names, key=lambda name: last.index(str(name)) if str(name) in last else -1):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(source / name, target / name)
    remove(source)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target` the file `source`: one more name of it, or a copy where the file system has no such names."""
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        os.link(source, part)
    except OSError:
        copy_atomic(source, target)
        return
    os.replace(part, target)
