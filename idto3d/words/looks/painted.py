"""Reading the clauses of a request for what is painted: colours by what bears them, and marks on the skin."""

import re
from collections.abc import Iterator

from idto3d.words.figures.table import FIGURES, SIDES
from idto3d.words.looks.amounts import OF_MARKS, SHARES
from idto3d.words.looks.patterns import COMPARED, CUTS, LONGER, LOOK, STYLED
from idto3d.words.paints import BEARERS, BROWS_MARK, MAKEUP, MARKS, PAINTS
from idto3d.words.prompts import words
from idto3d.words.same import LEANING
from idto3d.words.traits import COLOURS, SKINS

MANY = frozenset(("many", "lots", "lot", "plenty", "tons", "heavy", "deep", "strong", "very", "numerous", "loads"))
SOME = frozenset(
    ("more", "some", "few", "light", "faint", "little", "subtle", "slight", "cute", "visible", "additional")
)
NOUN_OF = {noun: bearer for bearer in BEARERS.values() for noun in (*bearer.nouns, *bearer.cosmetics)}
LOOK_WORD = re.compile(rf"(?:{LOOK})\b")
FULL = frozenset(("full", "thick", "bushy", "heavy", "big", "thicker", "fuller", "bigger"))
FINE = frozenset(("thin", "thinner", "fine", "plucked", "sparse"))  # of brows
HAIR_WORDS = frozenset(words(" ".join(("straight", *COLOURS, *STYLED, *COMPARED, *LONGER, *LEANING["hair"]))))
SKIN_WORDS = frozenset((*SKINS, *COMPARED))
PAINT_WORDS = frozenset(words(" ".join((*PAINTS, *COMPARED))))
NO_LIPSTICK = "nude"
AMOUNT_REACH = 3  # words before a noun that may say how much of it there is


def runs_of(clauses: list[list[str]]) -> Iterator[tuple[list[str], str]]:
    """Each noun for what a person has, with the words for looks right before it."""
    for clause in clauses:
        run: list[str] = []
        for word in clause:
            if word in NOUN_OF or word in CUTS or word in ("hair", "skin", "complexion"):
                yield run, word
                run = []
            elif word in SHARES or LOOK_WORD.fullmatch(word) or word in HAIR_WORDS or word in PAINT_WORDS:
                run.append(word)
            else:
                run = []


def paint_said(run: list[str]) -> str:
    """The longest name of a paint at the end of a run of words for looks, or in it; "" where there is none."""
    for end in range(len(run), 0, -1):
        for begin in range(max(0, end - 2), end):
            if (name := " ".join(run[begin:end])) in PAINTS:
                return name
    return ""


def colours_said(clauses: list[list[str]], gone: set[str]) -> dict[str, str]:
    """The paint that each bearer is said to have."""
    made_up = any("makeup" in clause and not set(clause) & set(FIGURES) for clause in clauses)
    found = dict(MAKEUP) if made_up else {}
    if gone & set(BEARERS["lips"].cosmetics):
        found["lips"] = NO_LIPSTICK
    one_eyed = _one_eyed(clauses)
    for run, noun in runs_of(clauses):
        bearer = NOUN_OF.get(noun)
        if bearer is not None and not (noun == "eye" and one_eyed) and (name := _said_paint(run, bearer.name, noun)):
            found[bearer.name] = name
    return found | one_eyed


def shares_said(clauses: list[list[str]]) -> dict[str, float]:
    """How much of its colour each bearer has that is made up little or much, see `amounts`."""
    found: dict[str, float] = {}
    for clause in clauses:
        if "makeup" in clause and (share := _share(clause[: clause.index("makeup")])):
            found |= dict.fromkeys(MAKEUP, share)
    for run, noun in runs_of(clauses):
        bearer = NOUN_OF.get(noun)
        if bearer is not None and (noun in bearer.cosmetics or paint_said(run)):
            found.pop(bearer.name, None)  # "a little make-up and red lipstick"
            found |= {bearer.name: share} if (share := _share(run)) else {}
    return found


def _share(before: list[str]) -> float:
    """What the last few words before a noun say of its amount; 0 where they say nothing."""
    return next((SHARES[word] for word in reversed(before[-AMOUNT_REACH:]) if word in SHARES), 0.0)


def _said_paint(run: list[str], bearer: str, noun: str) -> str:
    if bearer == "skin":
        name = paint_said(run)
        return "" if name.rpartition(" ")[2] in SKINS else name
    lean = [COMPARED[word] for word in run if word in COMPARED]
    if lean and (leaning := LEANING.get(bearer, {})):
        return leaning.get("light" if lean[-1] > 0 else "dark", "")
    return paint_said(run) or (BEARERS[bearer].usual if noun in BEARERS[bearer].cosmetics else "")


def _one_eyed(clauses: list[list[str]]) -> dict[str, str]:
    """The paint of one eye alone, by bearer: "a blue left eye"."""
    found: dict[str, str] = {}
    for clause in clauses:
        for at in (place for place, word in enumerate(clause) if word == "eye"):
            before = clause[max(0, at - 3) : at]
            side = next((word for word in reversed(before) if word in SIDES), "")
            if side and (name := paint_said([word for word in before if word in PAINT_WORDS])):
                found[f"{side} eye"] = name
    return found


def _brows(clauses: list[list[str]]) -> dict[str, float]:
    """Whether brows shall be fuller or finer: "bushy eyebrows"."""
    said = [word for run, noun in runs_of(clauses) if noun == "brows" for word in run]
    if not FULL.isdisjoint(said):
        return {BROWS_MARK: 1.0}
    return {} if FINE.isdisjoint(said) else {BROWS_MARK: -1.0}


def marks_said(clauses: list[list[str]], gone: set[str]) -> dict[str, float]:
    """How strong each mark shall be."""
    found: dict[str, float] = {mark: -1.0 for mark in MARKS if mark in gone} | _brows(clauses)
    for clause in clauses:
        for mark in MARKS:
            if mark in clause:
                found[mark] = _mark(clause[: clause.index(mark)])
    return found


def _mark(before: list[str]) -> float:
    """How strong a mark is that these words stand before."""
    word = next((word for word in reversed(before[-AMOUNT_REACH:]) if word in OF_MARKS), "")
    return OF_MARKS[word] if word else 1.0 if MANY.isdisjoint(before) else 2.0
