"""Words for builds, features and beings, and for what is drawn on a skin: what each asks for. Linear RGB 0..1.

A feature is added as one row of FEATURES and, where the template has no mode of it, as a shape in head/sculpt.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Amounts = Mapping[str, float]

# Features that the template's modes of words make, and those that are sculpted over it.
MODES = ("round face", "long face", "square face", "wide nose", "narrow nose", "full lips", "large ears", "heavy brow")
SCULPTED = (
    *("pointed ears", "full cheeks", "hollow cheeks", "high cheekbones", "double chin", "strong jaw", "narrow jaw"),
    *("pointed chin", "strong chin", "sunken eyes", "large eyes", "large nose", "small nose", "hooked nose"),
    *("thin lips", "thick neck", "thin neck", "hooded eyes", "upturned eyes"),
)
FEATURES = (*MODES, *SCULPTED)
OF_EYES = ("sunken eyes", "large eyes")  # that move what lies between the lids
# Of which nobody has both: who is given the one loses the other.
CONTRARY = (
    *(("large nose", "small nose"), ("wide nose", "narrow nose"), ("full lips", "thin lips")),
    *(("full cheeks", "hollow cheeks"), ("strong jaw", "narrow jaw"), ("thick neck", "thin neck")),
    *(("round face", "long face"),),
)
CONTRARY_TO: Mapping[str, str] = {one: other for pair in CONTRARY for one, other in (pair, pair[::-1])}
ONE_SIDED = ("pointed ears", "double chin", "hooked nose")  # of which nobody has less than none
UNREAL = ("pointed ears",)  # that no photo shows: those of a person of photos change where words name them


@dataclass(frozen=True)
class Figure:
    """Somebody whom a word describes: what it asks for of features, colours (words.paints), marks and drawings."""

    features: Amounts = field(default_factory=dict)
    colours: Mapping[str, str] = field(default_factory=dict)
    marks: Amounts = field(default_factory=dict)
    drawings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """What may be drawn on skin: what it is `made_of` (stages.edit.drawn.inks), its usual colour, and where it lies.

    takes: whether "a KIND of a star" may be of another form than its own.
    """

    name: str
    made_of: str
    colour: str
    place: str
    takes: bool = False


HEAVY = {"round face": 0.7, "full cheeks": 0.9, "double chin": 0.8, "thick neck": 0.7}
FAT = {name: 1.35 * amount for name, amount in HEAVY.items()}
GAUNT = {"hollow cheeks": 1.0, "high cheekbones": 0.6, "sunken eyes": 0.5, "thin neck": 0.5}
LEAN = {"hollow cheeks": 0.5, "high cheekbones": 0.3, "narrow jaw": 0.35, "thin neck": 0.5}
STRONG = {"thick neck": 1.0, "strong jaw": 0.9, "strong chin": 0.5}
FINE = {"narrow jaw": 0.6, "high cheekbones": 0.5, "small nose": 0.5, "pointed chin": 0.4}
# Words for a build, wherever they stand, and those that are one only of a person or a build.
BUILDS: Mapping[str, Amounts] = {
    **dict.fromkeys(("chubby", "plump", "pudgy", "tubby"), HEAVY),
    **dict.fromkeys(("overweight", "fat", "heavyset", "stout", "portly"), FAT),
    **dict.fromkeys(("obese", "morbidly"), {name: 1.7 * amount for name, amount in HEAVY.items()}),
    **dict.fromkeys(("gaunt", "emaciated", "haggard", "bony", "skeletal", "anorexic", "starved"), GAUNT),
    **dict.fromkeys(("skinny", "slim", "slender", "scrawny", "lanky", "underweight"), LEAN),
    **dict.fromkeys(("muscular", "athletic", "brawny", "burly", "stocky", "beefy"), STRONG),
}
OF_PERSONS: Mapping[str, Amounts] = {
    **dict.fromkeys(("thin", "lean", "slight"), LEAN),
    **dict.fromkeys(("heavy", "big", "large", "thick"), FAT),
    **dict.fromkeys(("strong", "robust"), STRONG),
    **dict.fromkeys(("delicate", "fine", "petite"), FINE),
}
BUILD_NOUNS = ("build", "built", "figure", "body", "frame", "features")
MORE_OF = {  # comparatives and what they are of
    **{"chubbier": "chubby", "plumper": "chubby", "fatter": "fat", "skinnier": "skinny", "slimmer": "slim"},
    **{"thinner": "thin", "leaner": "lean", "bigger": "big", "larger": "large", "smaller": "small", "wider": "wide"},
    **{"broader": "wide", "narrower": "narrow", "longer": "long", "rounder": "round", "squarer": "square"},
    **{"fuller": "full", "pointier": "pointed", "stronger": "strong", "thicker": "thick", "higher": "high"},
    **{"broad": "wide", "pointy": "pointed", "elf": "pointed", "elven": "pointed", "prominent": "big"},
    **{"plump": "full", "chubby": "full", "puffy": "full", "sunken": "hollow", "gaunt": "hollow"},
    **{"snub": "upturned", "sticking": "protruding", "receding": "weak"},
    **{"huge": "big", "tiny": "small", "little": "small", "slim": "thin", "slender": "thin"},
    **{"chiseled": "strong", "chiselled": "strong", "angular": "strong", "aquiline": "hooked", "roman": "hooked"},
    **{
        "crooked": "hooked",
        "oval": "long",
        "large": "big",
        "fleshy": "full",
        "heavier": "heavy",
        "button": "small",
    },
}
COMPARATIVES = frozenset(word for word in MORE_OF if word.endswith("er")) - {"slender"}
USUAL = ("normal", "ordinary", "human", "usual", "regular", "average")  # what has none of the features of its noun
# What the nouns of a face may be said to be.
NOUNS: Mapping[str, Mapping[str, Amounts]] = {
    "ears": {
        **{"pointed": {"pointed ears": 1.0}, "big": {"large ears": 1.0}, "small": {"large ears": -0.8}},
        **{"round": {"pointed ears": 0.0}, "protruding": {"large ears": 1.0}},
    },
    "cheeks": {"full": {"full cheeks": 1.0}, "hollow": {"hollow cheeks": 1.0}, "big": {"full cheeks": 1.0}},
    "cheekbones": dict.fromkeys(("high", "big", "strong"), {"high cheekbones": 1.0}),
    "jaw": {
        **dict.fromkeys(("strong", "square", "wide", "big", "heavy"), {"strong jaw": 1.0}),
        **dict.fromkeys(("narrow", "small", "thin"), {"narrow jaw": 1.0}),
    },
    "chin": {
        "pointed": {"pointed chin": 1.0},
        **dict.fromkeys(("narrow", "thin"), {"pointed chin": 0.8}),
        **dict.fromkeys(("wide", "square"), {"strong chin": 0.5, "pointed chin": -0.6}),
        "double": {"double chin": 1.0},
        **dict.fromkeys(("strong", "big"), {"strong chin": 1.0}),
        **dict.fromkeys(("weak", "small"), {"strong chin": -1.0}),
    },
    "nose": {
        **{"big": {"large nose": 1.0}, "long": {"large nose": 0.8, "narrow nose": 0.4}, "small": {"small nose": 1.0}},
        **{"wide": {"wide nose": 1.0}, "narrow": {"narrow nose": 1.0}, "thin": {"narrow nose": 1.0}},
        **{"hooked": {"hooked nose": 1.0}, "pointed": {"narrow nose": 0.8, "large nose": 0.4}},
        **{"flat": {"wide nose": 0.9, "large nose": -0.5}, "bulbous": {"large nose": 0.8, "wide nose": 0.6}},
        **{"upturned": {"hooked nose": -1.0, "small nose": 0.4}, "short": {"small nose": 0.8}},
    },
    "lips": {
        **dict.fromkeys(("full", "big", "thick"), {"full lips": 1.0}),
        **dict.fromkeys(("thin", "narrow", "small"), {"thin lips": 1.0}),
    },
    "eyes": {
        **{"hollow": {"sunken eyes": 1.0}, "big": {"large eyes": 1.0}, "small": {"large eyes": -0.8}},
        **{"bulging": {"sunken eyes": -1.0}, "narrow": {"large eyes": -0.6}, "wide": {"large eyes": 0.7}},
        **{"hooded": {"hooded eyes": 1.0}, "almond": {"upturned eyes": 0.7}, "upturned": {"upturned eyes": 1.0}},
        **{"downturned": {"upturned eyes": -1.0}, "slanted": {"upturned eyes": 1.0}},
    },
    "face": {
        **{"round": {"round face": 1.0}, "long": {"long face": 1.0}, "square": {"square face": 1.0}},
        **{"full": HEAVY, "hollow": GAUNT, "thin": LEAN, "narrow": LEAN, "wide": {"round face": 0.6}},
        **{"strong": STRONG, "bony": GAUNT, "fat": HEAVY, "skinny": LEAN},
        "heart": {"pointed chin": 0.8, "high cheekbones": 0.6, "narrow jaw": 0.4},
    },
    "neck": {"thick": {"thick neck": 1.0}, "big": {"thick neck": 1.0}, "thin": {"thin neck": 1.0}},
    "brow": {"heavy": {"heavy brow": 1.0}, "strong": {"heavy brow": 1.0}, "big": {"heavy brow": 1.0}},
}
FIGURES: Mapping[str, Figure] = {
    "elf": Figure({"pointed ears": 1.0, **FINE}),
    "fairy": Figure({"pointed ears": 0.7, **FINE, "large eyes": 0.5}),
    "zombie": Figure(
        {"sunken eyes": 1.2, "hollow cheeks": 1.3, "high cheekbones": 0.6, "thin lips": 0.4},
        {"skin": "rotten", "eyes": "dead", "lips": "rotten red", "lids": "bruised"},
        {"wrinkles": 0.8},
        ("decay",),
    ),
    "vampire": Figure(
        {"hollow cheeks": 0.5, "high cheekbones": 0.6, "sunken eyes": 0.4, "pointed ears": 0.25},
        {"skin": "deathly", "eyes": "red", "lips": "dark red", "lids": "bruised"},
    ),
    "goblin": Figure(
        {"pointed ears": 1.2, "large nose": 1.0, "hooked nose": 0.8, "heavy brow": 0.8, "pointed chin": 0.8},
        {"skin": "goblin", "eyes": "yellow", "lips": "goblin"},
        {"wrinkles": 1.0},
    ),
    "orc": Figure(
        {"pointed ears": 0.6, "heavy brow": 1.2, "strong jaw": 1.3, "thick neck": 1.0, "wide nose": 0.8},
        {"skin": "goblin", "eyes": "amber", "lips": "goblin"},
    ),
    "alien": Figure(
        {"large eyes": 1.3, "pointed chin": 1.0, "narrow jaw": 1.0, "small nose": 1.2, "thin lips": 0.8},
        {"skin": "alien", "eyes": "black", "lips": "alien"},
    ),
    "devil": Figure(
        {"pointed ears": 0.7, "high cheekbones": 0.6, "pointed chin": 0.7, "heavy brow": 0.5},
        {"skin": "crimson", "eyes": "yellow", "lips": "dark red"},
    ),
    "dwarf": Figure({"large nose": 0.8, "full cheeks": 0.5, "heavy brow": 0.6, "thick neck": 0.8, "wide nose": 0.5}),
    "clown": Figure(drawings=("clown",)),
}
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("tattoo", "ink", "ink", "temple", takes=True),
        Kind("facepaint", "paint", "white", "cheek", takes=True),
        Kind("warpaint", "paint", "blood red", "cheeks"),
        Kind("clown", "paint", "white", "face"),
        Kind("scar", "scar", "scarred", "cheek"),
        Kind("stitches", "ink", "ink", "forehead"),
        Kind("birthmark", "pigment", "port wine", "cheek"),
        Kind("mole", "pigment", "dark brown", "lip"),
        Kind("decay", "pigment", "decayed", "face"),
        Kind("eyeliner", "paint", "black", "eyes"),
        Kind("circles", "pigment", "bruised", "eyes"),
        Kind("acne", "pigment", "inflamed", "face"),
        Kind("agespots", "pigment", "light brown", "face"),
        Kind("vitiligo", "pigment", "unpigmented", "face"),
        Kind("bruise", "pigment", "bruised", "eye"),
        Kind("sunburn", "pigment", "inflamed", "face"),
        Kind("bloodstains", "paint", "blood red", "face"),
        Kind("dirt", "paint", "earth", "face"),
        Kind("bindi", "paint", "red", "forehead"),
        Kind("unibrow", "hair", "dark brown", "forehead"),
        Kind("soulpatch", "hair", "dark brown", "chin"),
        Kind("dimples", "dent", "scarred", "cheeks"),
        Kind("cleft", "dent", "scarred", "chin"),
    )
}
FORMS = ("star", "heart", "tear", "cross", "lightning", "web")  # of a tattoo or a painting
PLACES = ("forehead", "cheek", "cheeks", "chin", "nose", "temple", "neck", "lip", "eye", "face")
SIDES = ("left", "right")
