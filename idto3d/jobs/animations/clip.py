"""The clip of somebody's face that an animation is made from: a private copy that is there only while it is needed."""

import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from idto3d.config import AnimateOptions
from idto3d.errors import UserError
from idto3d.files import private_folder, remove
from idto3d.jobs.animations.store import animations
from idto3d.jobs.limits import Limits
from idto3d.jobs.record import CLIP, ClipRecord

STRAY_SECONDS = 60.0  # after which a clip is nobody's that no job is at work on
ENDINGS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
MEGABYTE = 1_000_000


def check_clip(folder: Path, clip: Path, limits: Limits) -> None:
    """Raise UserError for a clip that is too large or none, or where a head may have no more animations."""
    if clip.suffix.lower() not in ENDINGS:
        raise UserError(f"'{clip.name}' is no clip that can be read.", f"Give one of {', '.join(ENDINGS)}.")
    try:
        size = clip.stat().st_size
    except OSError:
        raise UserError(f"The clip '{clip.name}' cannot be read.", "Add it again.") from None
    if size > limits.clip_megabytes * MEGABYTE:
        what = f"The clip '{clip.name}' has {size / MEGABYTE:.0f} MB."
        raise UserError(what, f"Cut it, or save it smaller: {limits.clip_megabytes:.0f} MB at most.")
    if len(animations(folder)) >= limits.animations:
        what = f"A head may have {limits.animations} animations here, and this would be one more."
        raise UserError(what, "Delete one that you no longer need.")


def hand_in(folder: Path, clip: Path, name: str, options: AnimateOptions) -> ClipRecord:
    """Copy a clip into a run folder, beside that of somebody else who asks now. Raises UserError for an unreadable."""
    place = private_folder(folder / CLIP / secrets.token_hex(4)) / f"clip{clip.suffix.lower()}"
    try:
        shutil.copyfile(clip, place)
    except OSError:
        remove(place.parent)
        raise UserError(f"The clip '{clip.name}' cannot be read.", "Add it again.") from None
    return ClipRecord(str(place.relative_to(folder)), name, options)


@contextmanager
def or_taken_back(folder: Path, handed: ClipRecord) -> Iterator[None]:
    """Remove a clip that was handed in, and no other, where what follows fails."""
    try:
        yield
    except BaseException:
        remove((folder / handed.path).parent)
        with suppress(OSError):  # not empty: somebody else's lies there
            (folder / CLIP).rmdir()
        raise


def drop_clip(folder: Path) -> None:
    """Remove the clip of a run folder, if it has one."""
    remove(folder / CLIP)


def drop_stray(folder: Path) -> None:
    """Remove a clip that lies in a run folder on which nobody works: that of a process that died."""
    try:
        stray = time.time() - (folder / CLIP).stat().st_mtime > STRAY_SECONDS
    except OSError:
        return
    if stray:
        remove(folder / CLIP)
