"""Reading: from what a prompt says to traits, and to the phrases that somebody knows."""

import re
from collections.abc import Collection, Sequence

from idto3d.words.looks.patterns import CUTS, LOOK, PARTS
from idto3d.words.plain import plain
from idto3d.words.prompts import words
from idto3d.words.traits import ATTRIBUTES, BALD, BEARDS, COLOURS, NOUNS, SHAVEN, SMALL, STYLES

SYNONYMS = {
    **{noun: ((age, gender) if age in SMALL else (gender,)) for (age, gender), noun in NOUNS.items()},
    "adult": ("young",),
}
# Other words for looks, and what they say in ours.
LOOKS = {"haired": ("hair",), "skinned": ("skin",), "bearded": ("beard",), "shaven": (SHAVEN,)}
DENIED = re.compile(
    rf"\b(?:no|not|without)\b (?:(?:an?|any|the|his|her|their|more) )?((?:(?:{LOOK}) ){{0,2}})"
    r"([a-z]+(?:-[a-z]+)?(?: n?or [a-z]+)*)"
)
CLAUSES = re.compile(r"[,.;:!?()\n]+")
OTHER_PARTS = ("and", "with", "face", "nose", "neck", "skin", "hair", "eyes", "lips", "ears", "beard")
SHORT = "short"  # of styles of hair
# Nouns for hair, before which a word is one of it, perhaps after one or two others; and those others never are.
HAIR = ("hair", *CUTS)
FACE_HAIR = (*BEARDS, "brows", "eyebrows", "lashes", "eyelashes")
BETWEEN = rf"(?: (?!{'|'.join(dict.fromkeys((*OTHER_PARTS, *PARTS, *BEARDS)))})\w+){{0,3}}"


def said_traits(prompt: str) -> dict[str, str]:
    """The traits that `prompt` states: "an old man with short green hair" has an age, a gender, a style, a colour.

    Of several words for one attribute the last of its list counts, so "short curly hair" is curly. Who has "no beard"
    is clean, who has "no hair" bald.
    """
    return traits_in(plain(prompt))


def traits_in(told: str, beards_tell: bool = True) -> dict[str, str]:
    """The traits that a prompt states which is `told` in our words, see `plain`.

    beards_tell: whether a natural colour of a beard is the hair's too.
    """
    clauses = [spoken(words(clause)) for clause in CLAUSES.split(DENIED.sub("", told))]
    said, text = [word for clause in clauses for word in clause], " ; ".join(map(" ".join, clauses))
    not_there = set(refused(told))
    traits = {"beard": SHAVEN} if not_there & {*BEARDS} else {}
    traits |= {"hair_style": BALD} if "hair" in not_there else {}
    for attribute, choices in ATTRIBUTES.items():
        stated = [choice for choice in said_phrases(said, choices) if _means(choice, attribute, text, beards_tell)]
        if stated:
            traits[attribute] = _chosen(stated)
    return traits


def _chosen(stated: Sequence[str]) -> str:
    """The last of the words, but of styles one that has a noun of its own: a "short buzzcut" is a buzzcut."""
    word = ([word for word in stated if word in STYLES and not STYLES[word].before_hair] or stated)[-1]
    return STYLES[word].when_short if word in STYLES and SHORT in stated and STYLES[word].when_short else word


def _means(word: str, attribute: str, text: str, beards_tell: bool) -> bool:
    """Whether `word` says the attribute in `text`: "brown" is hair before "hair" or "bob" and skin before "skin"."""
    if attribute == "skin":
        return _before(word, ("skin",), text)
    if attribute == "hair_colour":
        alone = COLOURS[word].alone and not _before(word, FACE_HAIR, text)
        return alone or _before(word, HAIR, text) or (beards_tell and _beard_tells(word, text))
    return attribute != "hair_style" or not STYLES[word].before_hair or _before(word, ("hair",), text)


def _beard_tells(colour: str, text: str) -> bool:
    """Whether a natural colour of a beard is all that is said of the hair's: of "a grey beard", grey."""
    told = any(other in text and _before(other, HAIR, text) for other in COLOURS)
    return not told and not COLOURS[colour].dyed and _before(colour, BEARDS, text)


def _before(word: str, nouns: Collection[str], text: str) -> bool:
    """Whether `word` belongs to one of the `nouns` that follow it in `text`."""
    return re.search(rf"\b{word}{BETWEEN} (?:{'|'.join(nouns)})\b", text) is not None


def spoken(said: Sequence[str]) -> list[str]:
    """Words with those that are other words for looks replaced by ours: "blond" is "blonde"."""
    return [ours for word in said for ours in LOOKS.get(word, (word,))]


def said_phrases(said: Sequence[str], phrases: Collection[str]) -> list[str]:
    """Which of `phrases` the words `said` hold one after the other; a man counts as male, a baby boy is no child."""
    text = [each for word in said for each in SYNONYMS.get(word, (word,))]
    unheard = {"child"} if "baby" in text else set()
    text = " ".join(word for word in text if word not in unheard)
    return [phrase for phrase in phrases if f" {' '.join(words(phrase))} " in f" {text} "]


def meant(prompt: str) -> str:
    """The prompt in words that are heard, see `plain`, without what it denies: "25-year-old" becomes "young"."""
    return DENIED.sub("", plain(prompt))


def refused(told: str) -> list[str]:
    """The words to which a prompt, `told` in our words, says no, not or without; none of "no grey hair"."""
    return [word for looks, listed in DENIED.findall(told) if not looks for word in listed.split()[::2]]
