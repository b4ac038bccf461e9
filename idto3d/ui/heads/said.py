"""Jobs and versions as plain JSON for the API; it names no path of the server."""

from collections.abc import Sequence

from idto3d.config import as_json
from idto3d.errors import discreet
from idto3d.jobs.animations.store import Animation
from idto3d.jobs.desk import JobView
from idto3d.jobs.history.version import Version

PATHS = ("mask", "sketch")  # fields of an edit that name files here


def view_as_json(view: JobView, versions: Sequence[Version] = ()) -> dict:
    """How a job stands, and the versions of its head."""
    progress = view.progress
    return {
        "job_id": view.id,
        "status": view.status,
        "position": view.position,
        "stage": progress.stage,
        "step": progress.step,
        "steps": progress.steps,
        "seconds_left": progress.seconds_left,
        "likeness": progress.likeness,
        "encoder": progress.encoder,
        "same_person": progress.same_person,
        "notices": [discreet(text) for text in progress.notices],
        "resumable": view.resumable,
        "versions": [version_as_json(version) for version in versions],
        "error": {"what": discreet(view.error.what), "remedy": discreet(view.error.remedy)} if view.error else None,
    }


def version_as_json(version: Version) -> dict:
    """One version: id, parent, name, created, sha256 of its GLB, whether it is shown, and what was asked."""
    edit = {name: value for name, value in as_json(version.edit).items() if name not in PATHS} if version.edit else None
    names = ("id", "parent", "name", "created", "sha256", "current")
    return {name: getattr(version, name) for name in names} | {"edit": edit}


def animation_as_json(one: Animation) -> dict:
    """One animation: id, name, created, the version that it shows, how it was asked for, whether it has a film."""
    told = {name: getattr(one, name) for name in ("id", "name", "created", "version")}
    return told | {"options": as_json(one.options), "film": one.film is not None}
