"""Glasses in words: "round glasses", "thick black glasses", "aviator sunglasses"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from idto3d.words.paints import PAINTS

GLASSES, SUNGLASSES = "glasses", "sunglasses"
WORN = (GLASSES, SUNGLASSES)
FORMS = ("round", "square", "rectangular", "oval", "aviator", "cat-eye")  # of a frame, beside the usual one
FORM_OF: Mapping[str, str] = {
    **{form: form for form in FORMS},
    **{"circular": "round", "rectangle": "rectangular", "narrow": "rectangular", "cat": "cat-eye", "pilot": "aviator"},
    **{"boxy": "square", "squared": "square", "rounded": "round", "rounder": "round", "squarer": "square"},
}
# Of glasses: their lenses.
DARK, CLEAR = ("dark", "darker", "tinted", "shaded", "mirrored"), ("clear", "clearer", "untinted", "transparent")
THICKNESS: Mapping[str, float] = {
    **dict.fromkeys(("thick", "chunky", "horn", "bold", "nerdy", "heavy"), 1.6),
    **dict.fromkeys(("thin", "wire", "fine", "delicate", "slim", "rimless"), 0.55),
}
SIZES: Mapping[str, float] = {
    **dict.fromkeys(("big", "large", "huge", "oversized"), 1.16),
    **dict.fromkeys(("small", "tiny", "little"), 0.86),
}
# Steps from the glasses that somebody wears, of thickness and of size.
THICKER: Mapping[str, int] = {
    **dict.fromkeys(("thicker", "chunkier", "bolder", "heavier"), 1),
    **dict.fromkeys(("thinner", "slimmer", "finer"), -1),
}
LARGER: Mapping[str, int] = {"bigger": 1, "larger": 1, "smaller": -1, "tinier": -1}
LESS_OF: Mapping[str, str] = {  # what is less so is
    **{word: "thinner" if thick > 1 else "thicker" for word, thick in THICKNESS.items()},
    **{word: "smaller" if size > 1 else "bigger" for word, size in SIZES.items()},
    **dict.fromkeys(DARK, "clear"),
}
IDLE = ("rimmed", "framed", "frame", "frames", "rim", "shaped", "eye", "style")
REACH = 5  # words before glasses that may say what they are like
COMPARED = (*THICKER, *LARGER)
SAID = (*FORM_OF, *DARK, *CLEAR, *THICKNESS, *SIZES, *COMPARED)
KNOWN = frozenset((*SAID, *IDLE, *(word for name in PAINTS for word in name.split())))
LIKE = rf"(?:(?:{'|'.join(sorted(KNOWN, key=len, reverse=True))})[- ])"
FORMER = re.compile(rf"\b(?:instead of|rather than|in place of) (?:(?:the|his|her|their|my) )?{LIKE}{{0,{REACH}}}$")
_FRAMED = re.compile(
    rf"\b(sunglasses|glasses) (?:with|in|that have|which have) (?:an? )?({LIKE}{{1,{REACH}}})(?:frames?|rims?)\b"
    rf"|\b(sunglasses|glasses) (?:with|that have|which have) ((?:{'|'.join((*DARK, *CLEAR))}) )(?:lens|lenses)\b"
)
_LESS = re.compile(rf"\bless ({'|'.join(LESS_OF)})\b(?= {LIKE}{{0,{REACH}}}(?:(?:sun)?glasses|frames|rims|lenses)\b)")
_LESS_AFTER = re.compile(
    rf"\b((?:(?:sun)?glasses|frames|rims|lenses)(?: (?:is|are|be|should|a|bit|look|much|lot|little)){{0,4}}) less"
    rf" ({'|'.join(LESS_OF)})\b"
)
_NAMED = re.compile(  # glasses by what they are made of
    r"\b((?:sun)?glasses)(?:'s?)? (?:frames?|rims?|lens|lenses)\b"
    r"|\b(?:frames|rims|lenses)(?: of (?:the |his |her |their |my )?(?:sun)?glasses)?\b(?![- ](?:sun)?glasses)"
)
_AFTER = re.compile(
    r"\b((?:sun)?glasses)((?: (?:is|are|be|to|into|should|must|a|bit|look|much|more|lot|little|slightly|even)){0,5})"
    rf" (?:more )?({LIKE}{{0,2}}(?:{'|'.join(sorted(KNOWN, key=len, reverse=True))})"
    rf"(?: and (?:{'|'.join(SAID)}))?)(?= ?(?:$|[,.;!?\n]|(?:and|but|please)\b))"
)
_DENIED = re.compile(
    r"\b((?:no|not|without|remove|take (?:off|away)|lose|get rid of|delete|erase) (?:(?:all|any|of|more) )?"
    r"(?:(?:an?|the|his|her|their|its|my|your|those|these) )?)"
    rf"(?:wearing )?(?:an? )?(?:pair of )?{LIKE}{{0,{REACH}}}(?=(?:sun)?glasses\b)"
)
_OFF = re.compile(rf"\b{LIKE}{{1,{REACH}}}((?:sun)?glasses off)\b")


@dataclass(frozen=True)
class Frames:
    """What glasses are like: one of FORMS, "" the usual one; whether lenses are dark, None where that is not said; the
    paint of the frame, "" the usual one; how thick and how large it is against a usual one, and how many steps thicker
    and larger than one that is worn.
    """

    form: str = ""
    dark: bool | None = None
    colour: str = ""
    thick: float = 1.0
    size: float = 1.0
    thicker: int = 0
    larger: int = 0


def glasses_told(text: str) -> str:
    """`text` with what frames are like before the glasses that have them, and glasses that are denied as glasses."""
    text = _LESS_AFTER.sub(lambda found: f"{found[1]} {LESS_OF[found[2]]}", text)
    text = _LESS.sub(lambda found: LESS_OF[found[1]], text)
    text = _FRAMED.sub(lambda found: (found[2] or found[4]) + (found[1] or found[3]), text)
    text = _AFTER.sub(_before_it, _NAMED.sub(lambda found: found[1] or GLASSES, text))
    return _OFF.sub(r"\1", _DENIED.sub(r"\1", text))


def _before_it(found: re.Match) -> str:
    """Of "glasses are thinner and rounder": "thinner rounder glasses"."""
    return f"{found[3].replace(' and ', ' ')} {found[1]}"


def frames_said(clauses: Sequence[Sequence[str]]) -> tuple[Frames | None, frozenset[str]]:
    """What `clauses`, lists of words, say of glasses, None where nothing; and the words that say it.

    Of several glasses the last are meant, but not those that others are to be worn instead of.
    """
    named = [(clause, at) for clause in clauses for at, noun in enumerate(clause) if noun in WORN]
    if not named:
        return None, frozenset()
    meant = [(clause, at) for clause, at in named if not FORMER.search(f"{' '.join(clause[:at])} ")] or named
    frames = _frames(*meant[-1])
    if frames.dark is None and any(clause[at] == SUNGLASSES for clause, at in named):
        frames = replace(frames, dark=False)  # those that are to be worn are others
    heard = frozenset(word for clause, at in named for word in (*_before(clause, at), clause[at]))
    return (None if frames == Frames() and len(named) == 1 else frames), heard


def _frames(clause: Sequence[str], at: int) -> Frames:
    said = _before(clause, at)
    dark = True if clause[at] == SUNGLASSES else _dark(said)
    known = (_first(said, table, usual) for table, usual in ((THICKNESS, 1.0), (SIZES, 1.0), (THICKER, 0), (LARGER, 0)))
    return Frames(_first(said, FORM_OF, ""), dark, _colour(said), *known)


def _before(clause: Sequence[str], at: int) -> list[str]:
    """The words right before a place of a clause that say what glasses are like."""
    first = at
    while first > max(0, at - REACH) and clause[first - 1] in KNOWN:
        first -= 1
    return list(clause[first:at])


def _first(said: Sequence[str], table: Mapping, usual):
    """What the first of the words that a table has means, `usual` where it has none."""
    return next((table[word] for word in said if word in table), usual)


def _colour(said: Sequence[str]) -> str:
    pairs = [" ".join(pair) for pair in zip(said, said[1:], strict=False)]
    return next((name for name in (*pairs, *said) if name in PAINTS), "")


def _dark(said: Sequence[str]) -> bool | None:
    """Whether lenses are dark: of "dark glasses", but not of "dark red glasses"; None where that is not said."""
    told = [word for word in said if word not in _colour(said).split()]
    return True if any(word in DARK for word in told) else False if any(word in CLEAR for word in told) else None
