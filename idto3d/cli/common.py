"""What verbs have in common: flags made from options, --set, and work in this process with its progress told."""

import argparse
import sys
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path

from idto3d.checks import checked, named_expressions
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.options import with_option

DONE, FAULT, FIXABLE = 0, 1, 2


def add_set(parser: argparse.ArgumentParser, text: str) -> None:
    """The flag --set, which may be repeated."""
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=text)


def add_option(parser: argparse.ArgumentParser, kind: type, name: str) -> None:
    """A flag for one field of an option dataclass; absent flags are None."""
    option = next(f for f in fields(kind) if f.name == name)
    flag = "--" + name.replace("_", "-")
    text = f"{option.metadata['help']} (default: {option.default})" if option.default != "" else option.metadata["help"]
    choices = [choice for choice in option.metadata.get("choices", ()) if choice != ""] or None
    parser.add_argument(flag, dest=name, type=type(option.default), choices=choices, help=text.replace("%", "%%"))


def work_here(folder: Path, lock, job, work=None, resume: bool = False) -> int:
    """Do the `work` of a claimed run folder, that of its job where none is given, here and tell its progress."""
    from idto3d.jobs.narrator import Narrator
    from idto3d.jobs.produce import produce, rest
    from idto3d.jobs.run_folder import perform

    narrator = Narrator(folder, sys.stderr)
    with lock, closing(perform(folder, job, work or produce, resume)) as events:
        for event in events:
            narrator.tell(event)
    for _ in rest(folder):
        pass
    return DONE


def all_assigned(options: HeadOptions, assignments: list[str]) -> HeadOptions:
    """`options` with each --set in them. Raises UserError."""
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        options = _assigned(options, name.strip(), value.strip())
    return checked(options)


def _assigned(options: HeadOptions, name: str, value: str) -> HeadOptions:
    """`options` with one --set in them. Raises UserError."""
    if name == "preset":
        raise UserError("A preset is many options and cannot be --set like one.", f"Give --preset {value}.")
    if name == "expressions":
        return replace(options, expressions=named_expressions(value))
    return with_option(options, name, value)
