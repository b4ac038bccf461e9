"""Work on a finished head that its history is to know of: edits become versions, exports renew the current one."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from idto3d.config import EditOptions
from idto3d.events import Event, Finished
from idto3d.jobs.history.state import read_state
from idto3d.jobs.history.store import abandon, coming, commit, opened, renew
from idto3d.jobs.run_folder import GLB

Making = Callable[[Path], Iterator[Event]]  # of a head, whole, in the empty folder that it is given


def as_version(folder: Path, edit: EditOptions, making: Making) -> Iterator[Event]:
    """Make the head in `folder` anew by `making`, as a version of its own that is shown then.

    Where that does not end well all is as it was.
    """
    opened(folder)
    yield from _made(folder, making)
    try:
        commit(folder, edit)
    finally:
        abandon(folder)
    yield Finished(folder, folder / GLB)


def in_place(folder: Path, here: Callable[[], Iterator[Event]], making: Making) -> Iterator[Event]:
    """Make the current version of the head in `folder` anew; `here` does it where no history was begun."""
    if read_state(folder) is None:
        yield from here()
        return
    opened(folder)
    yield from _made(folder, making)
    try:
        renew(folder)
    finally:
        abandon(folder)
    yield Finished(folder, folder / GLB)


def _made(folder: Path, making: Making) -> Iterator[Event]:
    """What `making` reports but its end; where it is stopped, nothing of it stays."""
    try:
        with closing(making(coming(folder))) as events:
            for event in events:
                if not isinstance(event, Finished):
                    yield event
    except BaseException:
        abandon(folder)
        raise
