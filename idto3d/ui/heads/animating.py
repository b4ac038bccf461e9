"""What the page does with animations of heads: made from a clip, listed, handed out, deleted. Knows no widgets."""

from collections.abc import Mapping
from pathlib import Path

from idto3d.config import AnimateOptions
from idto3d.errors import UserError
from idto3d.files import copy_atomic, remove
from idto3d.jobs.animations.store import Animation, animation, animations, drop
from idto3d.jobs.desk import Desk
from idto3d.jobs.history.changes import LONGEST_NAME
from idto3d.ui.heads.onstage import served
from idto3d.ui.photos import NO_CONSENT
from idto3d.ui.shelf import Shelf
from idto3d.words.prompts import one_line

NO_CLIP = UserError("There is no clip.", "Choose a film of a face, or record one.")
WAYS = ("strength", "smoothing")  # fields of AnimateOptions that are asked for


class Animations:
    """The animations of the heads of `desk`; their files are served from `shelf`."""

    def __init__(self, desk: Desk, shelf: Shelf):
        self.desk, self.shelf = desk, shelf

    def start(self, job_id: str, clip: Path | None, consent: bool, asked: Mapping, visitor: str = "") -> None:
        """Queue an animation of a head by a clip that was uploaded; the upload is removed once it is handed in.

        asked: by the names of fields of AnimateOptions, and `name`. Raises UserError when it cannot be.
        """
        if clip is None:
            raise UserError(NO_CLIP.what, NO_CLIP.remedy)
        if not consent:
            raise UserError(*NO_CONSENT)
        limits = self.desk.limits
        ways = {name: asked[name] for name in WAYS if asked.get(name) is not None}
        ways |= {"max_seconds": limits.clip_seconds, "max_megabytes": limits.clip_megabytes}
        name = one_line(asked.get("name") or clip.stem)[:LONGEST_NAME] or "Animation"
        self.desk.animate(job_id, clip, AnimateOptions(**ways), name, visitor)
        remove(clip)

    def listed(self, job_id: str) -> tuple[Animation, ...]:
        """The animations of a head, oldest first. Raises UserError where there is no such head."""
        return animations(self.desk.folder(job_id))

    def drop(self, job_id: str, wanted: str) -> None:
        """Delete one. Raises UserError where there is none of that id."""
        drop(self.desk.folder(job_id), wanted)
        for path in self.shelf.place(job_id).glob(f"{wanted}-*"):
            path.unlink(missing_ok=True)

    def files(self, job_id: str, wanted: str) -> tuple[Path, Path | None]:
        """The GLB of one, and its film or None, where the page may serve them. Raises UserError where it is none."""
        one = animation(self.desk.folder(job_id), wanted)
        return self._given(job_id, one, one.glb), one.film and self._given(job_id, one, one.film)

    def addresses(self, job_id: str, one: Animation) -> tuple[str, str]:
        """Where the GLB and the film, "" for none, of one are served."""
        paths = (one.glb, one.film)
        glb, film = (served(self._given(job_id, one, path)) if path else "" for path in paths)
        return glb, film

    def _given(self, job_id: str, one: Animation, path: Path) -> Path:
        moment = "".join(filter(str.isdigit, one.created))  # another one may get its id when it is deleted
        place = self.shelf.place(job_id) / f"{one.id}-{moment}{path.suffix}"
        return place if place.is_file() else copy_atomic(path, place)
