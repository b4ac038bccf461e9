"""What options are refused before any work is done. The range of each stands beside it in config/."""

import math
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib.util import find_spec
from pathlib import Path

from idto3d.config import AnimateOptions, EditOptions, HeadOptions, RenderOptions
from idto3d.errors import UserError, shown
from idto3d.words import expressions
from idto3d.words.arkit import ARKIT
from idto3d.words.corrections import corrections_of
from idto3d.words.traits import ATTRIBUTES

WEIGHTS = "Give embedded, community, a folder, or ORG/REPO."
LARGEST = 2.0**64  # of an option's number
LONGEST_NAME, LONGEST_PATH = 255, 4096  # bytes that a file system takes
LEAST_PREVIEW = 16  # pixels of the side of an animation's preview
LONGEST_PICTURE = 4 << 20  # letters of a mask or a sketch that options carry
TOO_LARGE = {
    "mask": "Paint one in plain black and white, of at most 1024 pixels.",
    "sketch": "Draw one in few colours, of at most 1024 pixels, with nothing around it.",
}


def path_of(text: str) -> Path:
    """`text` as a path that a file system may hold. Raises UserError."""
    data = os.fsencode(text) if "\0" not in text else b""
    if not data or len(data) > LONGEST_PATH or any(len(name) > LONGEST_NAME for name in data.split(b"/")):
        raise UserError(f"'{shown(text)}' is no path.", "Give the path of a file or a folder.")
    return Path(text)


def checked(options: HeadOptions) -> HeadOptions:
    """`options` as they are. Raises UserError that names the first one that no head can be made with."""
    _check_fields(options)
    _check_expressions(options.expressions)
    _check_corrections(options)
    check_upscaler(options.export.upscaler)
    if options.shape.meshes == "each" and options.shape.carrier != "tets":
        raise UserError(
            "The template has the same mesh in every expression.",
            "Set shape.carrier=tets with shape.meshes=each, or leave shape.meshes=shared.",
        )
    if not options.weights.strip():
        raise UserError("No weights are named.", WEIGHTS)
    if not options.weights.isprintable() or len(options.weights) > LONGEST_PATH:
        raise UserError(f"'{shown(options.weights)}' is no name of weights.", WEIGHTS)
    return options


def checked_view(options: RenderOptions) -> RenderOptions:
    """`options` as they are. Raises UserError that names the first one that nothing can be drawn with.

    Whether its light exists is for the front door to say.
    """
    _check_fields(options)
    for name, weight in options.expressions:
        if name not in ARKIT:
            expressions.expression(name)
        if not (_is_number(weight) and 0 <= weight <= 1):
            raise UserError(f"{name} cannot have the weight {shown(weight)}.", "Give a number from 0 to 1.")
    return options


def checked_edit(options: EditOptions) -> EditOptions:
    """`options` as they are. Raises UserError that names the first one that no head can be edited with.

    Whether its pictures can be read is for the front door to say, whether its words mean anything for the edit. A
    sketch needs no words.
    """
    _check_fields(options)
    if not (options.prompt.strip() or options.sketch):
        raise UserError("Nothing is asked for.", 'Say what is to change, e.g. "green hair".')
    for name, remedy in TOO_LARGE.items():
        if len(getattr(options, name)) > LONGEST_PICTURE:
            raise UserError(f"The {name} is too large.", remedy)
    return options


def checked_motion(options: AnimateOptions) -> AnimateOptions:
    """`options` as they are. Raises UserError that names the first one that no head can be animated with."""
    _check_fields(options)
    if 0 < options.size < LEAST_PREVIEW:
        what = f"A preview of {options.size:g} pixels shows nothing."
        raise UserError(what, f"Give size 0 for none, or {LEAST_PREVIEW} and more.")
    return options


def named_expressions(text: str) -> tuple[str, ...]:
    """The expressions that `text` names, as `expressions.chosen`. Raises UserError when it names none."""
    if not text.strip(" ,"):
        raise UserError("No expression is named.", "Name some, or give 1 for the neutral face alone.")
    return expressions.chosen(text)


