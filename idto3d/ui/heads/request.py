"""What a visitor asks a head to be made of, and what is refused of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from idto3d import config
from idto3d.checks import named_expressions
from idto3d.config import HeadOptions
from idto3d.errors import UserError
from idto3d.jobs.limits import LOCAL, Limits
from idto3d.ui.photos import NO_CONSENT, check_weights
from idto3d.words.corrections import CORRECTED
from idto3d.words.prompts import one_line

LARGEST_SEED = 2**31 - 1
LONGEST_PROMPT = 300
MOST_COEFFICIENTS, LARGEST_COEFFICIENT = 1000, 100.0  # of a face that was chosen


@dataclass(frozen=True)
class Request:
    """What a visitor asks for. The widgets of the page and the parameters of the API bear the names of these fields."""

    photos: tuple[Path, ...] = ()
    consent: bool = False
    prompt: str = ""
    negative_prompt: str = ""
    preset: str = "draft"
    expressions: str = "3"
    seed: int = 0
    hair_style: str = ""  # corrections of what photos suggest; empty: as seen
    hair_colour: str = ""
    beard: str = ""
    skin: str = ""
    lambda_id: float | None = None  # None: the weights' own
    lambda_exp: float | None = None
    guidance_scale: float | None = None
    weights: str = ""  # empty: the server's own
    words: float | None = None  # factor on guidance_scale, or on the weights' own
    chosen: tuple[float, ...] = ()  # coefficients of a face that was chosen among candidates; only without photos


def request_of(values: Mapping) -> Request:
    """The request of `values` by the names of its fields; None, as of a widget never opened, is the field's default.

    Raises UserError where what was chosen is no face.
    """
    given = {name: value for name, value in values.items() if value is not None}
    rows = {"photos": tuple(map(Path, given.get("photos", ()))), "chosen": face_numbers(given.get("chosen", ()))}
    return Request(**given | rows)


def face_numbers(given) -> tuple[float, ...]:
    """The coefficients of a face as anybody may give them. Raises UserError for what cannot be some."""
    row = given if isinstance(given, list | tuple) else [None]
    sound = len(row) <= MOST_COEFFICIENTS and all(map(_is_coefficient, row))
    if not sound:
        raise UserError("What was chosen is no face of ours.", "Choose one that candidates gave, as it was given.")
    return tuple(map(float, row))


def _is_coefficient(one) -> bool:
    number = isinstance(one, int | float) and not isinstance(one, bool)
    return number and math.isfinite(one) and abs(one) <= LARGEST_COEFFICIENT


def check(request: Request, limits: Limits = LOCAL) -> None:
    """Raise UserError for a request without consent or without content, with two faces, or for what is not offered."""
    if not request.photos and not request.prompt.strip():
        raise UserError("There is nothing to make a head from.", "Add at least one photo, or describe the person.")
    if request.photos and not request.consent:
        raise UserError(*NO_CONSENT)
    if request.photos and request.chosen:
        raise UserError("A face was chosen, and photos show one.", "Leave out one of the two.")
    if request.preset not in limits.presets:
        raise UserError(f"The preset '{request.preset}' is not offered here.", f"Choose {' or '.join(limits.presets)}.")
    check_weights(request.weights, limits)
    for text in (request.prompt, request.negative_prompt):
        if len(text) > LONGEST_PROMPT:
            raise UserError(f"The prompt has {len(text)} characters.", f"Shorten it to {LONGEST_PROMPT}.")


def options_of(request: Request) -> HeadOptions:
    """The options of a request, but for its weights, see `with_weights`.

    Raises UserError for an unknown preset or expression, or a seed out of range; what else no head can be made with is
    for `checks.checked` to say.
    """
    if not 0 <= request.seed <= LARGEST_SEED:
        raise UserError(f"{request.seed} is no seed.", f"Give a whole number from 0 to {LARGEST_SEED}.")
    preset = config.preset(request.preset)
    return replace(
        preset,
        subject=replace(
            preset.subject,
            keep=False,  # nothing on the page needs a stranger's embedding
            **{name: getattr(request, name) for name in CORRECTED},
        ),
        choice=replace(preset.choice, chosen=request.chosen),
        guidance=replace(preset.guidance, **_strengths(request)),
        prompt=one_line(request.prompt),
        negative_prompt=one_line(request.negative_prompt),
        expressions=named_expressions(request.expressions),
        seed=int(request.seed),
    )


def _strengths(request: Request) -> dict[str, float]:
    """How strongly the guidance is asked, where the request says so."""
    names = ("lambda_id", "lambda_exp", "guidance_scale", "words")
    return {name: value for name in names if (value := getattr(request, name)) is not None}
