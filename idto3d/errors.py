"""What may go wrong for a user."""

import re
import sys
from collections.abc import Callable
from typing import NoReturn

from idto3d.determinism import repeatable

# The folders of an absolute path, which may hold blanks where it is quoted, and of no address.
FOLDERS = re.compile(r"(?<=')/(?:[^/'\n]+/)+|(?<![\w.:/'])/(?:[^/\s'\"]+/)+")


class UserError(Exception):
    """Something the user can fix: one sentence says what, one says what to do.

    The command line prints it and exits with 2; the page shows it.
    """

    def __init__(self, what: str, remedy: str):
        super().__init__(f"{what} {remedy}")
        self.what = what
        self.remedy = remedy

    def __reduce__(self):
        return UserError, (self.what, self.remedy)  # exceptions travel between processes by their arguments


def shown(value) -> str:
    """`value` as a sentence may hold it: printable, at most 60 characters."""
    text = "".join(c if c.isprintable() else "?" for c in str(value))
    return text if len(text) <= 60 else f"{text[:40]}...{text[-17:]}"


def discreet(text: str) -> str:
    """`text` as somebody elsewhere may read it: of absolute paths their last names alone."""
    return FOLDERS.sub("", text)


def run_command(main: Callable[[list[str]], int]) -> NoReturn:
    """Run a module's `main` on the command line and exit with its code; what a user can fix is printed and exits 2."""
    repeatable()
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        print(f"{error.what}\n{error.remedy}", file=sys.stderr)
        sys.exit(2)
