"""Ways a face can be, and the tokens of a scorer: how each is called here, and what says it in a prompt.

A way is added as one row; a measure of it (training/scorer/measures.py) lets a scorer learn it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from idto3d.words.looks.patterns import PERSONS
from idto3d.words.traits import AGES, ANCESTRIES, BEARDS, GENDERS, SKINS, TAUGHT_COLOURS, TAUGHT_STYLES


@dataclass(frozen=True)
class FaceWay:
    """One way a face can be: its `name` here, `adjectives` that say it of one of the `nouns`, and `alone` words."""

    name: str
    adjectives: tuple[str, ...] = ()
    nouns: tuple[str, ...] = ()
    alone: tuple[str, ...] = ()


LARGE = ("big", "large", "huge", "enormous", "giant", "prominent", "oversized", "massive")
LITTLE = ("small", "little", "tiny", "petite")
NOSE, LIPS, MOUTH, EYES = ("nose",), ("lips", "lip"), ("mouth",), ("eyes",)
CHIN, JAW, EARS, FACE = ("chin",), ("jaw", "jawline", "jaws"), ("ears",), ("face", "head")
CHEEKBONES, BROW, FOREHEAD = ("cheekbones", "cheekbone"), ("brow", "brows", "brow ridge"), ("forehead",)
WAYS = (
    FaceWay("round face", ("round", "rounded", "moon"), FACE, ("round-faced",)),
    FaceWay("long face", ("long", "elongated", "oval", "oblong"), FACE, ("long-faced",)),
    FaceWay("square face", ("square", "boxy", "angular"), FACE, ("square-faced",)),
    FaceWay("wide nose", ("wide", "broad", "flat", "bulbous"), NOSE),
    FaceWay("narrow nose", ("narrow", "thin", "slim", "slender", "fine"), NOSE),
    FaceWay("long nose", ("long", "hooked", "aquiline", "beaky"), NOSE),
    FaceWay("short nose", ("short", "snub", "button", "upturned"), NOSE, ("snub-nosed",)),
    FaceWay("big nose", LARGE, NOSE, ("big-nosed",)),
    FaceWay("small nose", LITTLE, NOSE),
    FaceWay("full lips", ("full", "thick", "plump", "fleshy", "voluptuous", *LARGE), LIPS),
    FaceWay("thin lips", ("thin", "narrow", *LITTLE), LIPS, ("thin-lipped",)),
    FaceWay("wide mouth", ("wide", "broad", *LARGE), MOUTH),
    FaceWay("small mouth", ("narrow", *LITTLE), MOUTH),
    FaceWay("big eyes", ("wide", "round", *LARGE), EYES, ("big-eyed", "wide-eyed", "doe-eyed")),
    FaceWay("small eyes", ("narrow", "beady", *LITTLE), EYES),
    FaceWay("wide-set eyes", ("wide-set", "widely spaced", "far apart"), EYES),
    FaceWay("close-set eyes", ("close-set", "closely spaced", "close together"), EYES),
    FaceWay("sunken eyes", ("sunken", "deep-set", "hollow", "deep"), EYES, ("hollow-eyed",)),
    FaceWay("heavy brow", ("heavy", "strong", "prominent", "thick", "bony", "low"), BROW),
    FaceWay("strong chin", ("strong", "prominent", "protruding", "long", "big", "large"), CHIN),
    FaceWay("weak chin", ("weak", "receding", "short", *LITTLE), CHIN, ("chinless",)),
    FaceWay("pointed chin", ("pointed", "pointy", "sharp", "narrow"), CHIN),
    FaceWay("strong jaw", ("strong", "square", "wide", "broad", "heavy", "chiseled", "chiselled"), JAW),
    FaceWay("narrow jaw", ("narrow", "slim", "slender", "delicate", "thin"), JAW),
    FaceWay("high cheekbones", ("high", "prominent", "strong", "sharp", "defined"), CHEEKBONES),
    FaceWay("large ears", LARGE, EARS, ("big-eared",)),
    FaceWay("small ears", LITTLE, EARS),
    FaceWay("high forehead", ("high", "tall", "broad", *LARGE), FOREHEAD),
    FaceWay("low forehead", ("low", "short", *LITTLE), FOREHEAD),
    FaceWay(
        "chubby face",
        ("chubby", "fat", "plump", "fleshy", "puffy", "full", "wide", "broad"),
        (*FACE, "cheeks"),
        ("chubby", "fat", "plump", "overweight", "obese", "chunky", "stout", "heavyset", "corpulent"),
    ),
    FaceWay(
        "gaunt face",
        ("gaunt", "thin", "narrow", "bony", "slim", "slender", "lean", "hollow", "sunken"),
        (*FACE, "cheeks"),
        (
            *("gaunt", "skinny", "slim", "slender", "lean", "haggard", "emaciated", "bony", "scrawny"),
            *(f"thin {person}" for person in (*PERSONS, "old man", "old woman", "young man", "young woman")),
        ),
    ),
)
FACES: Mapping[str, FaceWay] = {way.name: way for way in WAYS}
OPPOSED = (  # of which nobody is both
    ("round face", "long face", "square face"),
    ("wide nose", "narrow nose"),
    ("long nose", "short nose"),
    ("big nose", "small nose"),
    ("full lips", "thin lips"),
    ("wide mouth", "small mouth"),
    ("big eyes", "small eyes"),
    ("wide-set eyes", "close-set eyes"),
    ("strong chin", "weak chin"),
    ("strong jaw", "narrow jaw"),
    ("large ears", "small ears"),
    ("high forehead", "low forehead"),
    ("chubby face", "gaunt face"),
)
# The sculpted features (words.figures.table) that show the same as a way: who was chosen for it has some of them.
# A gaunt face is not here: whom the scorer finds has a narrow one, and no hollow cheeks, which no mode of people has.
SCULPTED_AS: Mapping[str, tuple[str, ...]] = {
    **{"big nose": ("large nose",), "small nose": ("small nose",), "long nose": ("hooked nose",)},
    **{"thin lips": ("thin lips",), "big eyes": ("large eyes",), "small eyes": ("large eyes",)},
    **{"sunken eyes": ("sunken eyes",), "strong chin": ("strong chin",), "pointed chin": ("pointed chin",)},
    **{"strong jaw": ("strong jaw",), "narrow jaw": ("narrow jaw",), "high cheekbones": ("high cheekbones",)},
    **{"chubby face": ("full cheeks", "double chin", "thick neck")},
}
WHO = (*AGES, *GENDERS, *ANCESTRIES)
GLASSES = "glasses"
# What a picture without colours cannot show; named apart, for "brown" is hair's and skin's.
LOOKS = (
    *(f"{style} hair" for style in TAUGHT_STYLES),
    *(f"{colour} hair colour" for colour in TAUGHT_COLOURS),
    *(f"{skin} skin" for skin in SKINS),
    *(f"beard {beard}" for beard in BEARDS),
    GLASSES,
)
TOKENS = (*WHO, *FACES, *LOOKS)  # the order of weights on disk: new ones come last
