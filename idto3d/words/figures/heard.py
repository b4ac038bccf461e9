"""Reading the clauses of a prompt for builds, features, beings and drawings, and which words say something of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from idto3d.words.figures.table import (
    BUILD_NOUNS,
    BUILDS,
    COMPARATIVES,
    FIGURES,
    FORMS,
    KINDS,
    MORE_OF,
    NOUNS,
    OF_PERSONS,
    PLACES,
    SIDES,
    USUAL,
    Amounts,
    Figure,
)
from idto3d.words.paints import PAINTS

REACH = 3  # words before a noun that may say how it looks
ON = frozenset(("on", "under", "below", "above", "over", "across"))
FARTHEST = 6  # words after a form in which it is said to lie on a face
PAINT_WORDS = ("makeup", "warpaint", "facepaint")
BESIDE = {"warpaint": frozenset(("warrior", "tribal"))}  # words that say no more beside a kind
KIND_WORDS = frozenset(KINDS) - frozenset(FIGURES)
PLACE_WORDS = frozenset(PLACES)
NOT_OF = ("hair", "eyes", "skin", "beard", "glasses")  # nouns whose colour no drawing has
LESS = "less"
MUCH = {
    **{LESS: -0.6, "very": 1.4, "much": 1.4, "lot": 1.4, "extremely": 1.6, "slightly": 0.5, "somewhat": 0.6},
    **{"bit": 0.5, "little": 0.5, "quite": 1.1},
}
ENDS = ("with", "and", "on", "in", "of")  # words beyond which nothing says how a noun looks
FURTHER = frozenset(("more", "even", "further", LESS))
OWN = frozenset((*NOUNS, "skin", "hair")) - {"face"}  # of a being, which somebody may have who is none
Clauses = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Drawn:
    """Something to draw on the skin: one of table.KINDS, its form (one of FORMS, "" its own), place, side and paint."""

    kind: str
    form: str = ""
    place: str = ""
    side: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Figured:
    """What clauses ask for of table.FEATURES, colours and marks, what is drawn, and the words that say so.

    further: the features of which there shall be more than there is. at_least: those of which more than that may stay,
    for they only go with a word for a build or a being. told: what says how somebody looks, as "gaunt" and
    "hooked nose", and the features that it means.
    """

    features: Mapping[str, float] = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, float] = field(default_factory=dict)
    drawings: tuple[Drawn, ...] = ()
    heard: frozenset[str] = frozenset()
    beings: tuple[str, ...] = ()
    further: frozenset[str] = frozenset()
    at_least: frozenset[str] = frozenset()
    told: tuple[tuple[str, Amounts], ...] = ()


def figured(clauses: Clauses, persons: Sequence[str]) -> Figured:
    """What `clauses`, lists of words, say of figures; `persons` are nouns for people."""
    told, heard = _features(clauses, persons)
    features = _summed(*(one.amounts for one in told))
    beings = tuple(
        dict.fromkeys(clause[at] for clause in clauses for at in range(len(clause)) if _is_meant(clause, at))
    )
    parts = {
        (clause[at], clause[at + 1]): one
        for clause in clauses
        for at in range(len(clause) - 1)
        if (one := _part(*clause[at : at + 2]))
    }
    asked = [*(FIGURES[name] for name in beings), *parts.values()]
    drawings, drawn_by = _drawings(clauses, asked)
    whole = _summed(*(one.features for one in asked)) | features
    own = {name for one in told if not one.build for name in one.amounts}
    return Figured(
        whole,
        {bearer: colour for one in asked for bearer, colour in one.colours.items()},
        {mark: amount for one in asked for mark, amount in one.marks.items()},
        drawings,
        frozenset((*heard, *beings, *drawn_by, *(word for pair in parts for word in pair))),
        beings,
        frozenset(name for one in told if one.further for name in one.amounts),
        frozenset(whole) - own,
        tuple((one.said, one.amounts) for one in told),
    )


def _is_meant(clause: Sequence[str], at: int) -> bool:
    """Whether the word at a place of a clause is a being: an "elf", but not of "elf ears" or a "clown nose"."""
    return clause[at] in FIGURES and (at + 1 == len(clause) or clause[at + 1] not in OWN)


def _part(being: str, noun: str) -> Figure | None:
    """What of a being the part of a face is that it names: of "zombie skin" the colour; None where that is nothing."""
    if being not in FIGURES or noun not in OWN:
        return None
    whole, own = FIGURES[being], {name for amounts in NOUNS.get(noun, {}).values() for name in amounts}
    features = {name: amount for name, amount in whole.features.items() if name in own}
    colours = {bearer: colour for bearer, colour in whole.colours.items() if bearer == noun}
    return Figure(features, colours) if features or colours else None


@dataclass(frozen=True)
class Told:
    """What is said of somebody's looks, the amounts that it means, whether they go beyond what there is, and whether
    it is a word for a build, of which these are parts."""

    said: str
    amounts: Amounts
    further: bool
    build: bool = False


def _told(clause: Sequence[str], at: int, amounts: Amounts, noun: str = "") -> Told:
    word, before = clause[at], clause[max(0, at - 1) : at]
    said = f"{word} {noun}" if noun in NOUNS else word
    further = word in COMPARATIVES or not FURTHER.isdisjoint(before)
    return Told(said, _much(amounts, clause, at), further, noun not in NOUNS)


def _features(clauses: Clauses, persons: Sequence[str]) -> tuple[list[Told], frozenset[str]]:
    """What is said of features, and the words that say it."""
    found: list[Told] = []
    heard: set[str] = set()
    nouns = {**NOUNS, **dict.fromkeys((*persons, *BUILD_NOUNS), {**OF_PERSONS, **BUILDS})}
    for clause in clauses:
        used: set[int] = set()
        for place, noun in enumerate(clause):
            for at in _before(clause, place, nouns.get(noun, {})):
                used.add(at)
                heard |= {clause[at], *((noun,) if noun in (*NOUNS, *BUILD_NOUNS) else ())}
                found.append(_told(clause, at, amounts_of(clause[at], nouns[noun]), noun))
        for place, word in enumerate(clause):
            if place not in used and (amounts := BUILDS.get(MORE_OF.get(word, word), BUILDS.get(word))):
                heard.add(word)
                found.append(_told(clause, place, amounts))
    return found, frozenset(heard)


def _before(clause: Sequence[str], noun: int, may_be: Mapping[str, Amounts]) -> list[int]:
    """Places of the words right before a noun that it may be said to be."""
    places = []
    for at in range(noun - 1, max(noun - 1 - REACH, -1), -1):
        if clause[at] in ENDS and (clause[at] != "and" or not places):
            break
        if amounts_of(clause[at], may_be):
            places.append(at)
    return places


def amounts_of(word: str, may_be: Mapping[str, Amounts]) -> Amounts:
    """The features that a word means of what `may_be` so; a usual one has none of them."""
    if word in USUAL:
        return dict.fromkeys((name for amounts in may_be.values() for name in amounts), 0.0)
    return may_be.get(word) or may_be.get(MORE_OF.get(word, ""), {})


def _much(amounts: Amounts, clause: Sequence[str], at: int) -> Amounts:
    """`amounts` as "very" or "slightly" before the word makes them."""
    much = MUCH.get(clause[at - 1], 1.0) if at else 1.0
    much *= MUCH.get(clause[at - 2], 1.0) if at > 1 and clause[at - 1] == LESS else 1.0
    return {name: much * amount for name, amount in amounts.items()}


def _summed(*several: Amounts) -> dict[str, float]:
    """The most of each feature that any asks for: "a chubby man with full cheeks" has one face."""
    found: dict[str, float] = {}
    for amounts in several:
        for name, amount in amounts.items():
            if name not in found or abs(amount) > abs(found[name]):
                found[name] = amount
    return found


def _drawings(clauses: Clauses, asked: Sequence[Figure]) -> tuple[tuple[Drawn, ...], set[str]]:
    """What is to be drawn on the skin, and the words that say so."""
    found = [Drawn(kind) for one in asked for kind in one.drawings]
    heard: set[str] = set()
    for clause in clauses:
        kinds = [at for at in range(len(clause)) if _is_kind(clause, at, asked)]
        for at, end in zip(kinds, [*kinds, len(clause)][1:], strict=True):
            drawn = _drawn(clause, at, end)
            found.append(drawn)
            heard |= {clause[at], drawn.form, drawn.place, drawn.side, *drawn.colour.split()} - {""}
            heard |= BESIDE.get(drawn.kind, frozenset())
    return tuple(dict.fromkeys(found)), heard


def _is_kind(clause: Sequence[str], at: int, asked: Sequence[Figure]) -> bool:
    """Whether the word at a place of a clause names what is drawn: "star" does not before "tattoo", nor off a face.

    "Face paint" names nothing where it is a clown's.
    """
    word, after = clause[at], clause[at + 1 : at + 1 + FARTHEST]
    if word in FORMS:
        beside = (*clause[max(0, at - REACH) : at], *after[:1])
        return KIND_WORDS.isdisjoint(beside) and not ON.isdisjoint(after) and not PLACE_WORDS.isdisjoint(after)
    painted = any(one.drawings or one.colours for one in asked)
    return word in KIND_WORDS and not (painted and word in PAINT_WORDS)


def _drawn(clause: Sequence[str], at: int, end: int) -> Drawn:
    """What the word at a place of a clause means, with what is said of it before, and after up to `end`."""
    before, after = list(clause[max(0, at - REACH) : at]), list(clause[at + 1 : end])
    before = before[max((n + 1 for n, word in enumerate(before) if word in (*ENDS, *NOT_OF)), default=0) :]
    after = after[: next((n for n, word in enumerate(after) if word in ("and", "with")), len(after))]
    word = clause[at]
    kind = word if word in KINDS else ("facepaint" if "painted" in clause else "tattoo")
    form = word if word in FORMS else next((one for one in (*before, *after) if one in FORMS), "")
    return Drawn(
        kind,
        form if KINDS[kind].takes else "",
        next((one for one in (*after, *before) if one in PLACES), ""),
        next((one for one in (*after, *before) if one in SIDES), ""),
        next(iter(_paints(before) or _paints(after)), ""),
    )


def _paints(said: Sequence[str]) -> list[str]:
    """The paints that words name, those of two words first."""
    pairs = [" ".join(pair) for pair in zip(said, said[1:], strict=False)]
    return [name for name in (*pairs, *said) if name in PAINTS]
