"""What is handed in with a job: whether there may be so much of it, and copies of the photos."""

import shutil
from pathlib import Path

from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.files import private_folder
from idto3d.jobs.limits import Limits


def check_photos(photos: list[Path], options: HeadOptions, limits: Limits) -> None:
    """Raise UserError for more photos than may be given."""
    if len(photos) > (most := min(options.subject.max_photos, limits.photos)):
        raise UserError(f"{len(photos)} photos are more than the {most} that help.", "Choose the sharpest ones.")


def check_versions(there: int, limits: Limits) -> None:
    """Raise UserError where a head with so many versions may have no more."""
    if there >= limits.versions:
        what = f"A head may have {limits.versions} versions here, and this would be one more."
        raise UserError(what, "Delete some that you no longer need.")


def copies(photos: list[Path], folder: Path) -> list[Path]:
    """Copies of the photos under their own names, each in its own folder. Raises UserError when one cannot be read."""
    found = []
    for number, photo in enumerate(map(Path, photos), start=1):
        found.append(private_folder(folder / f"{number:02}") / photo.name)
        try:
            shutil.copyfile(photo, found[-1])
        except OSError:
            raise UserError(f"The photo '{photo.name}' cannot be read.", "Add it again.") from None
    return found
