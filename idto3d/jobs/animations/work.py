"""Work on a finished head that adds an animation to it and changes nothing else."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from idto3d.config import AnimateOptions
from idto3d.events import Event, Finished
from idto3d.jobs.animations.clip import drop_clip
from idto3d.jobs.animations.store import abandon, coming, commit
from idto3d.jobs.history.state import read_state
from idto3d.jobs.record import ClipRecord
from idto3d.jobs.run_folder import GLB

Moving = Callable[[Path, Path, AnimateOptions, Path], Iterator[Event]]  # a head's folder, a clip, how, where to


def as_animation(folder: Path, clip: ClipRecord, moving: Moving) -> Iterator[Event]:
    """Let `moving` animate the head in `folder`; where that does not end well there is no animation.

    The clip is gone before the end is told. Raises UserError as `moving` does.
    """
    try:
        with closing(moving(folder, folder / clip.path, clip.options, coming(folder))) as events:
            yield from (event for event in events if not isinstance(event, Finished))
        state = read_state(folder)
        commit(folder, clip.name, clip.options, state.shown if state else "")
    finally:
        abandon(folder)
        drop_clip(folder)
    yield Finished(folder, folder / GLB)
