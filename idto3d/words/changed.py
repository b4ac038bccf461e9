"""The words for a person after an edit: what is new takes the place of what it was."""

import re
from collections.abc import Collection, Mapping

from idto3d.words.captions import IDLE, described
from idto3d.words.prompts import words
from idto3d.words.reading import SYNONYMS, meant, said_traits, spoken


def subject_after(
    subject: str, traits: Mapping[str, str], more: Collection[str] = (), gone: Collection[str] = ()
) -> str:
    """The subject of captions, which was `subject`, of somebody with new `traits` by attribute.

    more: what else there is now, such as "blue eyes" or "freckles"; gone: what is there no longer. ("young female with
    short brown hair", hair green) becomes "young female with short green hair".
    """
    person, things = _taken_apart(subject)
    lost = {*gone, *more}
    kept = [thing for thing in things if thing not in lost and not any(_alike(thing, new) for new in more)]
    things = [*kept, *more]
    person = _replaced(person, traits)
    return " ".join([person, "and" if " with " in person else "with", " and ".join(things)]) if things else person


def _taken_apart(subject: str) -> tuple[str, list[str]]:
    """The subject without what it has that no trait tells of, and those things: "blue eyes", "freckles"."""
    who, _, rest = subject.partition(" with ")
    had = [thing for thing in rest.split(" and ") if thing]
    told = [thing for thing in had if said_traits(f"person with {thing}")]
    return " with ".join([who, *([" and ".join(told)] if told else [])]), [one for one in had if one not in told]


def _alike(thing: str, other: str) -> bool:
    """Whether both are of one kind, as blue eyes and green eyes are."""
    return " " in thing and " " in other and thing.rpartition(" ")[2] == other.rpartition(" ")[2]


def _replaced(person: str, traits: Mapping[str, str]) -> str:
    """A person with `traits` in place of those that are said; in its own words where they say more than traits."""
    said = said_traits(person)
    heard = {*words(described(said)), *IDLE}
    if all(heard >= set(SYNONYMS.get(word, (word,))) for word in spoken(words(meant(person)))):
        return described({**said, **traits})
    changed, added = person, {}
    for attribute, word in traits.items():
        before = said.get(attribute)
        if before and re.search(rf"\b{before}\b", changed):
            changed = re.sub(rf"\b{before}\b", word, changed, count=1)
        else:
            added[attribute] = word
    new = described(added).partition(" with ")[2]
    return " ".join([changed, "and" if " with " in changed else "with", new]) if new else changed
