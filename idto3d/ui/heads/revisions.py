"""Changing a finished head by words, and going about among its versions."""

from dataclasses import replace
from pathlib import Path

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.jobs.desk import Desk
from idto3d.jobs.history.changes import checked_name
from idto3d.jobs.history.version import Version
from idto3d.words.prompts import one_line


class Revisions:
    """What the page does with the versions of the heads of `desk`."""

    def __init__(self, desk: Desk):
        self.desk = desk

    def edit(self, job_id: str, options: EditOptions, visitor: str = "") -> None:
        """Queue a change of a head. Raises UserError when it cannot be."""
        name = options.name and checked_name(options.name)
        options = replace(options, prompt=one_line(options.prompt), name=name)
        if not (options.prompt or options.sketch):
            raise UserError("Nothing is said of what shall change.", 'Write it, as in "green hair".')
        self.desk.edit(job_id, options, visitor)

    def versions(self, job_id: str) -> tuple[Version, ...]:
        """The versions of a head, oldest first. Raises UserError where there is no finished head."""
        return self.desk.versions(job_id)

    def folder(self, job_id: str, version: Version) -> Path:
        """Where the files of a version lie."""
        return self.desk.version_folder(job_id, version.id)

    def steps(self, job_id: str) -> tuple[bool, bool]:
        """Whether undo, and redo, lead to another version of a head; neither where there is no head (any more)."""
        try:
            ways = self.desk.steps(job_id)
        except UserError:
            return False, False
        return ways.undo, ways.redo

    def listed(self, job_id: str) -> tuple[Version, ...]:
        """The same, none where there is no finished head (yet)."""
        try:
            return self.versions(job_id)
        except UserError:
            return ()

    def go(self, job_id: str, where: str) -> None:
        """Show another version: by its id, "undo" for the parent, "redo" for what was undone. Raises UserError."""
        if where == "undo":
            self.desk.undo(job_id)
        elif where == "redo":
            self.desk.redo(job_id)
        else:
            self.desk.switch(job_id, where)

    def drop(self, job_id: str, version: str) -> None:
        """Delete a version. Raises UserError when it cannot be."""
        self.desk.drop(job_id, version)

    def rename(self, job_id: str, name: str) -> None:
        """Give the shown version a name. Raises UserError when it cannot be."""
        shown = next((one.id for one in self.desk.versions(job_id) if one.current), "")
        self.desk.rename(job_id, shown, name)
