"""What a run says when the system refuses it: a full disk, a folder that cannot be written, or one that is gone."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from idto3d.errors import UserError
from idto3d.files import NO_SPACE

SHUT = (errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


def identity(folder: Path) -> tuple[int, int] | None:
    """What tells a folder from another that takes its place later; None where there is none."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def gone(folder: Path) -> UserError:
    """The refusal of a run whose folder was taken away."""
    return UserError(f"The folder '{folder}' was removed while the run worked in it.", "Start the run again.")


def refusal_of(error: Exception, folder: Path, saved: bool) -> UserError | None:
    """What the user can fix about `error`, raised by work in `folder`; None where it is a fault of ours.

    `saved`: whether the run can go on from a checkpoint.
    """
    if isinstance(error, UserError):
        return error
    if not isinstance(error, OSError):
        return None
    if not folder.is_dir():
        return gone(folder)
    again = "resume" if saved else "start the run again"
    if error.errno in NO_SPACE:
        return UserError("The disk is too full to go on.", f"Free some space and {again}.")
    if error.errno in SHUT:
        what = f"'{error.filename or folder}' cannot be written or read ({os.strerror(error.errno)})."
        return UserError(what, f"Put that right and {again}.")
    return None


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Refusals of the system while a run in `folder` is set up become UserErrors. Raises UserError."""
    try:
        yield
    except OSError as error:
        refusal = refusal_of(error, folder, saved=False)
        if refusal is None:
            raise
        raise refusal from error
