"""The versions of a head, in the run folder's versions/: laid down, made, shown, and healed after a crash.

Every version lies whole in a folder of its own, and the run folder's files are those of the current one. What is about
to happen is written into state.json first; whoever opens the history next does what is left of it, so that a process
may end anywhere. All functions but `versions` and `heals` are for who holds the lock of the run folder.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from idto3d.config import EditOptions
from idto3d.errors import UserError, shown
from idto3d.files import private_folder, remove, sha256_of
from idto3d.jobs.history.contents import contents, lay, show
from idto3d.jobs.history.state import (
    COMING,
    GOING,
    RECORD,
    ROOT,
    VERSIONS,
    State,
    folder_of,
    read_state,
    read_version,
    write_state,
    write_version,
)
from idto3d.jobs.history.version import Version
from idto3d.jobs.lock import try_lock
from idto3d.jobs.record import EDIT, Job, now, read_job
from idto3d.jobs.run_folder import GLB, HEAD, LOCK

AS_MADE = "as it was made"
ID = re.compile(r"v\d{3,9}")


def versions(folder: Path) -> tuple[Version, ...]:
    """All versions of the head in `folder`, oldest first; none where no history was begun. Raises UserError."""
    state = read_state(folder)
    if state is None:
        return ()
    places = sorted(path for path in (folder / VERSIONS).iterdir() if (path / RECORD).is_file())
    found = [path for path in places if not path.name.startswith(".")]
    return tuple(read_version(path, path.name == state.shown) for path in found)


def version(folder: Path, wanted: str) -> Version:
    """One of them, of which alone the record is read. Raises UserError when there is none of that id."""
    state, place = read_state(folder), place_of(folder, wanted)
    return read_version(place, state is not None and wanted == state.shown)


def place_of(folder: Path, wanted: str) -> Path:
    """Where a version lies with its head.glb and all that belongs to it. Raises UserError when there is none."""
    place = folder_of(folder, wanted)
    if ID.fullmatch(wanted) and (place / RECORD).is_file():
        return place
    found = sorted(path.parent.name for path in (folder / VERSIONS).glob(f"v*/{RECORD}"))
    what = f"There is no version '{shown(wanted)}' of this head."
    raise UserError(what, f"Choose from: {', '.join(found)}." if found else "Edit it first.")


def opened(folder: Path) -> State:
    """The state of the history in `folder`, with everything in place; the head as it is becomes its root."""
    state = read_state(folder)
    if state is None:
        _lay_root(folder)
    elif state.goal:
        _finish(folder, state)
    else:
        _even(folder, state)
    for left in (folder / VERSIONS / COMING, *(folder / VERSIONS).glob(f"{GOING}*")):
        remove(left)
    return read_state(folder)


def heals(folder: Path) -> bool:
    """Finish what a crash left half done in `folder`, unless a process works there; returns whether all is in place."""
    state = read_state(folder)
    if state is None or not state.goal:
        return True
    lock = try_lock(folder / LOCK, patience=0.0)
    if lock is None:
        return False
    with lock:
        opened(folder)
    return True


def coming(folder: Path) -> Path:
    """An empty folder for the next version of the head in `folder`, whose history is open."""
    place = folder / VERSIONS / COMING
    remove(place)
    return private_folder(place)


def abandon(folder: Path) -> None:
    """Remove what `coming` gave, unless it has become a version, or is about to."""
    state = read_state(folder)
    if state is None or not state.coming:
        remove(folder / VERSIONS / COMING)


def commit(folder: Path, edit: EditOptions) -> Version:
    """Make what lies in `coming` a version under the current one, and show it."""
    state = read_state(folder)
    name = f"v{state.count:03}"
    made = Version(name, state.current, edit.title, edit, now(), _digest(folder))
    _take(folder, replace(state, count=state.count + 1), made)
    return replace(made, current=True)


def renew(folder: Path) -> None:
    """Let what lies in `coming` take the place of the current version, which was exported again."""
    state = read_state(folder)
    known = read_version(folder_of(folder, state.current), True)
    _take(folder, state, replace(known, sha256=_digest(folder)))


def go(folder: Path, state: State, wanted: str) -> None:
    """Show the version `wanted`, which is there."""
    found = {one.id: one for one in versions(folder)}
    left, child = dict(state.left), found[wanted]
    while child.parent in found:
        left[child.parent] = child.id
        child = found[child.parent]
    _finish(folder, _intended(folder, replace(state, goal=wanted, left=left)))


def _take(folder: Path, state: State, made: Version) -> None:
    place = folder / VERSIONS / COMING
    write_version(place, made)
    left = {**state.left, made.parent: made.id} if made.parent else state.left
    _finish(folder, _intended(folder, replace(state, goal=made.id, coming=True, left=left)))


def _digest(folder: Path) -> str:
    """The SHA-256 of the GLB that is coming. Raises FileNotFoundError where that version is not whole."""
    place = folder / VERSIONS / COMING
    os.stat(place / HEAD)
    return sha256_of(place / GLB)


def _intended(folder: Path, state: State) -> State:
    write_state(folder, state)
    return state


def _finish(folder: Path, state: State) -> None:
    """Do what `state` says is to be done; begun again it goes on where it was left."""
    source, place = folder_of(folder, state.goal), folder / VERSIONS / COMING
    if state.coming and place.is_dir():
        remove(source)
        os.rename(place, source)
    show(source, folder)
    write_state(folder, replace(state, current=state.goal, goal="", coming=False))


def _even(folder: Path, state: State) -> None:
    """Give the run folder what the current version has got since: see rest.py."""
    source = folder_of(folder, state.current)
    there = set(contents(folder))
    lay(source, folder, [name for name in contents(source) if name not in there])


def _lay_root(folder: Path) -> None:
    """Begin a history with the head in `folder` as it is."""
    place, known = folder / VERSIONS, {ROOT, COMING}
    if place.is_dir() and (others := {path.name for path in place.iterdir()} - known):
        what = f"'{place}' holds {', '.join(sorted(others)[:3])}, but no state.json."
        raise UserError(what, "Restore that file from a copy of the run, or move the folder away.")
    remove(place / ROOT)  # of a process that ended here before it had written state.json
    private_folder(place)
    made = coming(folder)
    lay(folder, made, contents(folder))
    job = read_job(folder)
    job = job and (job.before or job)
    write_version(made, Version(ROOT, "", _name(job), None, _when(job), _digest(folder)))
    os.rename(made, place / ROOT)
    write_state(folder, State(ROOT))


def _name(job: Job | None) -> str:
    """What the head as it was made is called: by its prompt, or by the edit that it came of as a run of its own."""
    if job is not None and job.kind == EDIT:
        return job.edits[0].title
    return (job.options.prompt if job else "") or AS_MADE


def _when(job: Job | None) -> str:
    return job.ended if job and job.ended else now()


def redo_of(state: State, found: Mapping[str, Version]) -> str:
    """The child of the current version that was left last, "" where it has none."""
    children = [one.id for one in found.values() if one.parent == state.current]
    told = state.left.get(state.current, "")
    return told if told in children else max(children, default="")
