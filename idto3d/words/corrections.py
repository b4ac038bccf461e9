"""Corrections: words for looks that somebody chose from a list, in place of what photos or a prompt say of them.

A correction counts as said, and before the prompt: it is about one attribute alone. Where the last word shall count,
whoever asks drops with `still_meant` what a prompt that was written since says otherwise.

What reads prompts is imported where one is read: its patterns take half a second, and who checks options reads none.
"""

import re
from collections.abc import Mapping

from idto3d.config import SubjectOptions
from idto3d.words.prompts import words

CORRECTED = ("hair_style", "hair_colour", "beard", "skin")  # attributes of traits.ATTRIBUTES


def corrections_of(options: SubjectOptions) -> dict[str, str]:
    """The words that are chosen, by attribute; those left empty are missing."""
    return {name: word for name in CORRECTED if (word := getattr(options, name))}


def settled(prompt: str, corrections: Mapping[str, str]) -> str:
    """`prompt` without the words that say another look than `corrections` do; unchanged where none does.

    ("an old man with long red hair", a bob) becomes "an old man with red hair".
    """
    from idto3d.words.reading import meant, spoken

    while contradicted := _contradicted(prompt, corrections):
        text = " ".join(spoken(words(meant(prompt))))  # what was denied, "no hair", is gone from it
        left = re.sub(rf"\b{re.escape(contradicted)}\b ?", "", text)
        if left == prompt:  # said in words of which ours is none
            break
        prompt = left
    return prompt


def still_meant(prompt: str, corrections: Mapping[str, str]) -> dict[str, str]:
    """Those of `corrections` that a `prompt` which was written after them does not say otherwise."""
    from idto3d.words.reading import said_traits

    said = said_traits(prompt)
    return {name: word for name, word in corrections.items() if said.get(name, word) == word}


def _contradicted(prompt: str, corrections: Mapping[str, str]) -> str:
    """A word of `prompt` that says another look than `corrections` do; empty where there is none."""
    from idto3d.words.reading import said_traits

    said = said_traits(prompt)
    return next((said[name] for name, word in corrections.items() if said.get(name, word) != word), "")
