"""Prompts: their words, view words, the templates of captions, and the words that a vocabulary does not hold.

The template follows the ID-to-3D supplement ("A front view normal map face portrait of a young Caucasian female
on a white background"), with the subject left to the user or to a caption.
"""

import re
from collections.abc import Collection, Sequence

from idto3d.words.traits import COLOURS, STYLES

VIEWS = ("front", "front left", "left side", "back left", "back", "back right", "right side", "front right")
MEDIA = {"geometry": "normal map", "albedo": "albedo map"}
DOMAINS = tuple(MEDIA)
# Words that mean what another one means, or nearly so, in which a vocabulary may hold them.
FORMS = {"an": "a", "bearded": "beard"}
FORMS |= {row.name: row.heard_as for table in (STYLES, COLOURS) for row in table.values() if row.heard_as}
# Words that "an" stands before, as they are spoken.
VOWEL = re.compile(r"(?!uni|eu|use|uk|ugan|uru|uy|uto|one\b)[aeiou]|hour|honest|heir", re.IGNORECASE)


def view_word(azimuth_deg: float, views: Sequence[str] = VIEWS) -> str:
    """The word for a camera `azimuth_deg` around the head: 0 is in front, positive towards the person's left.

    `views` are words for equal sectors of the circle; the first is centred in front, the others follow leftwards.
    """
    return views[round(azimuth_deg / (360.0 / len(views))) % len(views)]


def template(domain: str) -> str:
    """The caption of a picture of `domain` (geometry or albedo), with `{view}` and `{subject}` left open."""
    return f"a {{view}} view {MEDIA[domain]} face portrait of a {{subject}} on a white background"


def one_line(text: str) -> str:
    """`text` on one line, without control characters or marks that turn the reading direction."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def words(text: str) -> list[str]:
    """Lower-case words of a text, punctuation dropped."""
    return re.findall(r"[a-z]+", text.lower())


def with_article(phrase: str) -> str:
    """A noun phrase with "a" or "an" before it, as its first word is spoken."""
    return f"{'an' if VOWEL.match(phrase) else 'a'} {phrase}"


def heard(text: str, vocabulary: Collection[str]) -> str:
    """`text` as a closed `vocabulary` of lower-case words reads it: "an" is said as "a" where it holds "a" alone.

    A shade of several words is one form, whether or not its words are known: "dark" may be a word for skin alone.
    """
    forms = {word: form for word, form in FORMS.items() if word not in vocabulary and form in vocabulary}
    if not forms:
        return text
    said = "|".join(sorted(forms, key=len, reverse=True))
    return re.sub(rf"\b(?:{said})\b", lambda found: forms[found[0].lower()], text, flags=re.IGNORECASE | re.ASCII)


def unknown_words(text: str, vocabulary: Collection[str]) -> list[str]:
    """Words of `text` that `vocabulary` lacks, in whatever form, in order, once each."""
    said = words(heard(text, vocabulary))
    return [word for word in dict.fromkeys(said) if word not in vocabulary]


def lost_words(unread: str, subject: str) -> list[str]:
    """Words of a caption's `subject` that lie in its `unread` end, for which a text encoder has no room."""
    said = frozenset(words(subject))
    return [word for word in words(unread) if word in said]
