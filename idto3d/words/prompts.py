"""Prompts: their words, view words, the templates of captions, and the words that a vocabulary does not hold.

The template follows the ID-to-3D supplement ("A front view normal map face portrait of a young Caucasian female
on a white background"), with the subject left to the user or to a caption.
"""

import re
from collections.abc import Collection

VIEWS = ("front", "front left", "left side", "back left", "back", "back right", "right side", "front right")
MEDIA = {"geometry": "normal map", "albedo": "albedo map"}
DOMAINS = tuple(MEDIA)
FORMS = {"an": "a"}  # words that mean what another one means, in which a vocabulary may hold them


def view_word(azimuth_deg: float) -> str:
    """The word for a camera `azimuth_deg` around the head: 0 is in front, positive towards the person's left."""
    return VIEWS[round(azimuth_deg / 45.0) % 8]


def template(domain: str) -> str:
    """The caption of a picture of `domain` (geometry or albedo), with `{view}` and `{subject}` left open."""
    return f"a {{view}} view {MEDIA[domain]} face portrait of a {{subject}} on a white background"


def one_line(text: str) -> str:
    """`text` on one line, without control characters or marks that turn the reading direction."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def words(text: str) -> list[str]:
    """Lower-case words of a text, punctuation dropped."""
    return re.findall(r"[a-z]+", text.lower())


def heard(text: str, vocabulary: Collection[str]) -> str:
    """`text` as a closed `vocabulary` of lower-case words reads it: "an" is said as "a" where it holds "a" alone."""
    forms = {word: form for word, form in FORMS.items() if word not in vocabulary and form in vocabulary}
    return re.sub(r"[A-Za-z]+", lambda found: forms.get(found[0].lower(), found[0]), text)


def unknown_words(text: str, vocabulary: Collection[str]) -> list[str]:
    """Words of `text` that `vocabulary` lacks, in whatever form, in order, once each."""
    said = words(heard(text, vocabulary))
    return [word for word in dict.fromkeys(said) if word not in vocabulary]


def lost_words(unread: str, subject: str) -> list[str]:
    """Words of a caption's `subject` that lie in its `unread` end, for which a text encoder has no room."""
    said = frozenset(words(subject))
    return [word for word in words(unread) if word in said]
