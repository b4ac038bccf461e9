"""Whose hair and beard is of which style and colour: how likely each is on whom."""

from collections.abc import Mapping

import numpy as np

from idto3d.words.traits import COLOURS, FACIAL_HAIR, SHAVEN, SMALL, STYLES

DYED_CHANCE = 0.055  # of each


def draw_hair(random: np.random.Generator, gender: str, age: str) -> tuple[str, str]:
    """A style of STYLES and a colour of COLOURS, as likely as they are on people of that `gender` and `age`.

    Dyed colours are as frequent as a model needs to learn their words; afros and curls are black more often.
    """
    wearer = ("baby", "male", "female").index("baby" if age == "baby" else gender)
    style = draw_word(random, {style.name: style.chances[wearer] for style in STYLES.values()})
    return style, draw_word(random, _colour_chances(age, STYLES[style].curled))


def _colour_chances(age: str, curled: bool) -> dict[str, float]:
    """The chance of each of COLOURS whose word weights hear; natural ones share what dyed ones leave."""
    group = {"middle-aged": 1, "old": 2}.get(age, 0)
    worn = [colour for colour in COLOURS.values() if not colour.heard_as]
    natural = {c.name: c.chances[group] * (c.curled if curled else 1.0) for c in worn if not c.dyed}
    dyed = dict.fromkeys((c.name for c in worn if c.dyed), 0.0 if age == "baby" else DYED_CHANCE)
    left = (1 - len(dyed) * max(dyed.values(), default=0.0)) / sum(natural.values())
    return {name: chance * left for name, chance in natural.items()} | dyed


def draw_beard(random: np.random.Generator, gender: str, age: str) -> str:
    """One of FACIAL_HAIR; women, babies and children are clean."""
    if gender != "male" or age in SMALL:
        return SHAVEN
    group = int(age in ("middle-aged", "old"))
    return draw_word(random, {beard.name: beard.chances[group] for beard in FACIAL_HAIR.values()})


def draw_word(random: np.random.Generator, chances: Mapping[str, float]) -> str:
    """One of the words of `chances`, relative frequencies; one draw."""
    chance = np.array(list(chances.values()))
    return str(random.choice(list(chances), p=chance / chance.sum()))
