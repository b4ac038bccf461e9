"""Reading a prompt for the shape of a face, and for what a scorer hears: "a guy with huge ears" has "large ears"."""

import re
from collections.abc import Collection, Iterable, Mapping

from idto3d.words.faces.table import (
    BROW,
    CHEEKBONES,
    CHIN,
    EARS,
    EYES,
    FACE,
    FACES,
    FOREHEAD,
    GLASSES,
    JAW,
    LIPS,
    LOOKS,
    MOUTH,
    NOSE,
    OPPOSED,
    TOKENS,
    WAYS,
    FaceWay,
)
from idto3d.words.looks.patterns import either
from idto3d.words.prompts import words
from idto3d.words.reading import meant, said_traits
from idto3d.words.traits import COLOURS, STYLES

_STOPS = either(
    dict.fromkeys(
        (
            *NOSE,
            *LIPS,
            *MOUTH,
            *EYES,
            *CHIN,
            *JAW,
            *EARS,
            *FACE,
            *CHEEKBONES,
            *BROW,
            *FOREHEAD,
            "cheeks",
            "hair",
            "eyebrows",
        )
    )
)
_IN = {
    way.name: re.compile(
        rf"\b(?:{either(way.adjectives)})\b(?:,? (?!(?:{_STOPS})\b)\w+){{0,2}} (?:{either(way.nouns)})\b"
        rf"|\b(?:{either(way.nouns)}) (?:is|are|that is|that are) (?:very |really )?(?:{either(way.adjectives)})\b"
        rf"|(?<![\w-])(?:{either(way.alone or ('-',))})(?! (?:\w+ )?(?:{_STOPS})\b)(?![\w-])"
    )
    for way in WAYS
}


def said_faces(prompt: str) -> list[str]:
    """The names of FACES that `prompt` states, of those that are opposed the first; what it denies is none."""
    told = meant(prompt).replace("very ", "").replace("really ", "")
    found = {name: place.start() for name, pattern in _IN.items() if (place := pattern.search(told))}
    for group in OPPOSED:
        stated = sorted((name for name in group if name in found), key=found.get)
        for name in stated[1:]:
            del found[name]
    return [name for name in FACES if name in found]


def face_words(prompt: str) -> set[str]:
    """The single words of `prompt` with which it states one of FACES."""
    return {word for name in said_faces(prompt) for way in (FACES[name],) for word in _all_words(way)} & {
        *words(prompt)
    }


def _all_words(way: FaceWay) -> Iterable[str]:
    return (word for phrase in (*way.adjectives, *way.nouns, *way.alone) for word in words(phrase))


def heard_tokens(prompt: str) -> list[str]:
    """The TOKENS that `prompt` states, in their order."""
    traits = said_traits(prompt)
    named = {*said_faces(prompt), *looks_of(traits), *(traits.get(part, "") for part in ("age", "gender", "ancestry"))}
    if GLASSES in words(meant(prompt)):
        named.add(GLASSES)
    return [token for token in TOKENS if token in named]


def looks_of(traits: Mapping[str, str]) -> list[str]:
    """The tokens of looks of `traits`, by attribute of the words room."""
    parts = {"hair_style": "{} hair", "hair_colour": "{} hair colour", "skin": "{} skin", "beard": "beard {}"}
    said = [text.format(_taught(traits[part])) for part, text in parts.items() if traits.get(part)]
    return [token for token in said if token in LOOKS]


def _taught(word: str) -> str:
    row = COLOURS.get(word) or STYLES.get(word)
    return row.heard_as or word if row else word


def of_shape(tokens: Collection[str]) -> list[str]:
    """Those `tokens` that a picture without colours can show."""
    return [token for token in tokens if token not in LOOKS]
