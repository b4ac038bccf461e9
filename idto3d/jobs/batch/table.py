"""The table of people: one row a person, read and checked wholly before anything is begun.

Columns are `name` (needed), `photos` (files separated by ';', or patterns such as anna/*.jpg, seen from the table's
folder), and any option of a head: prompt, negative_prompt, expressions, seed, preset, shape.steps ... An empty cell
leaves an option as it is for all.
"""

import csv
import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from idto3d import config
from idto3d.checks import checked, named_expressions
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.jobs.batch.names import folder_name
from idto3d.options import option_names, with_option
from idto3d.subject.images import ENDINGS

NAME, PHOTOS, PRESET = "name", "photos", "preset"
SEPARATOR = ";"
MOST_SHOWN = 40
JOINERS = dict.fromkeys((0x200C, 0x200D))  # unseen, and part of names in some scripts


@dataclass(frozen=True)
class Person:
    """One row. `row` counts as a spreadsheet does, the header being 1; `folder` is a name no other row has."""

    row: int
    name: str
    folder: str
    photos: tuple[Path, ...]
    options: HeadOptions


def read_table(path: Path, preset: str = "", assignments: Sequence[str] = ()) -> tuple[Person, ...]:
    """The people of a table. `preset` and `assignments` (`NAME=VALUE`) hold where a row says nothing else.

    Raises UserError that names every fault with its row.
    """
    base = _assigned(config.preset(preset) if preset else HeadOptions(), assignments)
    columns, rows = _rows(path)
    _check_columns(path, columns)
    people, faults = [], []
    for number, cells in rows:
        try:
            people.append(_person(path.parent, number, columns, cells, base, assignments))
        except UserError as fault:
            name = cells[columns.index(NAME)].strip() if columns.index(NAME) < len(cells) else ""
            faults.append((number, f"row {number} ({name or 'no name'}): {fault}"))
    faults += _twins(people)
    if faults:
        raise _refusal(path, [text for _, text in sorted(faults)])
    if not people:
        raise UserError(f"The table '{path}' has no rows.", "Give a row for each person.")
    return tuple(people)


def _refusal(path: Path, faults: list[str]) -> UserError:
    count = f"{len(faults)} faults" if len(faults) > 1 else "a fault"
    more = [f"and {len(faults) - MOST_SHOWN} more"] if len(faults) > MOST_SHOWN else []
    return UserError(
        "\n  ".join((f"The table '{path}' has {count}:", *faults[:MOST_SHOWN], *more)), "Nothing was begun."
    )


def _rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header's names, and the number and cells of each row that is not empty. Raises UserError."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            lines = list(enumerate(csv.reader(file, strict=True), start=1))
    except OSError as error:
        raise UserError(f"The table '{path}' cannot be read ({error.strerror}).", "Check its name.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        what = f"'{path}' is no table of comma-separated values in UTF-8 ({error})."
        raise UserError(what, "Save it as CSV in UTF-8.") from None
    rows = [(number, cells) for number, cells in lines if any(cell.strip() for cell in cells)]
    return ([cell.strip() for cell in rows[0][1]], rows[1:]) if rows else ([], [])


def _check_columns(path: Path, columns: list[str]) -> None:
    known = (NAME, PHOTOS, *option_names(HeadOptions()))
    wrong = [f"'{name}' is no column" for name in columns if name not in known]
    wrong += [f"'{name}' stands twice" for name in sorted({name for name in columns if columns.count(name) > 1})]
    if NAME not in columns:
        wrong.append(f"the column '{NAME}' is missing")
    if wrong:
        what = f"The first row of '{path}' does not name columns: {'; '.join(wrong[:MOST_SHOWN])}."
        raise UserError(what, f"Separate by commas, and choose from: {', '.join(known)}.")


def _person(
    folder: Path, row: int, columns: list[str], cells: list[str], base: HeadOptions, assignments: Sequence[str]
) -> Person:
    """The person of a row. Raises UserError."""
    if len(cells) > len(columns):
        raise UserError(f"It has {len(cells)} cells for {len(columns)} columns.", "Put commas into quotes.")
    given = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if cell.strip()}
    name = given.pop(NAME, "")
    if not name:
        raise UserError("It has no name.", "Give each person a name.")
    if not name.translate(JOINERS).isprintable():
        raise UserError("Its name holds a character that cannot be shown.", "Type the name anew.")
    photos = _photos(folder, given.pop(PHOTOS, ""))
    start = _assigned(config.preset(given.pop(PRESET)), assignments) if PRESET in given else base
    options = _assigned(start, [f"{option}={value}" for option, value in given.items()])
    if not photos and not options.prompt.strip():
        raise UserError("There is nothing to make a head from.", "Give at least one photo, or a prompt.")
    if len(photos) > (most := options.subject.max_photos):
        raise UserError(f"{len(photos)} photos are more than the {most} that help.", "Choose the sharpest ones.")
    return Person(row, name, folder_name(name), photos, options)


def _assigned(options: HeadOptions, assignments: Sequence[str]) -> HeadOptions:
    """`options` with each `NAME=VALUE` in them. Raises UserError."""
    for name, _, value in (assignment.partition("=") for assignment in assignments):
        name, value = name.strip(), value.strip()
        if name == PRESET:
            raise UserError("A preset is many options and cannot be --set like one.", f"Give --preset {value}.")
        if name == "expressions":
            options = replace(options, expressions=named_expressions(value))
        else:
            options = with_option(options, name, value)
    return checked(options)


def _photos(folder: Path, text: str) -> tuple[Path, ...]:
    """The photos that a cell names, each once. Raises UserError for one that is not there."""
    found = [path for part in text.split(SEPARATOR) if part.strip() for path in _named(folder, part.strip())]
    return tuple(dict.fromkeys(found))


def _named(folder: Path, text: str) -> list[Path]:
    """The photo called `text`, or those that fit it as a pattern. Raises UserError where there is none."""
    if "\0" in text:
        raise UserError("A photo's name holds a character that no file's name can.", "Correct the name.")
    if (path := folder / text).is_dir():
        raise UserError(f"'{text}' is a folder, not a photo.", f"Give {text}/* for all pictures in it.")
    if path.is_file():
        return [path.resolve()]
    fitting = (Path(name) for name in glob.iglob(str(Path(glob.escape(str(folder))) / text)))
    pictures = sorted(path.resolve() for path in fitting if path.suffix.lower() in ENDINGS and path.is_file())
    if not pictures:
        raise UserError(f"There is no photo '{text}'.", "Give its path as seen from the table's folder.")
    return pictures


def _twins(people: Sequence[Person]) -> Iterator[tuple[int, str]]:
    """A fault for each row whose folder an earlier one has, also where only capitals differ."""
    first: dict[str, Person] = {}
    for person in people:
        other = first.setdefault(person.folder.casefold(), person)
        if other is not person:
            yield person.row, f"row {person.row} ({person.name}): row {other.row} has the same name."
