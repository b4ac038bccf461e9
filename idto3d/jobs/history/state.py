"""The two kinds of small files of a history: versions/state.json, and version.json of each version."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType

from idto3d.config import EditOptions, as_json, from_json
from idto3d.errors import UserError
from idto3d.files import read_json, write_json
from idto3d.jobs.history.version import Version

VERSIONS = "versions"
STATE = "state.json"
RECORD = "version.json"
COMING = ".coming"  # a version that is being made; it is one when state.json says so
GOING = ".going"  # what begins the name of one that is being deleted
SCHEMA = 1
ROOT = "v000"
NOWHERE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class State:
    """Which version the run folder shows, and what is still to be done for it.

    goal: the version whose files the run folder is being given, "" when all is in place. coming: whether the folder
    COMING is to become that version before. count: of all versions there ever were, so that no id comes twice. left:
    by a version's id the child to which redo leads from there.
    """

    current: str
    goal: str = ""
    coming: bool = False
    count: int = 1
    left: Mapping[str, str] = field(default_factory=lambda: NOWHERE)

    @property
    def shown(self) -> str:
        """The version that the run folder shows once all is in place."""
        return self.goal or self.current


def folder_of(folder: Path, version: str) -> Path:
    """Where a version of the head in `folder` lies."""
    return folder / VERSIONS / version


def read_state(folder: Path) -> State | None:
    """The state of the history in `folder`, None where there is no history. Raises UserError where it is damaged."""
    path = folder / VERSIONS / STATE
    if not path.is_file():
        return None
    try:
        data = read_json(path)
        if data.pop("schema") != SCHEMA:
            raise ValueError
        state = State(**data)
        if not all(isinstance(value, str) for value in (state.current, state.goal, *state.left.values())):
            raise TypeError
        return state
    except (UserError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise _damaged(path) from fault


def write_state(folder: Path, state: State) -> None:
    """Replace state.json, atomically."""
    write_json(folder / VERSIONS / STATE, {"schema": SCHEMA, **vars(state), "left": dict(state.left)})


def write_version(place: Path, version: Version) -> None:
    """Write version.json into the folder of a version, atomically; which one is current it does not say."""
    data = {**asdict(version), "edit": as_json(version.edit) if version.edit else None}
    del data["current"]
    write_json(place / RECORD, {"schema": SCHEMA, **data})


def read_version(place: Path, current: bool) -> Version:
    """The version whose folder is `place`. Raises UserError where its record is missing, damaged, or another's."""
    path = place / RECORD
    try:
        data = read_json(path)
        if data.pop("schema") != SCHEMA or data["id"] != place.name:
            raise ValueError
        edit = data["edit"] and from_json(EditOptions, data["edit"])
        version = Version(**{**data, "edit": edit, "current": current})
        if not all(isinstance(getattr(version, name), str) for name in ("parent", "name", "created", "sha256")):
            raise TypeError
        return version
    except (UserError, KeyError, TypeError, ValueError, AttributeError) as fault:
        raise _damaged(path) from fault


def _damaged(path: Path) -> UserError:
    return UserError(f"'{path}' is damaged or of another version of idto3d.", "Restore it from a copy of the run.")
