"""What a user may do with the versions of a head: show another one, name them, delete them, see them as a tree.

Each function takes the run folder for itself meanwhile. It raises UserError, having changed nothing, where a process
works there, or where there is no finished head.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from idto3d.errors import UserError, shown
from idto3d.files import remove
from idto3d.jobs.history.state import GOING, ROOT, VERSIONS, State, folder_of, read_state, write_state, write_version
from idto3d.jobs.history.store import go, opened, redo_of, version, versions
from idto3d.jobs.history.version import Steps, Version
from idto3d.jobs.run_folder import claim, finished
from idto3d.words.prompts import one_line

LONGEST_NAME = 80
HASH = 12  # letters of a hash that are shown


@contextmanager
def history(folder: Path) -> Iterator[State]:
    """The state of the history of the finished head in `folder`, in order and for this process alone."""
    finished(folder)
    with claim(folder):
        finished(folder)
        yield opened(folder)


def listed(folder: Path) -> tuple[Version, ...]:
    """All versions of the finished head in `folder`, whose history is begun where it has none."""
    if not (found := versions(folder)):
        with history(folder):
            found = versions(folder)
    return found


def switch(folder: Path, wanted: str) -> Version:
    """Show the version `wanted` and return it. Raises UserError where there is none."""
    with history(folder) as state:
        found = version(folder, wanted)
        if not found.current:
            go(folder, state, wanted)
        return replace(found, current=True)


def undo(folder: Path) -> Version:
    """Show what the current version was made of. Raises UserError for the first one."""
    with history(folder) as state:
        parent = version(folder, state.current).parent
        if not parent:
            raise UserError("There is nothing to undo: this is the head as it was made.", "Edit it first.")
        go(folder, state, parent)
        return version(folder, parent)


def redo(folder: Path) -> Version:
    """Show what was made of the current version, the one last left where there are several. Raises UserError."""
    with history(folder) as state:
        child = redo_of(state, {one.id: one for one in versions(folder)})
        if not child:
            raise UserError("There is nothing to redo: nothing was made of this version.", "Edit it.")
        go(folder, state, child)
        return version(folder, child)


def steps(folder: Path) -> Steps:
    """Whether `undo` and `redo` would show another version; neither where no history was begun. Raises UserError."""
    state = read_state(folder)
    if state is None:
        return Steps()
    found = {one.id: one for one in versions(folder)}
    here = replace(state, current=state.shown)
    one = found.get(here.current)  # none while the version on its way has no folder yet
    return Steps(bool(one and one.parent), bool(redo_of(here, found)))


def rename(folder: Path, wanted: str, name: str) -> Version:
    """Give the version `wanted` another name, and return it. Raises UserError where there is none, or for no name."""
    title = checked_name(name)
    with history(folder):
        renamed = replace(version(folder, wanted), name=title)
        write_version(folder_of(folder, wanted), renamed)
        return renamed


def checked_name(name: str) -> str:
    """`name` on one line. Raises UserError for none, or a long one."""
    title = one_line(name)
    if not title or len(title) > LONGEST_NAME:
        what = f"'{shown(name)}' is no name for a version."
        raise UserError(what, f"Give one of at most {LONGEST_NAME} characters.")
    return title


def drop(folder: Path, wanted: str) -> None:
    """Delete the version `wanted`; what was made of it belongs to its parent then.

    Raises UserError where there is none, for the current one, and for the first one.
    """
    with history(folder) as state:
        going = version(folder, wanted)
        if wanted == ROOT:
            raise UserError("The head as it was made cannot be deleted alone.", "Delete the whole head instead.")
        if going.current:
            raise UserError("The version that is shown cannot be deleted.", "Switch to another one first.")
        for child in [one for one in versions(folder) if one.parent == wanted]:
            write_version(folder_of(folder, child.id), replace(child, parent=going.parent))
        write_state(folder, replace(state, left=_without(state.left, going)))
        away = folder / VERSIONS / f"{GOING}-{wanted}"
        folder_of(folder, wanted).rename(away)
        remove(away)


def _without(left: Mapping[str, str], going: Version) -> dict[str, str]:
    """Where redo leads when a version is gone: past it, where it led to it."""
    beyond = left.get(going.id, "")
    kept = {one: beyond if child == going.id else child for one, child in left.items() if one != going.id}
    return {one: child for one, child in kept.items() if child}


def tree_lines(found: Sequence[Version]) -> list[str]:
    """The versions as a tree, a line each, children below their parents; a star marks the current one."""
    rows = [(f"{stem}{one.id}{'*' if one.current else ''}", one) for stem, one in _rows(found, "", "")]
    width, names = max(len(label) for label, _ in rows), max(len(one.name) for _, one in rows)
    return [
        f"{label:<{width}}  {one.name:<{names}}  {one.created[:16].replace('T', ' ')}  {one.sha256[:HASH]}"
        for label, one in rows
    ]


def _rows(found: Sequence[Version], parent: str, indent: str) -> Iterator[tuple[str, Version]]:
    children = [one for one in found if one.parent == parent]
    for one in children:
        last = one is children[-1]
        yield f"{indent}{'' if not parent else '└─ ' if last else '├─ '}", one
        yield from _rows(found, one.id, indent if not parent else indent + ("   " if last else "│  "))
