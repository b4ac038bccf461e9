"""Patterns for the words that say how somebody looks, and for what can look so."""

import re
from collections.abc import Iterable

from idto3d.words.paints import BEARERS, PAINTS
from idto3d.words.same import LEANING, SHADES
from idto3d.words.traits import COLOURS, FACIAL_HAIR, GENDERS, SHAVEN, SKINS, SMALL, STYLES


def either(phrases: Iterable[str], space: str = " ") -> str:
    """A pattern for any of `phrases`, the longest first; each of their spaces may be what `space` matches.

    It branches letter by letter, for it is tried at every word of a text.
    """
    tails: dict[str, list[str]] = {}
    phrases = list(phrases)
    for phrase in filter(None, phrases):
        tails.setdefault(phrase[0], []).append(phrase[1:])
    heads = ((space if head == " " else re.escape(head)) + either(rest, space) for head, rest in tails.items())
    branches = f"(?:{'|'.join(heads)})" if tails else ""
    return f"{branches}?" if branches and "" in phrases else branches


CUTS = tuple(style.name for style in STYLES.values() if not (style.before_hair or style.said))  # nouns for hair
BEARDS = tuple(name for name in FACIAL_HAIR if name != SHAVEN)
PAINTED = tuple(noun for bearer in BEARERS.values() for noun in (*bearer.nouns, *bearer.cosmetics))
PARTS = tuple(dict.fromkeys(("hair", "skin", "complexion", *BEARDS, *PAINTED)))
PERSONS = ("person", "man", "woman", "boy", "girl", "child", "people", *GENDERS, *SMALL)
REMOVABLE = ("hair", "glasses", "sunglasses", "freckles", "wrinkles", "makeup", *BEARDS, *BEARERS["lips"].cosmetics)
COMPARED = {"darker": -1, "lighter": 1, "brighter": 1, "paler": 1, "fairer": 1, "blacker": -1, "tanner": -1}
LONGER = {"longer": 1, "shorter": -1}
MORE = (
    *("very", "bright", "deep", "vivid", "neon", "pastel", "natural", "naturally", "rich", "straight", "wavy", "silky"),
    *("messy", "shiny", "plucked", "sparse", "fine", "thick", "thin", "bushy", "full", "heavy", "big", "bigger"),
    *("thicker", "fuller", "thinner"),
)
LEANED = tuple(word for words in LEANING.values() for word in words)
STYLED = tuple(style.name for style in STYLES.values() if style.before_hair) + ("side-parted",)
LOOK = either({*COLOURS, *PAINTS, *SHADES, *STYLED, *SKINS, *COMPARED, *LONGER, *MORE, *LEANED})
