"""The files that the viewer reads, where the page may serve them: heads, our lights, and those of visitors."""

import re
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from idto3d.config import HDRI
from idto3d.errors import UserError
from idto3d.files import private_folder, remove, write_atomic
from idto3d.jobs.drawing.studio import Studio
from idto3d.jobs.history.state import folder_of
from idto3d.jobs.history.version import Version
from idto3d.ui.shelf import Shelf

LIGHTS = "lights"  # folder of ours beside the heads that are handed out
LIGHT_TYPES = (".hdr", ".exr")
MOST_LIGHTS = 12  # of one visitor on one page, and of one head
LONGEST_NAME = 40
NO_LIGHT = UserError("This is no .hdr or .exr file that was uploaded here.", "Choose one, and try again.")
MANY = UserError(f"A page holds {MOST_LIGHTS} lights of yours.", "Reload it to begin anew.")


class OnStage:
    """Has the files of the viewer made by `studio` and laid onto `shelf`."""

    def __init__(self, studio: Studio, shelf: Shelf):
        self.studio, self.shelf = studio, shelf
        self._lock = threading.Lock()

    def open(self) -> None:
        """Prepare what every head needs, in the background."""
        self.studio.open()
        if not self._lights_there():
            threading.Thread(target=self.lights, name="lights", daemon=True).start()

    def lights(self, own: Mapping[str, str] | None = None) -> dict[str, str]:
        """Where our lights, then those of a visitor, are served, by name. Raises UserError where none can be made."""
        with self._lock:
            folder, paths = private_folder(self.shelf.folder / LIGHTS), sorted(HDRI.glob("*.hdr"))
            if not self._lights_there():
                for path, file in zip(paths, self.studio.light_files(paths, "the page"), strict=True):
                    write_atomic(_place(folder, path.stem), file)
        return {path.stem: served(_place(folder, path.stem)) for path in paths} | dict(own or {})

    def head(self, job_id: str, folder: Path, version: Version) -> str:
        """Where a version of the head in `folder` is served, by its hash. Raises UserError."""
        path = self.shelf.place(job_id) / f"{_hash(version)}.head"
        if not path.is_file():  # read from where it lies alone: the run folder may show another one meanwhile
            file = self.studio.head_file(folder, folder_of(folder, version.id))
            if not folder.is_dir():
                raise UserError(*self.studio.terms.gone)
            write_atomic(path, file)
        return served(path)

    def keep_only(self, job_id: str, versions: Sequence[Version]) -> None:
        """Remove what was made of versions of a head that are gone."""
        kept = {f"{_hash(version)}.head" for version in versions}
        for path in self.shelf.place(job_id).glob("*.head"):
            if path.name not in kept:
                path.unlink(missing_ok=True)

    def own_light(self, job_id: str, own: Mapping[str, str], path: Path, name: str, visitor: str) -> dict[str, str]:
        """`own` with a light that a visitor uploaded for a head, with which it goes; the upload is removed.

        Raises UserError when it cannot be read.
        """
        if len(own) >= MOST_LIGHTS:
            raise UserError(MANY.what, MANY.remedy)
        if path.suffix.lower() not in LIGHT_TYPES:
            raise UserError(NO_LIGHT.what, NO_LIGHT.remedy)
        try:
            file = self.studio.light_files([path], visitor)[0]
        finally:
            remove(path)
        place = self.shelf.place(job_id)
        made = write_atomic(place / f"{time.time_ns()}_{secrets.token_hex(8)}.light", file)
        for older in sorted(place.glob("*.light"))[:-MOST_LIGHTS]:
            older.unlink(missing_ok=True)
        return {**own, _free(named(name), own): served(made)}

    def _lights_there(self) -> bool:
        folder = self.shelf.folder / LIGHTS
        return all(_place(folder, path.stem).is_file() for path in HDRI.glob("*.hdr"))


def _hash(version: Version) -> str:
    return version.sha256[:16]


def served(path: Path) -> str:
    """The address of a file below the folder that Gradio serves."""
    return f"gradio_api/file={quote(str(path))}"


def named(name) -> str:
    """What a visitor's light is called: letters, digits and blanks of its file's name."""
    stem = Path(str(name)).stem if isinstance(name, str) else ""
    return re.sub(r"[^\w -]", "", stem)[:LONGEST_NAME].strip() or "Your light"


def _free(title: str, taken: Mapping[str, str]) -> str:
    """`title`, with a number where it is taken."""
    number, one = 1, title
    while one in taken:
        number += 1
        one = f"{title} {number}"
    return one


def _place(folder: Path, name: str) -> Path:
    return folder / f"{name}.light"
