"""Reading: from what a prompt says to traits, and to the phrases that somebody knows."""

import re
from collections.abc import Collection, Sequence

from idto3d.words.prompts import words
from idto3d.words.traits import AGE_GROUPS, ATTRIBUTES, BALD, BEARDS, COLOURS, NOUNS, SHAVEN, SMALL, STYLES

SYNONYMS = {
    **{noun: ((age, gender) if age in SMALL else (gender,)) for (age, gender), noun in NOUNS.items()},
    **{"kid": ("child",), "elderly": ("old",), "toddler": ("baby",)},
}
# Other words for looks, and what they say in ours.
LOOKS = {
    **{"blond": ("blonde",), "gray": ("grey",), "brunette": ("brown", "hair"), "redhead": ("red", "hair")},
    **{"ginger": ("red", "hair"), "haired": ("hair",), "skinned": ("skin",), "curls": ("curly", "hair")},
    **{"mustache": ("moustache",), "bearded": ("beard",), "shaven": (SHAVEN,), "hairless": (BALD,)},
}
AGED = re.compile(r"\b(\d{1,3})[- ]?(?:years?|yrs?)[- ]olds?\b|\baged (\d{1,3})\b")
DENIED = re.compile(r"\b(?:no|not|without)\b (?:(?:an?|any|the) )?((?:facial )?[a-z]+(?:-[a-z]+)?)(?: n?or [a-z]+)*")
OTHER_PARTS = ("and", "with", "face", "nose", "neck", "skin", "hair", "eyes", "lips", "ears", "beard")
# Nouns for hair, before which a word is one of it, perhaps after one or two others; and those others never are.
HAIR = ("hair", *(style.name for style in STYLES.values() if not (style.before_hair or style.said)))
BETWEEN = rf"(?: (?!{'|'.join((*OTHER_PARTS, *BEARDS))})\w+){{0,2}}"


def said_traits(prompt: str) -> dict[str, str]:
    """The traits that `prompt` states: "an old man with short green hair" has an age, a gender, a style, a colour.

    Of several words for one attribute the last of its list counts, so "short curly hair" is curly. Who has "no beard"
    is clean, who has "no hair" bald.
    """
    said = spoken(words(meant(prompt)))
    text = " ".join(said)
    not_there = set(denied(prompt))
    traits = {"beard": SHAVEN} if not_there & {*BEARDS, "facial hair"} else {}
    traits |= {"hair_style": BALD} if "hair" in not_there else {}
    for attribute, choices in ATTRIBUTES.items():
        stated = [choice for choice in said_phrases(said, choices) if _means(choice, attribute, text)]
        if stated:
            traits[attribute] = stated[-1]
    return traits


def _means(word: str, attribute: str, text: str) -> bool:
    """Whether `word` says the attribute in `text`: "brown" is hair before "hair" or "bob" and skin before "skin"."""
    if attribute == "skin":
        return _before(word, ("skin",), text)
    if attribute == "hair_colour":
        return COLOURS[word].alone or _before(word, HAIR, text) or _beard_tells(word, text)
    return attribute != "hair_style" or not STYLES[word].before_hair or _before(word, ("hair",), text)


def _beard_tells(colour: str, text: str) -> bool:
    """Whether a natural colour of a beard is all that is said of the hair's: of "a grey beard", grey."""
    told = any(_before(other, HAIR, text) for other in COLOURS)
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
    """The prompt in words that are heard: "25-year-old" becomes "young", and what it denies is left out."""
    aged = AGED.sub(lambda found: age_word(int(found[1] or found[2])), prompt.lower())
    return DENIED.sub("", aged)


def age_word(years: int) -> str:
    """The word for somebody of that age: baby, child, young, middle-aged or old."""
    return next(age.name for age in AGE_GROUPS.values() if years < age.below)


def denied(prompt: str) -> list[str]:
    """The words that a prompt says no, not or without to: of "a man without a beard", beard."""
    return DENIED.findall(prompt.lower())
