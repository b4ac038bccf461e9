"""The colours that words give to eyes, lips, brows and so on, and the marks that they put on skin. Linear RGB 0..1.

A paint is added as one row, or as one of the colours of hair, all of which are paints too.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idto3d.words.traits import COLOURS

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Paint:
    """A colour. `rgb` is what its word means in general, `on` by BEARERS or for a drawing where it is another one."""

    name: str
    rgb: RGB
    on: Mapping[str, RGB] = field(default_factory=dict)

    def rgb_on(self, bearer: str) -> RGB:
        """What the word means for one of BEARERS, or a "drawing": blue eyes are far from blue lips."""
        return self.on.get("eyes" if bearer in ONE_EYE else bearer, self.rgb)


@dataclass(frozen=True)
class Bearer:
    """What can be painted: the words for it, and the paint that its `cosmetics` mean without a colour."""

    name: str
    nouns: tuple[str, ...]
    cosmetics: tuple[str, ...] = ()
    usual: str = ""


ONE_EYE = ("left eye", "right eye")  # of BEARERS: each alone
EYES = {
    **{"blue": (0.075, 0.115, 0.165), "light blue": (0.14, 0.20, 0.26), "dark blue": (0.025, 0.045, 0.09)},
    **{"green": (0.065, 0.105, 0.050), "light green": (0.12, 0.17, 0.085), "dark green": (0.03, 0.05, 0.022)},
    **{"brown": (0.055, 0.026, 0.011), "light brown": (0.11, 0.055, 0.02), "dark brown": (0.022, 0.011, 0.006)},
    **{"grey": (0.13, 0.14, 0.15), "dark grey": (0.055, 0.06, 0.065), "light grey": (0.21, 0.22, 0.23)},
    **{"black": (0.009, 0.007, 0.006), "purple": (0.10, 0.055, 0.19), "turquoise": (0.05, 0.16, 0.165)},
    **{"red": (0.22, 0.018, 0.014), "yellow": (0.36, 0.22, 0.03), "orange": (0.30, 0.10, 0.015)},
}
LIPS = {
    **{"red": (0.36, 0.018, 0.024), "dark red": (0.145, 0.008, 0.014), "pink": (0.52, 0.13, 0.20)},
    **{"light pink": (0.62, 0.27, 0.29), "dark pink": (0.36, 0.05, 0.11), "brown": (0.15, 0.055, 0.035)},
    **{"dark brown": (0.062, 0.022, 0.015), "light brown": (0.27, 0.125, 0.082), "orange": (0.58, 0.10, 0.03)},
    **{"purple": (0.17, 0.025, 0.16), "burgundy": (0.115, 0.008, 0.022), "black": (0.014, 0.012, 0.013)},
}
CHEEKS = {"red": (0.46, 0.085, 0.075), "pink": (0.56, 0.17, 0.18), "orange": (0.56, 0.20, 0.09)}
SKIN = {
    **{"red": (0.28, 0.045, 0.036), "blue": (0.075, 0.17, 0.38), "green": (0.125, 0.20, 0.085)},
    **{"purple": (0.20, 0.10, 0.33), "grey": (0.22, 0.225, 0.225), "pink": (0.62, 0.27, 0.32)},
    **{"orange": (0.55, 0.19, 0.05), "yellow": (0.58, 0.42, 0.09)},
}
DRAWN = {
    **{"red": (0.42, 0.014, 0.012), "dark red": (0.16, 0.006, 0.006), "blue": (0.018, 0.075, 0.42)},
    **{"dark blue": (0.010, 0.022, 0.15), "green": (0.020, 0.21, 0.040), "brown": (0.085, 0.040, 0.018)},
    **{"yellow": (0.80, 0.52, 0.02), "orange": (0.75, 0.17, 0.01), "black": (0.010, 0.010, 0.011)},
}
ON = {"skin": SKIN, "eyes": EYES, "lips": LIPS, "cheeks": CHEEKS, "drawing": DRAWN}
OTHERS: dict[str, RGB] = {  # than the colours of hair
    **{"hazel": (0.075, 0.058, 0.026), "amber": (0.17, 0.075, 0.014), "smoky": (0.035, 0.033, 0.036)},
    **{"nude": (0.40, 0.175, 0.13), "coral": (0.60, 0.13, 0.085), "peach": (0.62, 0.26, 0.16)},
    **{"plum": (0.11, 0.017, 0.055), "gold": (0.48, 0.30, 0.07), "bronze": (0.21, 0.105, 0.04)},
    "grey green": (0.160, 0.185, 0.135),
}
OF_FIGURES: dict[str, RGB] = {  # of beings and of drawings, which no word for a colour means
    **{"rotten": (0.140, 0.158, 0.105), "rotten red": (0.085, 0.038, 0.036), "bruised": (0.090, 0.050, 0.062)},
    **{"deathly": (0.560, 0.505, 0.480), "goblin": (0.115, 0.150, 0.052), "alien": (0.310, 0.370, 0.300)},
    **{"crimson": (0.280, 0.040, 0.032), "dead": (0.320, 0.345, 0.340), "decayed": (0.075, 0.040, 0.032)},
    **{"ink": (0.012, 0.016, 0.022), "blood red": (0.300, 0.012, 0.010), "scarred": (0.560, 0.330, 0.290)},
    **{"port wine": (0.260, 0.075, 0.075), "inflamed": (0.42, 0.120, 0.095), "unpigmented": (0.80, 0.62, 0.54)},
    **{"earth": (0.060, 0.040, 0.026)},
}
PAINTS: dict[str, Paint] = {
    name: Paint(name, rgb, {bearer: own[name] for bearer, own in ON.items() if name in own})
    for name, rgb in ({name: colour.rgb for name, colour in COLOURS.items()} | OTHERS).items()
}


def paint_of(name: str) -> Paint:
    """The paint of that name, of words or of figures. Raises KeyError for none."""
    return PAINTS[name] if name in PAINTS else Paint(name, OF_FIGURES[name])


BEARERS: dict[str, Bearer] = {
    bearer.name: bearer
    for bearer in (
        Bearer("skin", ("skin", "complexion")),
        Bearer("eyes", ("eyes", "eye", "iris", "irises")),
        Bearer("left eye", ("left eye",)),
        Bearer("right eye", ("right eye",)),
        Bearer("lips", ("lips", "lip", "mouth"), ("lipstick", "lipgloss"), "red"),
        Bearer("brows", ("brows",)),
        Bearer("beard", ("beard", "goatee", "moustache", "stubble")),
        Bearer("cheeks", ("cheeks", "cheek"), ("blush", "rouge", "blusher"), "pink"),
        Bearer("lids", ("lids",), ("eyeshadow",), "smoky"),
        Bearer("lashes", ("lashes",), ("mascara",), "black"),
    )
}
MAKEUP = {"lips": "red", "cheeks": "pink", "lids": "smoky", "lashes": "black"}  # what "make-up" alone puts on
BROWS_MARK = "full brows"  # under 0 finer ones
MARKS = ("freckles", "wrinkles", BROWS_MARK)  # what edits put on skin, and take away
