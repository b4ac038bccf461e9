"""One process at a time: file locks the system releases when their owner dies, however it dies."""

import os
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

PATIENCE = 1.0  # seconds to wait out somebody who only looks whether a lock is held


class FileLock:
    """A lock held by this process until `release` or the process ends; the file holds the owner's pid."""

    def __init__(self, path: Path, handle: int):
        self.path = path
        self._handle = handle

    def release(self) -> None:
        """Let go and remove the file."""
        if self._handle < 0:
            return
        if os.name == "posix":
            self.path.unlink(missing_ok=True)
        os.close(self._handle)
        self._handle = -1

    def __enter__(self) -> "FileLock":
        return self

    def __exit__(self, *_) -> None:
        self.release()


def try_lock(path: Path, patience: float = PATIENCE) -> FileLock | None:
    """The lock at `path`, or None when another process holds it for longer than `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(handle) and _still_there(handle, path):
            os.ftruncate(handle, 0)
            os.write(handle, str(os.getpid()).encode())
            return FileLock(path, handle)
        os.close(handle)
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.02)


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock at `path`."""
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(handle, shared=True)
    finally:
        os.close(handle)


def owner_of(path: Path) -> int | None:
    """The pid of the process that holds the lock at `path`, None when nobody does."""
    if not is_locked(path):
        return None
    try:
        return int(path.read_text() or 0) or None
    except (OSError, ValueError):
        return None


def _lock(handle: int, shared: bool = False) -> bool:
    try:
        if fcntl:
            fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        else:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _still_there(handle: int, path: Path) -> bool:
    """Whether the locked file is the one the name stands for: its last owner may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except OSError:
        return False
