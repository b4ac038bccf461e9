"""What exists of whom: the files of a run by kinds of data, and their removal with proof."""

import errno
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from idto3d.errors import UserError
from idto3d.files import PART, sha256_of
from idto3d.jobs import event_log, record
from idto3d.jobs.animations.store import ANIMATIONS
from idto3d.jobs.animations.store import RECORD as ANIMATION
from idto3d.jobs.history.state import RECORD, VERSIONS
from idto3d.jobs.lock import try_lock
from idto3d.jobs.run_folder import CHECKPOINTS, HEAD, LOCK, PHOTOS, RESERVE, SAVED

KINDS = ("photo", "clip", "crop", "checkpoint", "picture", "head", "version", "animation", "record")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".mp4")
SHOWN = ("photo", "clip", "crop", "checkpoint", "picture", "head", "version", "animation")
RECORDS = {record.FILE, event_log.FILE, LOCK, RESERVE, ".cancel", "worker.log"}
OURS = RECORDS | {PHOTOS, record.CLIP, CHECKPOINTS, HEAD, SAVED, "subject", "renders", VERSIONS, ANIMATIONS}
LOOKS, LOOK_S = 20, 0.05  # how often a folder that was emptied is removed again, and seconds between


@dataclass(frozen=True)
class Traces:
    """What a folder holds of a person: how many files of each kind, their bytes, and the seconds since the newest."""

    folder: Path
    kinds: tuple[tuple[str, int], ...]
    bytes: int
    age_seconds: float

    def sentence(self) -> str:
        """What there is, in words."""
        return counted(dict(self.kinds)) or "a record alone"


def counted(kinds: dict[str, int]) -> str:
    """Numbers of kinds in words; empty where there are none."""
    words = []
    for kind in (kind for kind in SHOWN if kinds.get(kind)):
        number = kinds[kind]
        words.append("the head" if kind == "head" else f"{number} {kind}{'s' if number > 1 else ''}")
    return ", ".join(words)


def traces(folder: Path) -> Traces:
    """What lies in `folder`, files that vanish meanwhile left out."""
    kinds, size, newest, seen = Counter(), 0, 0.0, set()
    for path in folder.rglob("*"):
        try:
            found = path.lstat()
        except OSError:
            continue
        if path.is_dir() and not path.is_symlink():
            continue
        kinds[kind_of(path.relative_to(folder))] += 1
        size += 0 if (found.st_dev, found.st_ino) in seen else found.st_size  # one file may have several names
        seen.add((found.st_dev, found.st_ino))
        newest = max(newest, found.st_mtime)
    _halve(kinds)
    age = max(time.time() - newest, 0.0) if newest else 0.0
    return Traces(folder, tuple((kind, kinds[kind]) for kind in KINDS if kinds[kind]), size, age)


def _halve(kinds: Counter) -> None:
    kinds["checkpoint"] = (kinds["checkpoint"] + 1) // 2  # each is two files
    kinds["head"] = min(kinds["head"], 1)  # one in several files


def kind_of(name: Path) -> str:
    """The kind of data that the file `name`, relative to a run folder, holds."""
    top = name.parts[0]
    if top == CHECKPOINTS:
        return "checkpoint"
    if top in (PHOTOS, "subject"):
        return "photo" if top == PHOTOS else "crop"
    if top == VERSIONS:
        return _kind_in_version(name)
    if top == record.CLIP:
        return "clip"
    if top == ANIMATIONS:
        return "animation" if name.name == ANIMATION else "picture" if name.suffix in PICTURES else "head"
    if top in RECORDS or PART.fullmatch(top):
        return "record"
    return "picture" if top == "renders" and name.suffix in PICTURES else "head"


def _kind_in_version(name: Path) -> str:
    """The same of a file in versions/; each version has one record, which counts it."""
    if name.name == RECORD:
        return "version"
    return "record" if len(name.parts) < 3 else "head"


def is_run(folder: Path) -> bool:
    """Whether `folder` is a run of ours: by its record, or as all it holds are files of ours."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    names = [entry.name for entry in folder.iterdir()]
    return record.FILE in names or all(name in OURS or PART.fullmatch(name) for name in names)


def digests(folder: Path) -> set[str]:
    """The SHA-256 of the photos of a run, from its record, also one of another version, and from its copies."""
    found = {sha256_of(path) for path in (folder / PHOTOS).rglob("*") if path.is_file()}
    try:
        found |= {photo["sha256"] for photo in json.loads((folder / record.FILE).read_text("utf-8"))["photos"]}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return found
    return found


def erase(folder: Path) -> Traces:
    """Remove a run with all it holds; returns what that was, nothing where it is not there.

    Raises UserError for a folder that is no run, that is worked in, or of which something stays.
    """
    if not folder.exists() and not folder.is_symlink():
        return Traces(folder, (), 0, 0.0)
    if not is_run(folder):
        raise UserError(f"'{folder}' is not a run folder.", "Nothing was deleted; check the name.")
    held = traces(folder)
    try:
        _remove_held(folder)
    except OSError as error:
        what = f"Not all of '{folder}' could be deleted ({error.strerror}: {error.filename})."
        raise UserError(what, "Make it writable and delete it again.") from error
    return held


def _remove_held(folder: Path) -> None:
    """Remove a run folder while nobody else may write there; its record goes after all that it tells of.

    Raises OSError, and UserError where a process works there.
    """
    lock = try_lock(folder / LOCK)
    if lock is None:
        raise UserError(f"A process still works in '{folder}'.", "Cancel it first.")
    with lock:
        for entry in folder.iterdir():
            if entry.name not in (LOCK, record.FILE):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        (folder / record.FILE).unlink(missing_ok=True)
    for _ in range(LOOKS):  # somebody may look at this moment whether there is still something to do here
        try:
            shutil.rmtree(folder)
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            time.sleep(LOOK_S)
    shutil.rmtree(folder)


def deleted(held: Iterable[Traces], uploads: int = 0) -> str:
    """What was removed, in one sentence; uploads: files that belonged to no run."""
    sums: Counter = Counter()
    for each in held:
        for kind, number in each.kinds:
            sums[kind] = max(sums[kind], number) if kind == "head" else sums[kind] + number
    unused = f"{uploads} upload{'s' if uploads > 1 else ''}" if uploads else ""
    told = ", ".join(filter(None, (counted(sums) or ("a record" if sums else ""), unused)))
    return f"Deleted: {told}; nothing is left." if told else "There was nothing to delete."
