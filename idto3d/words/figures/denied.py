"""Features to which a text says no: "without pointed ears", "no double chin", "not chubby"."""

import re

from idto3d.words.figures.heard import amounts_of
from idto3d.words.figures.table import BUILDS, MORE_OF, NOUNS

ADJECTIVES = "|".join(sorted({*MORE_OF, *(word for noun in NOUNS.values() for word in noun)}, key=len, reverse=True))
LOOKING = rf"(?:(?:{ADJECTIVES}) )+(?:{'|'.join(NOUNS)})\b"
BUILT = rf"(?:{'|'.join(BUILDS)})\b(?! (?:{'|'.join(NOUNS)})\b)"
SO = r"(?: (?:longer|more|so|as|too|that|very|any|an?|the|his|her|their|such))*"
DENIED = re.compile(
    rf"\b(?:no|not|without)\b{SO} ((?:{LOOKING}|{BUILT})(?:,? (?:n?or|and no){SO} (?:{LOOKING}|{BUILT}))*)"
)
SAID = re.compile(rf"({LOOKING})|({BUILT})")


def without_features(text: str) -> tuple[str, dict[str, float]]:
    """`text`, told in our words, without the features that it denies; and those, of which there shall be 0."""
    said = [found for denied in DENIED.findall(text) for found in SAID.findall(denied)]
    names = [name for looking, built in said for name in (_features(looking) if looking else BUILDS[built])]
    return (DENIED.sub("", text), dict.fromkeys(names, 0.0)) if said else (text, {})


def _features(said: str) -> list[str]:
    *looks, noun = said.split()
    return [name for look in looks for name in amounts_of(look, NOUNS[noun])]
