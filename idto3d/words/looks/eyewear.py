"""Glasses in words: "round glasses", "thick black glasses", "aviator sunglasses"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from idto3d.words.paints import PAINTS

GLASSES, SUNGLASSES = "glasses", "sunglasses"
WORN = (GLASSES, SUNGLASSES)
FORMS = ("round", "square", "rectangular", "oval", "aviator", "cat-eye")  # of a frame, beside the usual one
FORM_OF: Mapping[str, str] = {
    **{form: form for form in FORMS},
    **{"circular": "round", "rectangle": "rectangular", "narrow": "rectangular", "cat": "cat-eye", "pilot": "aviator"},
    **{"boxy": "square", "squared": "square", "rounded": "round", "oversized": "square", "big": "square"},
}
DARK = ("dark", "tinted", "shaded", "mirrored")  # of glasses: their lenses
THICKNESS: Mapping[str, float] = {
    **dict.fromkeys(("thick", "chunky", "horn", "bold", "nerdy", "heavy"), 1.6),
    **dict.fromkeys(("thin", "wire", "fine", "delicate", "slim", "rimless"), 0.55),
}
IDLE = ("rimmed", "framed", "frame", "frames", "rim", "shaped", "eye", "style")
REACH = 5  # words before glasses that may say what they are like
KNOWN = frozenset((*FORM_OF, *DARK, *THICKNESS, *IDLE, *(word for name in PAINTS for word in name.split())))
LIKE = rf"(?:(?:{'|'.join(sorted(KNOWN, key=len, reverse=True))})[- ])"
FORMER = re.compile(rf"\b(?:instead of|rather than|in place of) (?:(?:the|his|her|their|my) )?{LIKE}{{0,{REACH}}}$")
_FRAMED = re.compile(
    rf"\b(sunglasses|glasses) (?:with|in|that have|which have) (?:an? )?({LIKE}{{1,{REACH}}})(?:frames?|rims?)\b"
    rf"|\b(sunglasses|glasses) (?:with|that have|which have) ((?:{'|'.join(DARK)}) )(?:lens|lenses)\b"
)
_DENIED = re.compile(
    r"\b((?:no|not|without|remove|take (?:off|away)|lose|get rid of|delete|erase) (?:(?:all|any|of|more) )?"
    r"(?:(?:an?|the|his|her|their|its|my|your|those|these) )?)"
    rf"(?:wearing )?(?:an? )?(?:pair of )?{LIKE}{{0,{REACH}}}(?=(?:sun)?glasses\b)"
)
_OFF = re.compile(rf"\b{LIKE}{{1,{REACH}}}((?:sun)?glasses off)\b")


@dataclass(frozen=True)
class Frames:
    """What glasses are like: one of FORMS, "" the usual one; whether lenses are dark; the paint of the frame, "" the
    usual one; and how thick it is against a usual one.
    """

    form: str = ""
    dark: bool = False
    colour: str = ""
    thick: float = 1.0


def glasses_told(text: str) -> str:
    """`text` with what frames are like before the glasses that have them, and glasses that are denied as glasses."""
    text = _FRAMED.sub(lambda found: (found[2] or found[4]) + (found[1] or found[3]), text)
    return _OFF.sub(r"\1", _DENIED.sub(r"\1", text))


def frames_said(clauses: Sequence[Sequence[str]]) -> tuple[Frames | None, frozenset[str]]:
    """What `clauses`, lists of words, say of glasses, None where nothing; and the words that say it.

    Of several glasses the last are meant, but not those that others are to be worn instead of.
    """
    named = [(clause, at) for clause in clauses for at, noun in enumerate(clause) if noun in WORN]
    if not named:
        return None, frozenset()
    meant = [(clause, at) for clause, at in named if not FORMER.search(f"{' '.join(clause[:at])} ")] or named
    frames = _frames(*meant[-1])
    heard = frozenset(word for clause, at in named for word in (*_before(clause, at), clause[at]))
    return (None if frames == Frames() and len(named) == 1 else frames), heard


def _frames(clause: Sequence[str], at: int) -> Frames:
    said = _before(clause, at)
    return Frames(_form(said), clause[at] == SUNGLASSES or _dark(said), _colour(said), _thick(said))


def _before(clause: Sequence[str], at: int) -> list[str]:
    """The words right before a place of a clause that say what glasses are like."""
    first = at
    while first > max(0, at - REACH) and clause[first - 1] in KNOWN:
        first -= 1
    return list(clause[first:at])


def _form(said: Sequence[str]) -> str:
    return next((FORM_OF[word] for word in said if word in FORM_OF), "")


def _thick(said: Sequence[str]) -> float:
    return next((THICKNESS[word] for word in said if word in THICKNESS), 1.0)


def _colour(said: Sequence[str]) -> str:
    pairs = [" ".join(pair) for pair in zip(said, said[1:], strict=False)]
    return next((name for name in (*pairs, *said) if name in PAINTS), "")


def _dark(said: Sequence[str]) -> bool:
    """Whether lenses are dark: of "dark glasses", but not of "dark red glasses"."""
    return any(word in DARK and word not in _colour(said).split() for word in said)
