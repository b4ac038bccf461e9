"""Captions: people in words, for pictures that train the guidance and for what it is asked.

A subject is a noun phrase without an article, "old person with green hair"; the article comes with the template.
"""

import re
from collections.abc import Collection, Mapping, Sequence

from idto3d.words.noun_phrase import noun_phrase
from idto3d.words.prompts import template, with_article, words
from idto3d.words.reading import SYNONYMS, meant, said_traits, spoken
from idto3d.words.traits import FACIAL_HAIR, NOUNS, SMALL, STYLES

PARTS = ("skin", "hair", "beard", "age", "ancestry", "gender", "face", "freckles", "makeup", "glasses")
IDLE = frozenset(("a", "an", "and", "as", "hair", "head", "of", "person", "skin", "the", "with"))
CUTE = 0.2  # chance that a varied caption calls a baby cute
PLACE = re.compile(r"(?:\b([Aa])n? )?\{(view|subject|expression)\}")


def caption(view: str, domain: str, subject: str = "person") -> str:
    """The caption of a picture of `domain` (geometry or albedo) from a view, such as "front", of `subject`."""
    return filled(template(domain), view, subject)


def filled(template: str, view: str, subject: str, expression: str = "") -> str:
    """`template` with its places `{view}`, `{subject}` and `{expression}` filled; an article before one is put right.

    ("portrait of a {subject}", "old person") becomes "portrait of an old person".
    """
    parts = {"view": view, "subject": subject, "expression": expression}

    def fill(place: re.Match) -> str:
        text = parts[place[2]]
        return place[1] + with_article(text)[1:] if place[1] else text

    return PLACE.sub(fill, template)


def subject_phrase(traits: Mapping[str, str], prompt: str) -> str:
    """The subject of a caption: what `prompt` says, and of `traits` what it leaves open; a noun phrase, no article.

    ("with green hair", a young woman with short brown hair) becomes "young female with short green hair", and without
    traits "person with green hair". A prompt that says more than traits keeps its own words: ("as a pirate", brown
    hair) is "person as a pirate with brown hair".
    """
    said = said_traits(prompt)
    unsaid = {attribute: word for attribute, word in traits.items() if word and attribute not in said}
    if not unsaid:
        return noun_phrase(prompt)
    person = described({**unsaid, **said})
    heard = {*words(person), *IDLE}
    if all(heard >= set(SYNONYMS.get(word, (word,))) for word in spoken(words(meant(prompt)))):
        return person
    return _with_more(noun_phrase(prompt), _mentioned(unsaid, PARTS))


def described(traits: Mapping, parts: Sequence[str] = PARTS) -> str:
    """A person in words; `parts` says which attributes are mentioned, those that `traits` lack never are.

    "young asian female with round face and fair skin and short black hair"; "person" when nothing is said.
    """
    return _joined(_who(traits, parts), _mentioned(traits, parts))


def varied(traits: Mapping, parts: Sequence[str], random) -> str:
    """`described` in an order and a phrasing that `random`, a numpy Generator or random.Random, chooses.

    "asian woman, short black hair, fair skin"; the person comes first, so that an article fits.
    """
    said, who = _mentioned(traits, parts), _varied_who(traits, parts, random)
    listed = random.random() >= 0.5
    random.shuffle(said)
    return ", ".join([who, *said]) if listed else _joined(who, said)


def varied_words(said: Collection[str]) -> list[str]:
    """Words that varied captions say beyond those `said` by plain ones."""
    nouns = [noun for (_, gender), noun in NOUNS.items() if gender in said]
    return [*nouns, *(["cute"] if "baby" in said else [])]


def _with_more(phrase: str, said: Sequence[str]) -> str:
    """A noun phrase, in its own words, with what else is `said` of the person."""
    return " ".join([phrase, "and" if " with " in phrase else "with", " and ".join(said)]) if said else phrase


def _joined(person: str, said: Sequence[str]) -> str:
    return f"{person} with " + " and ".join(said) if said else person


def _who(traits: Mapping, parts: Sequence[str]) -> str:
    """Age, ancestry and gender, as far as they are among `parts`."""
    age, ancestry, gender = (traits.get(part, "") if part in parts else "" for part in ("age", "ancestry", "gender"))
    noun = age if age in SMALL else ""
    before = ["" if noun else age, ancestry, gender]
    return " ".join(word for word in (*before, noun or ("" if gender else "person")) if word)


def _varied_who(traits: Mapping, parts: Sequence[str], random) -> str:
    age, gender, ancestry = (traits.get(part, "") if part in parts else "" for part in ("age", "gender", "ancestry"))
    noun = NOUNS.get((age if age in SMALL else "young", gender), "") if random.random() < 0.4 else ""
    if age == "baby":
        cute = ["cute"] if random.random() < CUTE else []
        return " ".join([*cute, *(word for word in (ancestry, gender) if word), "baby"])
    before = [word for word in (age if age != "child" else "", ancestry) if word]
    random.shuffle(before)
    before += [noun or gender] if noun or gender else []
    before += ["child"] if age == "child" and not noun else []
    return " ".join(before if gender or age == "child" else [*before, "person"])


def _mentioned(traits: Mapping, parts: Sequence[str]) -> list[str]:
    """Phrases about face, skin, hair and what is worn, as far as they are among `parts`."""
    kept = {part: traits.get(part, "") if part in parts else "" for part in PARTS}
    said = [" and ".join(kept["face"] or ()), f"{kept['skin']} skin" if kept["skin"] else ""]
    said += [_crown(traits) if "hair" in parts else "", _beard(kept["beard"])]
    said += [part if kept[part] else "" for part in ("freckles", "makeup", "glasses")]
    return [phrase for phrase in said if phrase]


def _crown(traits: Mapping) -> str:
    style, colour = traits.get("hair_style", ""), traits.get("hair_colour", "")
    if style in STYLES and STYLES[style].said:
        return STYLES[style].said
    return " ".join(word for word in (style, colour, "hair") if word) if style or colour else ""


def _beard(word: str) -> str:
    """What is said of a beard; scans may have one of another kind than ours."""
    return FACIAL_HAIR[word].said if word in FACIAL_HAIR else with_article(word) if word else ""
