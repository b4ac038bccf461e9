"""Hair and beards in words: the named styles and colours, and how likely each is on whom."""

import numpy as np

from idto3d.words.looks import BEARDS, DYED
from idto3d.words.looks import HAIR_COLOURS as COLOURS
from idto3d.words.looks import HAIR_STYLES as STYLES

DYED_CHANCE = 0.055  # of each
# Chance of each of STYLES.
STYLE_CHANCE = {
    "baby": (0.40, 0.25, 0.27, 0.0, 0.06, 0.02, 0.0, 0.0, 0.0, 0.0),
    "male": (0.14, 0.16, 0.20, 0.07, 0.12, 0.15, 0.08, 0.02, 0.03, 0.03),
    "female": (0.03, 0.04, 0.08, 0.20, 0.12, 0.07, 0.08, 0.15, 0.12, 0.11),
}
# Chance of each natural colour, in the order of COLOURS.
COLOUR_CHANCE = {
    "old": (0.05, 0.09, 0.06, 0.04, 0.36, 0.40),
    "middle-aged": (0.22, 0.30, 0.16, 0.11, 0.17, 0.04),
    "younger": (0.29, 0.31, 0.21, 0.15, 0.02, 0.02),
}
BEARD_CHANCE = {"young": (0.44, 0.20, 0.10, 0.11, 0.15), "older": (0.38, 0.14, 0.14, 0.12, 0.22)}


def draw_hair(random: np.random.Generator, gender: str, age: str) -> tuple[str, str]:
    """A style of STYLES and a colour of COLOURS, as likely as they are on people of that `gender` and `age`.

    Dyed colours are as frequent as a model needs to learn their words; afros and curls are black more often.
    """
    style = str(random.choice(STYLES, p=STYLE_CHANCE["baby" if age == "baby" else gender]))
    chance = np.array(COLOUR_CHANCE.get(age, COLOUR_CHANCE["younger"]))
    if style in ("afro", "curly"):
        chance = chance * (3.0, 1.4, 0.5, 0.6, 1.0, 1.0)
    dyed = 0.0 if age == "baby" else DYED_CHANCE
    chance = np.concatenate([chance / chance.sum() * (1 - len(DYED) * dyed), np.full(len(DYED), dyed)])
    return style, str(random.choice(list(COLOURS), p=chance / chance.sum()))


def draw_beard(random: np.random.Generator, gender: str, age: str) -> str:
    """One of BEARDS; women, babies and children are clean."""
    if gender != "male" or age in ("baby", "child"):
        return "clean"
    return str(random.choice(BEARDS, p=BEARD_CHANCE["older" if age in ("middle-aged", "old") else "young"]))
