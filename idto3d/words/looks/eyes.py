"""Two eyes of different colours in words: "one black eye and one blue eye", "one eye green, the other brown"."""

import re

from idto3d.words.looks.patterns import either
from idto3d.words.paints import PAINTS
from idto3d.words.same import LEANING, SHADES

_COLOUR = either({word for name in (*PAINTS, *SHADES, *LEANING["eyes"]) for word in name.split()})
_TINT = rf"((?:{_COLOUR} )?{_COLOUR})"
_AND = r"(?:,? and|,? but|,|;)"
_IS = r"(?: (?:is|being|should be))?"
_HIS = "(?:the|his|her|their)"
_TWO_EYES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:one|an?) {_TINT} eye{_AND} (?:the other|another|one)(?: eye)?{_IS} {_TINT}(?: eye| one)?\b",
        rf"\b(?:one|an?) {_TINT} eye{_AND} an? {_TINT} (?:eye|one)\b",
        rf"\b(?:one|an?) {_TINT}{_AND} (?:one|an?|the other) {_TINT} eyes?\b",
        rf"\bone (?:of {_HIS} )?eyes?{_IS} {_TINT}{_AND} (?:the other|another|one)(?: eye| one)?{_IS} {_TINT}\b",
        rf"\b(?:mismatched|different|odd|two[- ]tone|heterochromatic) {_TINT} and {_TINT} eyes\b",
    )
)
_HETEROCHROMIA = re.compile(r"\bheterochromia\b")
_TOLD = re.compile(r"\b(?:left|right) eye\b")
APART = "blue left eye, brown right eye"  # what heterochromia alone is


def eyes_told(text: str) -> str:
    """`text` with eyes of two colours as those of both sides: "black left eye, blue right eye".

    So a black eye beside one of another colour is none that was hurt.
    """
    for pattern in _TWO_EYES:
        text = pattern.sub(r"\1 left eye, \2 right eye", text)
    return _HETEROCHROMIA.sub("" if _TOLD.search(text) else APART, text)
