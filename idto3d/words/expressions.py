"""The thirteen expressions: their names, descriptors for the guidance, and ICT-FaceKit recipes.

Eight of the names are those shown by the ID-to-3D paper; the set of thirteen is ours. A recipe maps ICT-FaceKit
shape names to weights 0..1; a name without a side (`browDown`) stands for both of its sides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from idto3d.errors import UserError, shown


@dataclass(frozen=True)
class Expression:
    """One named expression; `descriptor` is the text whose embedding conditions the guidance."""

    name: str
    descriptor: str
    recipe: Mapping[str, float] = field(default_factory=dict)


EXPRESSIONS = (
    Expression("neutral", "relaxed face, lips closed, eyes open"),
    Expression("smile", "broad closed lip smile", {"mouthSmile": 0.8, "cheekSquint": 0.4}),
    Expression(
        "grin",
        "teeth showing, lips pulled wide",
        {"mouthSmile": 0.6, "mouthUpperUp": 0.6, "mouthLowerDown": 0.6, "mouthStretch": 0.3, "jawOpen": 0.08},
    ),
    Expression("mouth stretch", "jaw dropped, mouth wide open", {"jawOpen": 0.9}),
    Expression(
        "anger",
        "brows pressed down, lips tight",
        {
            **{"browDown": 1.0, "browOuterUp": 0.2, "noseSneer": 0.3, "eyeSquint": 0.5},
            **{"mouthPress": 1.0, "mouthShrugLower": 0.4, "mouthFrown": 0.3, "mouthRollLower": 0.25},
        },
    ),
    Expression(
        "sadness",
        "inner brows up, mouth corners down",
        {"browInnerUp": 1.0, "mouthFrown": 0.8, "mouthShrugLower": 0.3},
    ),
    Expression("eyes closed", "both lids shut, calm face", {"eyeBlink": 1.0}),
    Expression("brow raised", "both brows lifted, eyes wide", {"browInnerUp": 1.0, "browOuterUp": 1.0, "eyeWide": 0.4}),
    Expression("brow lowerer", "brows lowered, slight frown", {"browDown": 1.0, "eyeSquint": 0.3}),
    Expression("cheeks puffed", "cheeks blown out, lips sealed", {"cheekPuff": 1.0, "mouthPucker": 0.2}),
    Expression("dimpler", "mouth corners tucked in", {"mouthDimple": 1.0}),
    Expression("lip roll", "both lips rolled over the teeth", {"mouthRollUpper": 1.0, "mouthRollLower": 1.0}),
    Expression(
        "squeeze",
        "whole face scrunched, eyes shut tight",
        {"eyeBlink": 0.9, "eyeSquint": 1.0, "noseSneer": 1.0, "browDown": 1.0, "cheekSquint": 1.0, "mouthPress": 0.6},
    ),
)
NAMES = tuple(expression.name for expression in EXPRESSIONS)
SETS = {
    "1": ("neutral",),
    "3": ("neutral", "mouth stretch", "eyes closed", "brow raised"),
    "6": ("neutral", "smile", "mouth stretch", "eyes closed", "brow raised", "anger", "cheeks puffed"),
    "13": NAMES,
}


def expression(name: str) -> Expression:
    """The expression called `name`. Raises UserError when there is none."""
    for candidate in EXPRESSIONS:
        if candidate.name == name:
            return candidate
    raise UserError(f"There is no expression named '{shown(name)}'.", f"Choose from: {', '.join(NAMES)}.")


def chosen(text: str) -> tuple[str, ...]:
    """Expression names from `1`, `3`, `6`, `13` or a comma-separated list; neutral always comes first."""
    if text in SETS:
        return SETS[text]
    names = [expression(part.strip().lower()).name for part in text.split(",") if part.strip()]
    return ("neutral", *dict.fromkeys(name for name in names if name != "neutral"))
