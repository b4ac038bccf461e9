"""Reading a request to change a head: what is to change, and which words change nothing."""

import re
from collections.abc import Mapping
from itertools import takewhile
from types import MappingProxyType

from idto3d.words.edits import EditRequest
from idto3d.words.figures.denied import without_features
from idto3d.words.figures.heard import Figured, figured
from idto3d.words.figures.table import FIGURES, SIDES, UNREAL
from idto3d.words.looks.amounts import OF_MARKS, SHARES
from idto3d.words.looks.eyewear import WORN, frames_said
from idto3d.words.looks.painted import (
    FINE,
    FULL,
    HAIR_WORDS,
    MANY,
    NOUN_OF,
    PAINT_WORDS,
    SKIN_WORDS,
    SOME,
    colours_said,
    marks_said,
    runs_of,
    shares_said,
)
from idto3d.words.looks.patterns import BEARDS, COMPARED, CUTS, LONGER, PERSONS, REMOVABLE, either
from idto3d.words.paints import MARKS
from idto3d.words.plain import plain
from idto3d.words.prompts import words
from idto3d.words.reading import CLAUSES, DENIED, SYNONYMS, refused, traits_in
from idto3d.words.same import NUMBERS
from idto3d.words.traits import AGES, ANCESTRIES, BALD, GENDERS, NOUNS, SHAVEN, SKINS

NOBODY: Mapping[str, str] = MappingProxyType({})
# What lighter and darker, longer and shorter go along, where it is known how somebody looks; else from the usual.
SCALES = {
    "skin": (SKINS[::-1],),
    "hair_colour": (
        ("black", "dark brown", "brown", "light brown", "dark blonde", "blonde", "platinum"),
        *(("dark " + name, name, "light " + name) for name in ("red", "grey", "green", "blue", "pink")),
        ("dark purple", "purple", "lavender"),
    ),
    "hair_style": ((BALD, "buzzcut", "short", "long"),),
}
USUAL = {"skin": "fair", "hair_colour": "brown", "hair_style": "short"}
ENDS = {"hair_colour": ("black", "blonde"), "hair_style": ("short", "long"), "skin": ("dark", "pale")}
BY_YEARS = 20.0  # years of a step of EditRequest.years
MOST = 3.0  # steps
MUCH = {"much": 2.0, "lot": 2.0, "far": 2.0, "way": 2.0, "very": 2.0, "bit": 0.5, "little": 0.5, "slightly": 0.5}
YEARS = re.compile(
    rf"(?:\b(\d{{1,3}}|{either(NUMBERS)}) (?:more )?years? |\b({either(MUCH)}) )?"
    rf"\b(?<!middle-)(older|younger|age|aged|rejuvenated?)\b(?: (?:him|her|them|it))?"
    rf"(?: by (\d{{1,3}}|{either(NUMBERS)}) years?)?"
)
# Words that ask, bind and flatter, and those that say again what their neighbours say.
IDLE = frozenset(
    words(
        "a an and as at all any but by for from in into is it its of off on or so such than that the then there this "
        "too up with without no not nor please kindly make makes made give gives giving change changed changes turn "
        "turned transform dye dyed paint painted set let put add apply i want would like can could you me have has had "
        "having get gets got grow grown wear wears wearing cut style styled recolor recolour color colour colored "
        "coloured edit show my your his her hers their him them he she they who whose one ones also now just look "
        "to looks looking be being been become becomes should must shall will appear appears more less fewer much "
        "very really quite bit little lot slightly somewhat even far way again instead only same keep try cute nice "
        "version pretty beautiful handsome lovely good real realistic natural naturally bright vivid neon pastel "
        "intense rich deep years year old age aged face head person people somebody someone human hair skin wearing "
        "complexion remove take away lose rid delete erase shave shaved shaven clean makeup glasses pair thanks thank "
        "ok do does if when lots plenty many some few tons under above over across near below around beneath "
        "swap exchange replace rather"
    )
) | {"older", "younger", "rejuvenate", "rejuvenated"}
HEARD = frozenset(
    word
    for phrases in (AGES, GENDERS, ANCESTRIES, NOUNS.values(), SYNONYMS, PERSONS, CUTS, BEARDS, MARKS, (BALD, SHAVEN))
    for phrase in phrases
    for word in words(phrase)
)
# Whose something is that changes, which says nothing of who the head shall be: "the woman's lips".
_WHOSE = re.compile(rf"\b(?:the|this|that) (?:\w+ )?(?:{either((*PERSONS, *SYNONYMS))})(?:'s|’s) ", re.IGNORECASE)
_THE_BEARD = re.compile(r"\b(?:the|his|her|their|my) (?:\w+ ){0,2}beard\b")
REACH = 6  # words before a noun that may say how it looks


