"""What photos say together of how somebody looks. Imports no torch."""

from collections.abc import Mapping, Sequence

import numpy as np

from idto3d.words.traits import FACIAL_HAIR, SHAVEN

TOLD = ("hair_style", "hair_colour", "beard", "skin")  # attributes that photos may say
# Shares of a face's outline that masks take for a beard, where there is none and where there is one. Of ten photos two
# show beards, with 0.18 and 0.22, the others have 0.00; the encoder alone took one of the two for clean, sure of it.
SHADE, GROWN = 0.02, 0.08
FULL = "beard"  # the word for a beard of which only the masks tell
SURE = 0.5  # mean chance at which an attribute is believed


def corrected(traits: Mapping[str, Mapping[str, float]], shares: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """`traits` of one photo, the beard as its masks show it; `shares` of the face's outline by region.

    Which beard it is, the encoder says where it thought of one; of stubble masks know nothing.
    """
    if "beard" not in traits:
        return dict(traits)
    said, grown = traits["beard"], float(np.clip((shares["beard"] - SHADE) / (GROWN - SHADE), 0, 1))
    stands = {word: chance for word, chance in said.items() if FACIAL_HAIR[word].depth_m > 0}
    thought = sum(stands.values())
    fewer = grown / thought if grown < thought else 1.0
    less = (1 - grown) / (1 - thought) if grown > thought else 1.0
    chances = {word: chance * (fewer if word in stands else less) for word, chance in said.items()}
    word = SHAVEN if grown < thought else FULL
    return {**traits, "beard": {**chances, word: chances[word] + 1 - sum(chances.values())}}


def agreed(traits: Sequence[dict[str, dict[str, float]]]) -> dict[str, str]:
    """For each of TOLD the word whose mean chance over the photos that tell it is at least SURE; others are left out.

    Age, gender and ancestry are for the user to say: a guess at them can offend, and hair and skin show anyway.
    """
    found = {}
    for name, chances in mean_chances(traits).items():
        word = max(chances, key=chances.get)
        if chances[word] >= SURE:
            found[name] = word
    return found


def mean_chances(traits: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """For each of TOLD that any of the photos tells, the mean chance of each of its words over those photos."""
    found = {}
    for name in TOLD:
        told = [photo[name] for photo in traits if name in photo]
        if told:
            found[name] = {word: float(np.mean([photo[word] for photo in told])) for word in told[0]}
    return found