def expression_weight(text: str) -> tuple[str, float]:
    """`NAME=WEIGHT` as a pair, of ours or by Apple's name; a name alone has weight 1. Raises UserError."""
    name, _, weight = text.partition("=")
    try:
        value = float(weight or 1.0)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise UserError(f"'{shown(weight)}' is no weight of an expression.", "Give a number from 0 to 1.")
    name = name.strip()
    return name if name in ARKIT else expressions.expression(name.lower()).name, value


def _check_fields(options, section: str = "") -> None:
    for field in fields(options):
        value, name = getattr(options, field.name), section + field.name
        if is_dataclass(value):
            _check_fields(value, f"{name}.")
        elif value is not None or field.default is not None:
            _check_kind(name, value, field.metadata.get("like", field.default))
            _check_value(name, value, field.metadata)


def _check_kind(name: str, value, like) -> None:
    """Raise UserError unless `value`, which may be from anybody's file, is of the kind that `like` is of."""
    if isinstance(like, tuple):
        _check_row(name, value, like)
    elif isinstance(like, bool) and not isinstance(value, bool):
        raise UserError(f"{name} is neither yes nor no.", "Give one of them.")
    elif isinstance(like, str) and not isinstance(value, str):
        raise UserError(f"{name} is no text.", "Give it in words.")
    elif _is_number(like) and not _is_number(value):
        raise UserError(f"{name} is no number.", f"Give one like {like}.")
    elif isinstance(like, int) and not isinstance(value, int) and math.isfinite(value):
        raise UserError(f"{name} is no whole number.", f"Give one like {like}.")


def _check_row(name: str, value, like: tuple) -> None:
    kind = type(like[0]) if like else object
    alike = isinstance(value, tuple) and all(isinstance(one, kind) for one in value)
    if kind is int and not (alike and len(value) == len(like)):
        raise UserError(f"{name} is no pair of whole numbers.", f"Give one like {','.join(map(str, like))}.")
    if not alike:
        raise UserError(f"{name} is no list.", f"Give one like {','.join(map(str, like))}.")


def _check_value(name: str, value, facts: Mapping) -> None:
    choices = facts.get("choices")
    for one in value if isinstance(value, tuple) else (value,):
        if choices and one not in choices:
            raise UserError(f"'{shown(one)}' is no value of {name}.", f"Choose from: {', '.join(choices)}.")
    least, most = facts.get("least", -math.inf), facts.get("most", math.inf)
    numbers = [number for number in (value if isinstance(value, tuple) else (value,)) if _is_number(number)]
    for number in numbers:
        if not (-LARGEST < number < LARGEST and least <= number <= most):  # false of what is not finite, too
            raise UserError(f"{name} cannot be {shown(number)}.", f"Give a number{_range(least, most)}.")
    whole = all(isinstance(number, int) for number in numbers)  # ranges are; other rows may run as they like
    if whole and numbers != sorted(numbers):
        raise UserError(f"{name} runs backwards, from {numbers[0]} to {numbers[1]}.", "Give the smaller number first.")


def _is_number(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(least: float, most: float) -> str:
    if math.isfinite(most):
        return f" from {least} to {most}"
    return f" of at least {least}" if math.isfinite(least) else ""


def check_upscaler(name: str) -> None:
    """Raise UserError, before any work is done, for a network that cannot be there or that nothing here can read."""
    if not name:
        return
    path = path_of(name)
    if path.suffix != ".safetensors" or not path.is_file():
        what = f"There is no network to enlarge textures at '{shown(name)}'."
        raise UserError(
            what,
            "Give a .safetensors file of one, or none: --set export.upscaler= (`export` a finished head so).",
        )
    if find_spec("spandrel") is None:
        what = "The package spandrel, which reads super-resolution networks, is not installed."
        raise UserError(what, "Run: python -m pip install -r requirements-upscale.txt.")


def _check_corrections(options: HeadOptions) -> None:
    for name, word in corrections_of(options.subject).items():
        if word not in ATTRIBUTES[name]:
            choices = f"Choose from: {', '.join(ATTRIBUTES[name])}; or leave it empty, for as it is seen."
            raise UserError(f"'{shown(word)}' is no value of subject.{name}.", choices)


def _check_expressions(names: tuple[str, ...]) -> None:
    for name in names:
        expressions.expression(name)
    if "neutral" not in names or len(set(names)) < len(names):
        what = "The expressions must hold neutral, and each of them once."
        raise UserError(what, "Put neutral first, then each of the others.")
