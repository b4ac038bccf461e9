"""What is told about scans: the words for their expressions, and the table of attributes.

The table is a CSV file with a header, separated by commas or semicolons. Its columns, in any order, all but `subject`
optional, empty cells allowed:

    subject      the subject's folder; 7 and 007 are the same
    expression   the scan's folder, or its file's name without the ending; empty: the row is about the subject
    file         a scan's path inside the folder of meshes, in place of `expression`; moves it to this row's subject
    shows        what the scan shows: a word of WORDS, or `skip` to leave it out
    age, ancestry, gender           words of the captions, as "young", "asian", "female"
    skin, hair_style, hair_colour   as "fair", "short curly", "black"; the style `bald` needs no colour
    beard                           "clean", "stubble" or "beard"

The words describe a subject: one with two hairstyles is best given as two, by the column `file`.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from idto3d.errors import UserError
from idto3d.subject.images import shown_name
from idto3d.words.expressions import NAMES
from idto3d.words.prompts import words

# Words for our expressions: those of FaceWarehouse and FaceScape, whose list NPHM extends, and near ones.
WORDS = {
    **{name: name for name in NAMES},
    "neutral closed": "neutral",
    "relaxed": "neutral",
    "jaw open": "mouth stretch",
    "mouth open": "mouth stretch",
    "angry": "anger",
    "sad": "sadness",
    "eye closed": "eyes closed",
    "brow raiser": "brow raised",
    "brows raised": "brow raised",
    "brow lower": "brow lowerer",
    "brow lowered": "brow lowerer",
    "brows lowered": "brow lowerer",
    "cheek blowing": "cheeks puffed",
    "cheek puff": "cheeks puffed",
    "lip rolled": "lip roll",
    "lips rolled": "lip roll",
}
SKIP = "skip"
LOOK_COLUMNS = ("age", "ancestry", "gender", "skin", "hair_style", "hair_colour", "beard")
COLUMNS = ("subject", "expression", "file", "shows", *LOOK_COLUMNS)
MOST_BYTES = 20_000_000
MOST_WORDS = 6  # in one cell


@dataclass(frozen=True)
class Attributes:
    """What a table says. Subjects and expressions are keys as `key` makes them; files are posix paths."""

    looks: dict[str, dict[str, str]] = field(default_factory=dict)  # subject: column: words
    shows: dict[tuple[str, str], str] = field(default_factory=dict)  # (subject, expression): what it shows
    files: dict[str, tuple[str, str]] = field(default_factory=dict)  # file: (subject, what it shows)


def key(text: str) -> str:
    """A subject's or an expression's name as it is compared: spreadsheets write 007 as 7."""
    text = text.strip().casefold()
    return str(int(text)) if text.isascii() and text.isdigit() else text


def expression_index(text: str) -> int | None:
    """The index into EXPRESSIONS of what `text` names ("12_Lip_Roll" is "lip roll"), None where there is none."""
    name = WORDS.get(" ".join(words(text.replace("_", " "))))
    return None if name is None else NAMES.index(name)


def read_attributes(path: Path | None) -> Attributes:
    """The table in `path`, an empty one for None. Raises UserError for one that cannot be read or has odd columns."""
    attributes = Attributes()
    if path is None:
        return attributes
    for number, row in _rows(path):
        subject, place = key(row["subject"]), f"{shown_name(path)}, line {number}"
        if not subject:
            raise UserError(f"{place} names no subject.", "Fill the column subject.")
        look = {column: _few_words(row.get(column, ""), column, place) for column in LOOK_COLUMNS}
        attributes.looks.setdefault(subject, {}).update({column: cell for column, cell in look.items() if cell})
        _add_scan(attributes, subject, row, place)
    return attributes


def _add_scan(attributes: Attributes, subject: str, row: dict[str, str], place: str) -> None:
    """Note which scan the row is about and what that shows."""
    expression, file, shows = (row.get(column, "") for column in ("expression", "file", "shows"))
    if shows and not (expression or file):
        raise UserError(f"{place} says what a scan shows, but not which scan.", "Fill expression or file.")
    if file:
        attributes.files[Path(file.replace("\\", "/")).as_posix()] = (subject, shows or expression)
    elif expression and shows:
        attributes.shows[subject, key(expression)] = shows


def _few_words(cell: str, column: str, place: str) -> str:
    cell_words = words(cell)
    if len(cell_words) > MOST_WORDS:
        raise UserError(f"{place} has {len(cell_words)} words for {column}.", f"Use at most {MOST_WORDS}.")
    return " ".join(cell_words)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(line number, column: stripped cell) of every row that is not empty."""
    lines = _text(path, "a table of attributes").splitlines()
    header = lines[0] if lines else ""
    reader = csv.DictReader(lines, delimiter=";" if ";" in header else ",", restval="", restkey="")
    names = [(name or "").strip().casefold() for name in reader.fieldnames or []]
    if "subject" not in names or not set(names) <= set(COLUMNS):
        raise UserError(
            f"The columns of '{shown_name(path)}' are not those of a table of attributes.",
            f"Name the first line's columns subject and any of {', '.join(COLUMNS[1:])}.",
        )
    reader.fieldnames = names
    for row in reader:
        cells = {name: row[name].strip() for name in names}
        if any(cells.values()):
            yield reader.line_num, cells


def read_neutrals(path: Path | None) -> dict[tuple[str, str], str]:
    """NPHM's own table of neutral scans ({"17": 0, ...}; -1: none) in the form of `Attributes.shows`."""
    if path is None:
        return {}
    try:
        table = {key(subject): int(number) for subject, number in json.loads(_text(path, "a table")).items()}
    except (ValueError, TypeError, AttributeError) as fault:
        raise UserError(
            f"'{shown_name(path)}' is no table of neutral scans.", "Give neutrals_closed.json of NPHM's repository."
        ) from fault
    return {(subject, str(number)): "neutral" for subject, number in table.items() if number >= 0}


def _text(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UserError(f"'{shown_name(path)}' is too large for {what}.", "Check that it is the right file.")
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise UserError(f"'{shown_name(path)}' cannot be read.", "Give a UTF-8 text file that exists.") from fault
