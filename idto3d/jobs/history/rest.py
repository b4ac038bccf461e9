"""The pictures of a version that come after it: it is shown as soon as its head.glb and its front are there."""

from collections.abc import Callable, Generator, Iterator
from pathlib import Path

from idto3d.errors import UserError
from idto3d.files import write_atomic
from idto3d.jobs import record
from idto3d.jobs.history.state import folder_of, read_state
from idto3d.jobs.history.store import versions
from idto3d.jobs.history.version import Version
from idto3d.jobs.lock import try_lock
from idto3d.jobs.run_folder import LOCK
from idto3d.moves import link_or_copy

# Draws what a head's folder is without: names in it, and files; None in between, for who may want to stop.
Drawing = Callable[[Path], Iterator[tuple[Path, bytes] | None]]
PATIENCE = 10.0  # seconds for who works in the folder meanwhile


def completed(folder: Path, drawing: Drawing) -> Generator[None, None, None]:
    """Give the versions of the head in `folder`, newest first, the pictures that they are without.

    Yields often; whoever stops there loses what was drawn of one version. The folder is held only while files are put
    down, so that others may work there. Raises UserError where the history is damaged.
    """
    for one in reversed(versions(folder)):
        drawn = []
        for picture in drawing(folder_of(folder, one.id)):
            drawn += [picture] if picture else []
            yield
        if drawn:
            _put_down(folder, one, drawn)


def _put_down(folder: Path, made: Version, drawn: list[tuple[Path, bytes]]) -> None:
    """Lay pictures into a version, and where it is shown; nothing where it is another by now, or is gone."""
    if not (folder / record.FILE).is_file() or (lock := try_lock(folder / LOCK, PATIENCE)) is None:
        return
    with lock:
        place, state = folder_of(folder, made.id), read_state(folder)
        if state is None or not _same(folder, made):
            return
        for name, content in drawn:
            write_atomic(place / name, content)
            if state.current == made.id and not state.goal:
                link_or_copy(place / name, folder / name)


def _same(folder: Path, made: Version) -> bool:
    try:
        return any((one.id, one.sha256) == (made.id, made.sha256) for one in versions(folder))
    except UserError:
        return False
