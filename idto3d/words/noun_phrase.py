"""A prompt as a noun phrase: whatever it leaves out, there is a person in it."""

import re
from itertools import dropwhile

from idto3d.words.looks.patterns import PARTS
from idto3d.words.prompts import words
from idto3d.words.reading import OTHER_PARTS, SYNONYMS, meant
from idto3d.words.traits import AGES, ANCESTRIES, BEARDS, GENDERS, NOUNS, SHAVEN, SMALL, STYLES

ARTICLES = frozenset(("a", "an", "the"))
PEOPLE = {*NOUNS.values(), *GENDERS, *SMALL, *SYNONYMS, "person", "adult"}
ADJECTIVES = {*words(" ".join((*AGES, *ANCESTRIES))), "bald", "clean", "shaven", "and"} - PEOPLE
# What a person has: parts of a head, and styles whose word is a noun.
OWNED = {*OTHER_PARTS, *PARTS, "head", "chin", "freckles", "wrinkles", "makeup", "glasses"} - {"and", "with"}
OWNED |= {*BEARDS, *(style.name for style in STYLES.values() if not (style.before_hair or style.said))} - {SHAVEN}
NOUNS_IN_ING = frozenset(("king", "viking", "sibling", "earring", "ring", "wedding", "darling"))
PICTURE_OF = re.compile(r"^\s*(?:an? |the )?(?:portrait|photo|photograph|picture|head|face|bust) of (?=\w)")
AFTER = {"with", "as", "in", "of", "on", "at", "wearing", "having", "who", "whose", "like", "from"}  # follow a noun


def noun_phrase(prompt: str) -> str:
    """What `prompt` says of a person, lower case, as a noun phrase without an article; "person" where it says nothing.

    "green hair" becomes "person with green hair", "old, wearing a hat" "old person wearing a hat".
    """
    said = re.split(r"[,.;:!?()\n]+", PICTURE_OF.sub("", meant(prompt)))
    clauses = [clause for part in said if (clause := _trimmed(part))]
    parts = {"noun": [], "adjective": [], "owned": [], "after": [], "further": []}
    for clause in clauses:
        for kind, said in _sorted(clause):
            parts[kind].append(" ".join(said))
    person, *others = parts["noun"] or ["person"]
    phrase = " ".join([*parts["adjective"], person])
    if parts["owned"]:
        phrase += (" and " if " with " in phrase else " with ") + " and ".join(parts["owned"])
    return ", ".join([" ".join([phrase, *parts["after"]]), *others, *parts["further"]])


def _trimmed(text: str) -> list[str]:
    """The words of a clause without the "and" or "with" that what is denied has left behind."""
    said = list(dropwhile("and".__eq__, words(text)))
    while said and said[-1] in ("with", "and"):
        said.pop()
    return said


def _sorted(clause: list[str]) -> list[tuple[str, list[str]]]:
    """The pieces of a clause, each with what it is: a noun for a person, or adjectives of one and what else is said."""
    named = clause[0] in ARTICLES
    bare = clause[named:]
    if not bare:
        return []
    head = _head(bare)
    if not PEOPLE.isdisjoint(head) or (named and OWNED.isdisjoint(head) and not ADJECTIVES.issuperset(head)):
        return [("noun", bare)]
    count = next((i for i, word in enumerate(bare) if word not in ADJECTIVES), len(bare))
    if len(bare) == count + 1 and bare[-1] in OWNED:  # "young skin" is no skin of somebody young
        count = 0
    rest = bare[count:] if count else clause
    return [*(("adjective", [word]) for word in bare[:count] if word != "and"), *([_after(rest)] if rest else [])]


def _after(rest: list[str]) -> tuple[str, list[str]]:
    """What is said of somebody, and how it follows the noun."""
    if rest[0] == "with" and len(rest) > 1:
        return "owned", rest[1:]
    if rest[0] in AFTER or (rest[0].endswith("ing") and rest[0] not in NOUNS_IN_ING):
        return "after", rest
    return "further" if OWNED.isdisjoint(_head(rest)) else "owned", rest


def _head(clause: list[str]) -> list[str]:
    """The words before the first that follows a noun."""
    return clause[: next((i for i, word in enumerate(clause) if word in AFTER), len(clause))]
