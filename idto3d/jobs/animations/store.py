"""The animations of a head, in the run folder's animations/: one folder each, whole or absent.

A folder without a record is one that a shell made, which goes by its own name.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from idto3d.config import AnimateOptions, as_json, from_json
from idto3d.errors import UserError, shown
from idto3d.files import private_folder, read_json, remove, write_json
from idto3d.jobs.record import now

ANIMATIONS = "animations"
RECORD = "animation.json"
COMING = ".coming"
ID = re.compile(r"a\d{3,9}")
NAMED = re.compile(r"[\w-]{1,80}")  # how the folder of one that a shell made may be called
GLB, FILM = ".glb", ".mp4"


@dataclass(frozen=True)
class Animation:
    """One animation of a head: its name, when it was made, as what, of which version ("" for a head without others).

    glb plays it; film shows it, None where none was drawn.
    """

    id: str
    name: str
    created: str
    options: AnimateOptions
    glb: Path
    film: Path | None = None
    version: str = ""


def animations(folder: Path) -> tuple[Animation, ...]:
    """The animations of the head in `folder`, oldest first; one whose record cannot be read is left out."""
    places = sorted(path for path in (folder / ANIMATIONS).glob("*") if NAMED.fullmatch(path.name))
    found = [one for place in places if (one := _read(place) if (place / RECORD).exists() else _of_a_shell(place))]
    return tuple(sorted(found, key=lambda one: one.created))


def animation(folder: Path, wanted: str) -> Animation:
    """One of them. Raises UserError where there is none of that id."""
    found = {one.id: one for one in animations(folder)}
    if wanted in found:
        return found[wanted]
    what = f"There is no animation '{shown(wanted)}' of this head."
    raise UserError(what, f"Choose from: {', '.join(found)}." if found else "Make one from a clip first.")


def drop(folder: Path, wanted: str) -> None:
    """Delete an animation. Raises UserError where there is none of that id."""
    remove(folder / ANIMATIONS / animation(folder, wanted).id)


def coming(folder: Path) -> Path:
    """An empty private folder for the next animation of the head in `folder`."""
    abandon(folder)
    return private_folder(folder / ANIMATIONS / COMING)


def abandon(folder: Path) -> None:
    """Remove what `coming` gave, unless it has become an animation."""
    remove(folder / ANIMATIONS / COMING)


def commit(folder: Path, name: str, options: AnimateOptions, version: str = "") -> Animation:
    """Make what lies in `coming` an animation called `name`. Raises FileNotFoundError where it holds no GLB."""
    made = folder / ANIMATIONS / COMING
    if _one(made, GLB) is None:
        raise FileNotFoundError(f"the animation in {made} has no GLB")
    told = {"name": name, "created": now(), "version": version, "options": as_json(options)}
    write_json(made / RECORD, told)
    place = made.with_name(f"a{_free(folder):03}")
    made.rename(place)
    return _read(place)


def _free(folder: Path) -> int:
    """A number that no animation has, nor had one before the newest."""
    numbers = [int(path.name[1:]) for path in (folder / ANIMATIONS).iterdir() if ID.fullmatch(path.name)]
    return max(numbers, default=0) + 1


def _read(place: Path) -> Animation | None:
    """The animation in a folder; None where it is none, as while it is deleted."""
    try:
        data, glb = read_json(place / RECORD), _one(place, GLB)
        if glb is None or not ID.fullmatch(place.name):
            return None
        texts = {name: str(data[name]) for name in ("name", "created", "version")}
        options = from_json(AnimateOptions, data["options"])
    except (UserError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return Animation(place.name, options=options, glb=glb, film=_one(place, FILM), **texts)


def _of_a_shell(place: Path) -> Animation | None:
    """The animation in a folder that has no record, as soon as its GLB is there; None where there is none."""
    glb = _one(place, GLB)
    if glb is None:
        return None
    try:
        made = datetime.fromtimestamp(glb.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
    except OSError:  # it is being deleted
        return None
    return Animation(place.name, place.name, made, AnimateOptions(), glb, _one(place, FILM))


def _one(place: Path, ending: str) -> Path | None:
    """The first file in a folder with that ending."""
    return min(place.glob(f"*{ending}"), default=None)
