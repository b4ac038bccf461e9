"""Prompts: view words, the caption template, and the words a vocabulary does not hold.

The template follows the ID-to-3D supplement ("A front view normal map face portrait of a young Caucasian female
on a white background"), with the subject left to the user or to a caption.
"""

import re
from collections.abc import Collection, Sequence

VIEWS = ("front", "front left", "left side", "back left", "back", "back right", "right side", "front right")
SYNONYMS = {
    **{"man": ("male",), "woman": ("female",), "boy": ("child", "male"), "girl": ("child", "female")},
    **{"kid": ("child",), "elderly": ("old",), "toddler": ("baby",)},
}
YEARS = ((3, "baby"), (13, "child"), (40, "young"), (60, "middle-aged"), (1000, "old"))  # below each age, its word
AGED = re.compile(r"\b(\d{1,3})[- ]?(?:years?|yrs?)[- ]olds?\b|\baged (\d{1,3})\b")
DENIED = re.compile(r"\b(?:no|not|without)\b (?:(?:an?|any|the) )?((?:facial )?[a-z]+(?:-[a-z]+)?)")
MEDIA = {"geometry": "normal map", "albedo": "albedo map"}
DOMAINS = tuple(MEDIA)


def view_word(azimuth_deg: float) -> str:
    """The word for a camera `azimuth_deg` around the head: 0 is in front, positive towards the person's left."""
    return VIEWS[round(azimuth_deg / 45.0) % 8]


def caption(view: str, domain: str, subject: str = "person") -> str:
    """A prompt for `domain` (geometry or albedo), e.g. subject "person with short brown hair"."""
    return f"a {view} view {MEDIA[domain]} face portrait of a {subject} on a white background"


def meant(prompt: str) -> str:
    """The prompt in words that are heard: "25-year-old" becomes "young", and what it denies is left out."""
    aged = AGED.sub(lambda found: age_word(int(found[1] or found[2])), prompt.lower())
    return DENIED.sub("", aged)


def age_word(years: int) -> str:
    """The word for somebody of that age: baby, child, young, middle-aged or old."""
    return next(word for below, word in YEARS if years < below)


def denied(prompt: str) -> list[str]:
    """The words that a prompt says no, not or without to: of "a man without a beard", beard."""
    return DENIED.findall(prompt.lower())


def words(text: str) -> list[str]:
    """Lower-case words of a prompt, punctuation dropped."""
    return re.findall(r"[a-z]+", text.lower())


def unknown_words(text: str, vocabulary: Collection[str]) -> list[str]:
    """Words of `text` that `vocabulary` lacks, in order, once each."""
    return [word for word in dict.fromkeys(words(text)) if word not in vocabulary]


def said_phrases(said: Sequence[str], phrases: Sequence[str]) -> list[str]:
    """Which of `phrases` the words `said` hold one after the other; a man counts as male, a baby boy is no child."""
    text = [each for word in said for each in SYNONYMS.get(word, (word,))]
    text = " ".join(word for word in text if word != "child" or "baby" not in text)
    return [phrase for phrase in phrases if f" {' '.join(words(phrase))} " in f" {text} "]


def subject_of(prompt: str) -> str:
    """The subject part for `caption` from a user's prompt: 'with green hair' becomes 'person with green hair'."""
    cleaned = re.sub(r"^(?:and )+|(?:\b ?(?:with|and))+$", "", " ".join(words(meant(prompt))))  # next to what is denied
    if not cleaned:
        return "person"
    return cleaned.removeprefix("a ") if cleaned.split()[0] not in ("with", "as") else f"person {cleaned}"
