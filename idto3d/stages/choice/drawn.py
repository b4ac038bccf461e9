"""Heads that words could mean, drawn about the one that they let expect: DreamFace's candidates (section 4.1 there).

DreamFace draws from N(0, I) and leaves all else to the scorer. Here words, ancestry and age move the middle, and what
words say nothing of is drawn as people differ.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from idto3d.words.traits import AGE_GROUPS, ANCESTRIES, GENDER_MODES

PEOPLE = 0.9  # deviation of a coefficient over people
TOLD = 0.45  # where words say who somebody is and nothing of the face: beyond, one is taken for another age or gender
BABY = "baby"  # whom modes of adults crease, whatever words say of its face
SAID = 0.08  # deviation of a word's mode where words say it
UNSAID = {"gender": 0.3, "ancestry": 0.15, "face": 0.15}  # where they do not
PLAINLY = 0.85  # of a word's mode that a head has whose words say it, 1 being the full change
AT_ONCE = 16384  # candidates that are drawn and moved together, in double precision
NEAR = 0.4  # of the spread, about candidates that others shall be like


@dataclass(frozen=True)
class Middle:
    """About what is drawn: coefficients [K], and the deviation of each of them [K]."""

    mean: np.ndarray
    deviation: np.ndarray


def middle_of(
    expected: np.ndarray, modes: Sequence[str], traits: Mapping[str, str], faces: Collection[str], spread: float
) -> Middle:
    """What candidates lie about: `expected` [K], of which the last are the template's word `modes`.

    traits: what words say of age, gender and ancestry; `faces`: what they say of the face. spread: of ChoiceOptions.
    """
    plain, mean = len(expected) - len(modes), np.array(expected, np.float64)
    age = AGE_GROUPS.get(traits.get("age", ""))
    told = age is not None and age.name == BABY or not faces and bool({"age", "gender", "ancestry"} & traits.keys())
    deviation = np.full(len(expected), (TOLD if told else PEOPLE) * (1.0 if age is None else age.plain))
    for place, word in enumerate(modes, plain):
        if word in faces:
            mean[place] = max(mean[place], PLAINLY)
        deviation[place] = _deviation(word, traits, faces)
    return Middle(mean, spread * deviation)


def _deviation(word: str, traits: Mapping[str, str], faces: Collection[str]) -> float:
    if word in GENDER_MODES:
        return SAID if traits.get("gender") else UNSAID["gender"]
    if word in ANCESTRIES:
        return SAID if traits.get("ancestry") else UNSAID["ancestry"]
    if word in AGE_GROUPS:
        return SAID if word == traits.get("age") else 0.0
    return SAID if word in faces else UNSAID["face"]


def near(middle: Middle, like: Sequence[Sequence[float]]) -> Middle:
    """About the mean of candidates `like`, [K] each, and closer."""
    return Middle(np.mean(np.asarray(like, np.float64), 0), NEAR * middle.deviation)


def draw(middle: Middle, count: int, seed: Sequence[int]) -> np.ndarray:
    """[count, K] float32 coefficients; the same seed gives the same."""
    return np.concatenate(list(blocks(middle, count, seed)))


def blocks(middle: Middle, count: int, seed: Sequence[int]) -> Iterator[np.ndarray]:
    """The same, [B, K] at a time: a million of them are more than fits beside a head."""
    random = np.random.default_rng(list(seed))
    for size in (min(AT_ONCE, count - at) for at in range(0, count, AT_ONCE)):
        drawn = random.standard_normal((size, len(middle.mean)), np.float32)
        yield (middle.mean + middle.deviation * drawn).astype(np.float32)
