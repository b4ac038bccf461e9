"""`edit` and `versions`: a finished head changed by words, and what became of it so far."""

import argparse
from dataclasses import fields
from pathlib import Path

from idto3d.checks import checked_edit, path_of
from idto3d.cli.common import DONE, add_option, work_here
from idto3d.config import REGIONS, EditOptions
from idto3d.words.prompts import one_line

PLAIN = ("prompt", "keep", "strength", "mask", "mask_space", "mask_azimuth_deg", "mask_elevation_deg", "steps")
PLAIN += ("seed", "name", "sketch")


def add_edit(parser: argparse.ArgumentParser) -> None:
    """The words of `edit`."""
    parser.add_argument("folder", type=path_of, metavar="DIR", help="run folder of a finished head")
    for name in PLAIN:
        add_option(parser, EditOptions, name)
    text = "a region that stays as it is; may be repeated"
    parser.add_argument("--lock", dest="locks", action="append", choices=REGIONS, help=text)
    text = "a new run folder for the edited head; DIR stays as it is (default: a new version in DIR)"
    parser.add_argument("--out", type=path_of, metavar="DIR2", help=text)


def add_versions(parser: argparse.ArgumentParser) -> None:
    """The words of `versions`."""
    parser.add_argument("folder", type=path_of, metavar="DIR", help="run folder of a finished head")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--switch", metavar="ID", help="show this version")
    change.add_argument("--undo", action="store_true", help="show what the current version was made of")
    change.add_argument("--redo", action="store_true", help="show what was made of it, the one last left")
    change.add_argument("--name", nargs=2, metavar=("ID", "NAME"), help="call a version by another name")
    change.add_argument("--delete", metavar="ID", help="delete a version; what was made of it stays")


def edit(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Edit a finished head in this process; when that fails, it stays what it was."""
    from idto3d.stages.edit.carried_mask import carried

    options = carried(edit_options(arguments))
    return _edit_apart(arguments, options) if arguments.out else _edit_here(arguments.folder, options)


def _edit_here(folder: Path, options: EditOptions) -> int:
    from idto3d.jobs.record import EDIT
    from idto3d.jobs.run_folder import finished, reopen

    return work_here(folder, *reopen(folder, EDIT, finished(folder).options, (options,)))


def _edit_apart(arguments: argparse.Namespace, options: EditOptions) -> int:
    """The edited head in a run folder of its own, of which nothing stays when that fails."""
    from idto3d.jobs.history.apart import begin_apart, work_apart
    from idto3d.jobs.produce import PIPELINE

    lock, job = begin_apart(arguments.folder, arguments.out, options)
    return work_here(arguments.out, lock, job, work_apart(arguments.folder, PIPELINE))


def edit_options(arguments: argparse.Namespace) -> EditOptions:
    """The edit asked for. Raises UserError for one that cannot be."""
    given = {f.name: getattr(arguments, f.name) for f in fields(EditOptions) if getattr(arguments, f.name) is not None}
    given |= {name: one_line(given[name]) for name in ("prompt", "name") if name in given}
    return checked_edit(EditOptions(**given | {"locks": tuple(dict.fromkeys(given.get("locks", ())))}))


def versions(arguments: argparse.Namespace, _rest: list[str]) -> int:
    """Change what is asked, and print the versions as a tree."""
    from idto3d.jobs.history import changes

    folder = arguments.folder
    if arguments.switch:
        changes.switch(folder, arguments.switch)
    elif arguments.undo:
        changes.undo(folder)
    elif arguments.redo:
        changes.redo(folder)
    elif arguments.name:
        changes.rename(folder, *arguments.name)
    elif arguments.delete:
        changes.drop(folder, arguments.delete)
    print("\n".join(changes.tree_lines(changes.listed(folder))))
    return DONE