def read_edit(prompt: str, now: Mapping[str, str] = NOBODY) -> EditRequest:
    """What `prompt` asks to be changed. now: the traits of the head as it is, for "darker skin" and "longer hair".

    Whatever is said of nothing that can change is among the unknown words; so is all of a request for nothing.
    """
    text = plain(_WHOSE.sub("the ", prompt))
    text, denied = without_features(text)
    heard, gone = DENIED.sub("", text), set(refused(text))
    clauses = [words(clause) for clause in CLAUSES.split(heard)]
    traits = traits_in(text, beards_tell=False) | _compared(clauses, now)
    figure = _figured(text)
    frames, of_glasses = frames_said(clauses)
    colours, glasses = figure.colours | colours_said(clauses, gone), _glasses(clauses, gone)
    named = "beard" in colours or _THE_BEARD.search(prompt.lower()) is not None
    traits = _natural(_kept_beard(traits, named, now), colours)
    about = (traits, _years(heard), colours, figure.marks | marks_said(clauses, gone), glasses)
    unknown = _unknown(clauses, text, figure.heard | of_glasses)
    features = {**figure.features, **denied}
    figures = (features, figure.drawings, figure.beings, figure.further, figure.at_least - {*denied})
    shares = {bearer: share for bearer, share in shares_said(clauses).items() if bearer in colours}
    asked = EditRequest(*about, unknown, *figures, frames, shares)
    if asked.empty and not asked.unknown:
        return EditRequest(unknown=tuple(dict.fromkeys(words(prompt))))
    return asked


def painted_words(prompt: str) -> frozenset[str]:
    """The words of `prompt` that are painted or put on, whatever else knows them: "red lipstick", "glasses"."""
    asked = read_edit(prompt)
    clauses = [words(clause) for clause in CLAUSES.split(plain(prompt))]
    kinds = (*asked.marks, *(WORN if asked.glasses is not None else ()), *figured_words(prompt))
    kinds += tuple(frames_said(clauses)[1])
    nouns = {noun for noun, bearer in NOUN_OF.items() if bearer.name in asked.colours}
    said = nouns | {"makeup", *SHARES} | set(kinds) | set(words(" ".join(asked.colours.values())))
    return frozenset(word for word in words(plain(prompt)) if word in said)


def figured_words(prompt: str) -> frozenset[str]:
    """The words of `prompt` that ask for builds, features, beings and drawings, as it says them."""
    text = plain(prompt)
    kept = without_features(text)[0]
    return _figured(kept).heard | ({*words(text)} - {*words(kept)})


def features_said(prompt: str) -> tuple[str, ...]:
    """What `prompt` says of a face that photos show better, in its order: "gaunt", "hooked nose"; none of a being."""
    figure = _figured(without_features(plain(prompt))[0])
    told = () if figure.beings else figure.told
    return tuple(dict.fromkeys(said for said, amounts in told if any(amounts.values()) and not {*amounts} <= {*UNREAL}))


def figures_said(prompt: str) -> tuple[tuple[str, Mapping[str, float]], ...]:
    """What `prompt` says of builds and features, once each, and the features of figures.table that it means."""
    return tuple(dict(_figured(without_features(plain(prompt))[0]).told).items())


def _figured(text: str) -> Figured:
    clauses = [words(clause) for clause in CLAUSES.split(DENIED.sub("", text))]
    return figured(clauses, (*PERSONS, *SYNONYMS, *FIGURES))


def features_of(prompt: str) -> dict[str, float]:
    """The amounts of figures.table.FEATURES that `prompt` asks for."""
    return dict(read_edit(prompt).features)


def unreal(asked: EditRequest) -> dict[str, float]:
    """Those features of a request that no photo of anybody shows: all of a being's, and pointed ears."""
    return {name: amount for name, amount in asked.features.items() if asked.beings or name in UNREAL}


def _natural(traits: Mapping[str, str], colours: Mapping[str, str]) -> dict[str, str]:
    """The traits, without the tone of a skin that is painted: "dark green skin" is not dark."""
    return {name: word for name, word in traits.items() if not (name == "skin" and "skin" in colours)}


def _years(text: str) -> float:
    """The steps of about twenty years that `text` adds, the last that it says."""
    steps = 0.0
    for counted, much, change, by in YEARS.findall(text):
        number = counted or by
        years = float(NUMBERS.get(number) or number) if number else 0.0
        size = years / BY_YEARS if number else MUCH.get(much, 1.0)
        steps = -size if change in ("younger", "rejuvenate", "rejuvenated") else size
    return max(-MOST, min(MOST, steps))


