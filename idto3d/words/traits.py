"""The one table of the words for how people look: what each means for shape, hair, beard, skin and colour.

Traits are a mapping from ATTRIBUTES to words; what is not known is missing or empty. A word is added as one row; what
grows by no formula here also needs a function where it is grown (head/hair_volumes.py, head/beards.py, and for
synthetic people training/people). The order of hair styles, beards and skins is that of weights on disk: new ones come
last. Colours are linear RGB 0..1, lengths metres.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class HairStyle:
    """A way to wear hair. It is a shell over the scalp, `crown_m` thick on top and `sides_m` at the sides.

    ends_m: height to which it hangs beside and behind the face; None where it does not.
    curled: whether strands lie every way. said: what captions say in place of "STYLE COLOUR hair".
    before_hair: whether the word means hair only where "hair" follows. tied: whether what is long of it is bound
    behind the head. heard_as: the word for it of weights that never saw its own; synthetic people have no such style.
    when_short: what it is of short hair.
    The rest is for synthetic people. chances: relative frequency among babies, men and women. scalp_cover: share of
    the scalp's skin that is painted in the hair's colour. skin_shows: share of skin in its own colour. fringe: chance
    of hair over the forehead.
    """

    name: str
    crown_m: float
    sides_m: float
    chances: tuple[float, float, float]
    ends_m: float | None = None
    curled: bool = False
    said: str = ""
    before_hair: bool = False
    tied: bool = False
    scalp_cover: float = 0.9
    skin_shows: float = 0.0
    fringe: float = 0.0
    heard_as: str = ""
    when_short: str = ""

    @property
    def grows(self) -> bool:
        """Whether there is any hair."""
        return self.crown_m > 0


@dataclass(frozen=True)
class HairColour:
    """A colour of hair; under a `dyed` one brows and beard are NATURAL.

    alone: whether the word means hair wherever it stands. heard_as: the word for it of weights that never saw its own;
    synthetic people have no such colour.
    For synthetic people: relative frequency among younger, middle-aged and old ones of natural colours, and the factor
    on it where hair is curled.
    """

    name: str
    rgb: tuple[float, float, float]
    chances: tuple[float, float, float] = (0.0, 0.0, 0.0)
    curled: float = 1.0
    dyed: bool = False
    alone: bool = False
    heard_as: str = ""


@dataclass(frozen=True)
class Beard:
    """A beard that hides the share `cover` of the skin and is up to `depth_m` thick.

    said: what captions say. chances: relative frequency among synthetic younger and older men.
    """

    name: str
    cover: float
    depth_m: float
    said: str
    chances: tuple[float, float]

    @property
    def thickness_m(self) -> float:
        """Thickness that it has on average over people and its strands."""
        return USUAL_DEPTH * self.depth_m


@dataclass(frozen=True)
class Skin:
    """A skin tone: the least and most of its melanin, 0..1. hair: as of an Age."""

    name: str
    melanin: tuple[float, float]
    hair: str = ""


@dataclass(frozen=True)
class Age:
    """An age of people under `below` years; who is `small` is called by it alone ("a baby").

    hair: the colour of the hair of somebody of that age of which nothing is said; "" for that of anybody.

    For synthetic people: relative frequency, strengths of the shape modes of words, the share of gender and ancestry
    that shows, and that of the modes without words.
    """

    name: str
    below: int
    chance: float
    modes: Mapping[str, float]
    shown: float = 1.0
    plain: float = 1.0
    small: bool = False
    hair: str = ""


@dataclass(frozen=True)
class Gender:
    """A gender: the strength of the shape mode "female"."""

    name: str
    female: float


@dataclass(frozen=True)
class Ancestry:
    """An ancestry; skins: relative frequency of each skin among its synthetic people. hair: as of an Age."""

    name: str
    skins: Mapping[str, float] = field(default_factory=dict)
    hair: str = ""


def _by_name(*rows) -> dict:
    return {row.name: row for row in rows}


USUAL_DEPTH = 0.8
NEVER = (0.0, 0.0, 0.0)
STYLES: dict[str, HairStyle] = _by_name(
    HairStyle("bald", 0.0, 0.0, (0.40, 0.14, 0.03), said="bald head", scalp_cover=0.0),
    HairStyle("buzzcut", 0.004, 0.004, (0.25, 0.16, 0.04), scalp_cover=0.62, skin_shows=0.3),
    HairStyle("short", 0.018, 0.009, (0.27, 0.20, 0.08), before_hair=True, fringe=0.15),
    HairStyle("long", 0.020, 0.016, (0.0, 0.07, 0.20), ends_m=-0.155, before_hair=True, fringe=0.35),
    HairStyle("curly", 0.036, 0.032, (0.06, 0.12, 0.12), curled=True, before_hair=True),
    HairStyle("side-parted", 0.021, 0.008, (0.02, 0.15, 0.07)),
    HairStyle("afro", 0.020, 0.020, (0.0, 0.08, 0.08), curled=True),
    HairStyle("bob", 0.019, 0.016, (0.0, 0.02, 0.15), ends_m=-0.075, fringe=0.55),
    HairStyle("ponytail", 0.008, 0.007, (0.0, 0.03, 0.12), tied=True, fringe=0.2),
    HairStyle("bun", 0.008, 0.007, (0.0, 0.03, 0.11), tied=True),
    HairStyle("wavy", 0.022, 0.019, NEVER, ends_m=-0.135, before_hair=True, heard_as="long", when_short="messy"),
    HairStyle("messy", 0.027, 0.014, NEVER, before_hair=True, heard_as="short"),
    HairStyle("slicked", 0.015, 0.008, NEVER, before_hair=True, heard_as="short"),
    HairStyle("undercut", 0.027, 0.0035, NEVER, heard_as="side-parted"),
)
COLOURS: dict[str, HairColour] = _by_name(
    HairColour("black", (0.012, 0.010, 0.009), (0.29, 0.22, 0.05), curled=3.0),
    HairColour("brown", (0.085, 0.045, 0.022), (0.31, 0.30, 0.09), curled=1.4),
    HairColour("blonde", (0.48, 0.31, 0.13), (0.21, 0.16, 0.06), curled=0.5, alone=True),
    HairColour("red", (0.30, 0.085, 0.025), (0.15, 0.11, 0.04), curled=0.6),
    HairColour("grey", (0.28, 0.28, 0.28), (0.02, 0.17, 0.36)),
    HairColour("white", (0.75, 0.74, 0.72), (0.02, 0.04, 0.40)),
    HairColour("green", (0.05, 0.38, 0.08), dyed=True),
    HairColour("blue", (0.04, 0.12, 0.50), dyed=True),
    HairColour("pink", (0.75, 0.20, 0.40), dyed=True),
    HairColour("purple", (0.22, 0.05, 0.42), dyed=True),
    HairColour("light brown", (0.17, 0.095, 0.045), heard_as="brown"),
    HairColour("dark brown", (0.030, 0.017, 0.010), heard_as="brown"),
    HairColour("dark blonde", (0.26, 0.155, 0.062), heard_as="blonde", alone=True),
    HairColour("strawberry blonde", (0.45, 0.21, 0.085), heard_as="blonde", alone=True),
    HairColour("platinum", (0.72, 0.64, 0.48), heard_as="blonde"),
    HairColour("auburn", (0.125, 0.035, 0.016), heard_as="red", alone=True),
    HairColour("silver", (0.46, 0.47, 0.49), heard_as="grey"),
    HairColour("dark grey", (0.11, 0.11, 0.11), heard_as="grey"),
    HairColour("light grey", (0.48, 0.48, 0.48), heard_as="grey"),
    HairColour("orange", (0.70, 0.17, 0.02), dyed=True, heard_as="red"),
    HairColour("yellow", (0.80, 0.58, 0.06), dyed=True, heard_as="blonde"),
    HairColour("turquoise", (0.03, 0.42, 0.40), dyed=True, heard_as="blue"),
    HairColour("teal", (0.01, 0.16, 0.17), dyed=True, heard_as="blue"),
    HairColour("burgundy", (0.13, 0.010, 0.025), dyed=True, heard_as="red"),
    HairColour("magenta", (0.52, 0.02, 0.27), dyed=True, heard_as="pink"),
    HairColour("lavender", (0.46, 0.34, 0.66), dyed=True, heard_as="purple"),
    HairColour("dark red", (0.14, 0.016, 0.010), heard_as="red"),
    HairColour("light red", (0.44, 0.17, 0.075), heard_as="red"),
    HairColour("dark green", (0.012, 0.105, 0.028), dyed=True, heard_as="green"),
    HairColour("light green", (0.28, 0.62, 0.28), dyed=True, heard_as="green"),
    HairColour("dark blue", (0.010, 0.028, 0.16), dyed=True, heard_as="blue"),
    HairColour("light blue", (0.26, 0.50, 0.78), dyed=True, heard_as="blue"),
    HairColour("dark pink", (0.42, 0.05, 0.16), dyed=True, heard_as="pink"),
    HairColour("light pink", (0.82, 0.46, 0.54), dyed=True, heard_as="pink"),
    HairColour("dark purple", (0.070, 0.014, 0.14), dyed=True, heard_as="purple"),
)
USUAL_STYLE = "short"  # of somebody of whom nothing is known
NATURAL = "brown"  # of brows and beard under dyed hair
FACIAL_HAIR: dict[str, Beard] = _by_name(
    Beard("clean", 0.0, 0.0, "", (0.44, 0.38)),
    Beard("stubble", 0.42, 0.0, "stubble", (0.20, 0.14)),
    Beard("moustache", 0.94, 0.0045, "a moustache", (0.10, 0.14)),
    Beard("goatee", 0.94, 0.0065, "a goatee", (0.11, 0.12)),
    Beard("beard", 0.94, 0.0085, "a beard", (0.15, 0.22)),
)
SHAVEN = "clean"
BALD = "bald"
SKIN_TONES: dict[str, Skin] = _by_name(
    Skin("pale", (0.04, 0.20)),
    Skin("fair", (0.20, 0.38)),
    Skin("tan", (0.38, 0.58)),
    Skin("brown", (0.58, 0.78), "black"),
    Skin("dark", (0.78, 1.0), "black"),
)
AGE_GROUPS: dict[str, Age] = _by_name(
    Age("baby", 3, 0.12, {"baby": 1.0}, shown=0.35, plain=0.6, small=True),
    Age("child", 13, 0.14, {"child": 1.0}, shown=0.6, plain=0.8, small=True),
    Age("young", 40, 0.38, {}),
    Age("middle-aged", 60, 0.16, {"old": 0.45}),
    Age("old", 1000, 0.20, {"old": 1.0}, hair="grey"),
)
GENDER_MODES: dict[str, Gender] = _by_name(Gender("female", 0.5), Gender("male", -0.5))
ANYBODY = Ancestry("", {"pale": 0.18, "fair": 0.26, "tan": 0.22, "brown": 0.18, "dark": 0.16})
ANCESTRY_SKINS: dict[str, Ancestry] = _by_name(
    Ancestry("african", {"fair": 0.03, "tan": 0.13, "brown": 0.41, "dark": 0.43}, hair="black"),
    Ancestry("asian", {"pale": 0.14, "fair": 0.44, "tan": 0.34, "brown": 0.08}, hair="black"),
    Ancestry("caucasian", {"pale": 0.34, "fair": 0.42, "tan": 0.19, "brown": 0.05}),
)
# What somebody of an age and a gender may be called: "woman" for a young female.
NOUNS = {("young", "female"): "woman", ("young", "male"): "man", ("child", "female"): "girl", ("child", "male"): "boy"}

HAIR_STYLES, HAIR_COLOURS, BEARDS, SKINS = tuple(STYLES), tuple(COLOURS), tuple(FACIAL_HAIR), tuple(SKIN_TONES)
TAUGHT_STYLES = tuple(style.name for style in STYLES.values() if not style.heard_as)  # those of synthetic people
TAUGHT_COLOURS = tuple(colour.name for colour in COLOURS.values() if not colour.heard_as)  # likewise
AGES, GENDERS, ANCESTRIES = tuple(AGE_GROUPS), tuple(GENDER_MODES), tuple(ANCESTRY_SKINS)
SMALL = tuple(age.name for age in AGE_GROUPS.values() if age.small)
ATTRIBUTES = {
    **{"hair_style": HAIR_STYLES, "hair_colour": HAIR_COLOURS, "beard": BEARDS, "skin": SKINS},
    **{"age": AGES, "gender": GENDERS, "ancestry": ANCESTRIES},
}


def natural_colour(hair_colour: str) -> HairColour | None:
    """The colour of brows and beard with hair of that colour; None for a word that is no colour of hair."""
    colour = COLOURS.get(hair_colour)
    return COLOURS[NATURAL] if colour and colour.dyed else colour


def usual_colour(traits: Mapping[str, str]) -> str:
    """The colour of hair of somebody with `traits` of whose hair nothing is said; "" for that of anybody."""
    told = (("age", AGE_GROUPS), ("skin", SKIN_TONES), ("ancestry", ANCESTRY_SKINS))
    colours = [table[word].hair for name, table in told if (word := traits.get(name, "")) in table]
    return next(filter(None, colours), "")


def taught() -> dict[str, tuple[str, ...]]:
    """The words of each of ATTRIBUTES that synthetic people show, and weights are trained with."""
    return ATTRIBUTES | {"hair_style": TAUGHT_STYLES, "hair_colour": TAUGHT_COLOURS}
