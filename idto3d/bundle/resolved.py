"""What a run's options come to with the weights that it is made with, and what these weights cannot serve."""

from dataclasses import replace
from typing import TypeVar

from idto3d.bundle.info import BundleInfo
from idto3d.config import AUTO, HeadOptions
from idto3d.errors import UserError

Value = TypeVar("Value")


def resolved(options: HeadOptions, info: BundleInfo) -> HeadOptions:
    """`options` in which the weights' own values stand where the options leave them to the weights (None).

    They are the sides of pictures (details are carved on those of colours) and the anchors of shape and material.
    Timesteps and strengths stay open: each guidance that is asked has its own.
    """
    own, shape, material = info.stages, options.shape, options.material
    return replace(
        options,
        shape=replace(
            shape,
            image_size=_or(shape.image_size, own.shape_image_size),
            anchor=_or(shape.anchor, own.shape_anchor),
        ),
        carving=replace(options.carving, image_size=_or(options.carving.image_size, own.material_image_size)),
        material=replace(
            material,
            image_size=_or(material.image_size, own.material_image_size),
            anchor=_or(material.anchor, own.material_anchor),
        ),
    )


def _or(asked: Value | None, own: Value) -> Value:
    return own if asked is None else asked


def expect_served(options: HeadOptions, info: BundleInfo, on: str) -> None:
    """Raise UserError for options that a bundle cannot serve on the kind of device `on`, "cpu" or "cuda".

    Nothing but bundle.json is needed for it, so that it can be said before anything is fetched.
    """
    if info.in_words() and options.guidance.lambda_exp:
        raise UserError(
            f"The weights '{info.name}' have no expression branch.",
            "Leave guidance.lambda_exp at 0; expressions are asked for in words.",
        )
    if unlearned := _unlearned(options, info):
        what = f"The weights '{info.name}' never learned to show {', '.join(unlearned)}."
        raise UserError(what, f"Choose from: {', '.join(info.expressions)}.")
    if info.heavy() and options.device == AUTO and on == "cpu":
        raise too_heavy(f"The weights '{info.name}'")


def _unlearned(options: HeadOptions, info: BundleInfo) -> list[str]:
    """The expressions asked for that an expression branch would be asked about without having learned them."""
    asked = options.guidance.lambda_exp
    heeded = info.lambda_exp if asked is None else asked
    if info.in_words() or not heeded:
        return []
    return [name for name in options.expressions if name not in info.expressions]


def too_heavy(which: str) -> UserError:
    """The refusal of weights that want a graphics card where there is none and nobody asked for a CPU."""
    what = f"{which} take hours for a head without a graphics card, and none was found."
    return UserError(what, "Ask for the CPU to use them all the same (--device cpu), or choose the weights embedded.")