def _kept_beard(traits: Mapping[str, str], named: bool, now: Mapping[str, str]) -> dict[str, str]:
    """The traits, without the beard of "a grey beard" or "the beard", named as it is, where there is one already."""
    worn = now.get("beard", SHAVEN) not in ("", SHAVEN)
    drop = worn and named and traits.get("beard") == "beard"
    return {name: word for name, word in traits.items() if not (drop and name == "beard")}


def _compared(clauses: list[list[str]], now: Mapping[str, str]) -> dict[str, str]:
    """What skin and hair become that shall be lighter, darker, longer or shorter."""
    found = {}
    for run, noun in runs_of(clauses):
        for word in run:
            hair = noun == "hair" or noun in CUTS
            if word in COMPARED and (hair or noun in ("skin", "complexion")):
                attribute = "hair_colour" if hair else "skin"
                found[attribute] = _step(attribute, COMPARED[word], now.get(attribute) or USUAL[attribute])
            elif word in LONGER and hair:
                found["hair_style"] = _step("hair_style", LONGER[word], now.get("hair_style") or USUAL["hair_style"])
    return found


def _step(attribute: str, change: int, word: str) -> str:
    """The next word on the scale that `word` lies on; an end of the usual one where it lies on none."""
    for scale in SCALES[attribute]:
        if word in scale:
            return scale[max(0, min(len(scale) - 1, scale.index(word) + change))]
    return ENDS[attribute][change > 0]


def _glasses(clauses: list[list[str]], gone: set[str]) -> bool | None:
    if any(not clause_words.isdisjoint(WORN) for clause_words in map(set, clauses)):
        return True
    return False if gone & {*WORN} else None


def _unknown(clauses: list[list[str]], text: str, known: frozenset[str]) -> tuple[str, ...]:
    """The words that change nothing, in order, once each."""
    denied = [word for looks, listed in DENIED.findall(text) for word in (*words(looks), *_useless(looks, listed))]
    said = [word for clause in clauses for word in _unheard(clause) if word not in known]
    return tuple(dict.fromkeys((*said, *denied)))


def _useless(looks: str, listed: str) -> list[str]:
    """Of what shall not be: what cannot be taken away, and all of "no grey hair", which does not say what instead."""
    return [word for word in words(listed) if looks or word not in (*REMOVABLE, "or", "nor")]


def _unheard(clause: list[str]) -> list[str]:
    """The words of a clause that say nothing of what can change."""
    heard = _looks_heard(clause)
    return [
        word
        for place, word in enumerate(clause)
        if not (place in heard or word in IDLE or word in HEARD or word in NOUN_OF or len(word) < 2)
    ]


def _looks_heard(clause: list[str]) -> set[int]:
    """Places in a clause of the words for looks, and of how much, that something follows which can look so."""
    heard: set[int] = set()
    for place, noun in enumerate(clause):
        may_be = _may_be(noun)
        before = reversed(range(max(0, place - REACH), place) if may_be else ())
        heard.update(takewhile(lambda at, may_be=may_be: clause[at] in may_be or clause[at] in IDLE, before))
    return heard


def _may_be(noun: str) -> frozenset[str]:
    """The words that a noun may be said to be."""
    if noun == "hair" or noun in CUTS:
        return HAIR_WORDS
    if noun in ("skin", "complexion"):
        return SKIN_WORDS | PAINT_WORDS
    if noun in MARKS:
        return MANY | SOME | {*OF_MARKS}
    if noun == "makeup":
        return frozenset(SHARES)
    if noun == "brows":
        return PAINT_WORDS | FULL | FINE
    if noun == "eye":
        return PAINT_WORDS | {*SIDES}
    if noun in NOUN_OF and noun in NOUN_OF[noun].cosmetics:
        return PAINT_WORDS | {*SHARES}
    return (PAINT_WORDS | FULL if noun in BEARDS else PAINT_WORDS) if noun in NOUN_OF else frozenset()


NOBODYS = ("person", "people", "head", "face", "portrait", "guy", "lady", "male", "female")
PEOPLE_SAID = "|".join((*SYNONYMS, *FIGURES, *NOBODYS))
DESCRIBES = re.compile(rf"(?:a|an|the|one|portrait of)\s(?:[\w-]+[\s,]+){{0,5}}(?:{PEOPLE_SAID})\b")


def describes_somebody(prompt: str) -> bool:
    """Whether `prompt` begins with who it is about, as in "a young woman with red hair", unlike "as a cute baby"."""
    return DESCRIBES.match(prompt.strip().lower()) is not None
