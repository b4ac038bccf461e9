"""One version of a head: what it came from, and what was asked."""

from dataclasses import dataclass

from idto3d.config import EditOptions


@dataclass(frozen=True)
class Version:
    """A head as it once was. `id` is "v000" for the one that was made, then counts; `parent` is "" for that one.

    name: what it is called, the prompt where nobody gave a name. edit: what made it of its parent, None for "v000".
    created: UTC, ISO 8601. sha256: of its head.glb. current: whether the run folder shows this one.
    """

    id: str
    parent: str
    name: str
    edit: EditOptions | None
    created: str
    sha256: str
    current: bool = False


@dataclass(frozen=True)
class Steps:
    """Whether there is a version to go back to, and one to go forth to, from the one that is shown."""

    undo: bool = False
    redo: bool = False
