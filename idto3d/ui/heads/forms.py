"""The form filled with what a head was made from. Its photos are gone by then, and its consent was for them."""

from collections.abc import Mapping

from idto3d.config import EditOptions, HeadOptions
from idto3d.words.corrections import CORRECTED
from idto3d.words.expressions import SETS

STRENGTHS = ("lambda_id", "lambda_exp", "guidance_scale")
REMEMBERED = (
    "prompt",
    "negative_prompt",
    "preset",
    "expressions",
    "seed",
    "weights",
    *CORRECTED,
    *STRENGTHS,
    "words",
    "chosen",
)


def form_of(options: HeadOptions, weights: str = "") -> dict[str, object]:
    """The values of REMEMBERED fields of a request that lead to `options`; None is the weights' own strength.

    weights: what the form says of them, empty for the server's own.
    """
    return {
        "prompt": options.prompt,
        "negative_prompt": options.negative_prompt,
        "preset": options.preset,
        "expressions": _set_of(options.expressions),
        "seed": options.seed,
        "weights": weights,
        "chosen": options.choice.chosen,
        **{name: getattr(options.subject, name) for name in CORRECTED},
        **{name: getattr(options.guidance, name) for name in (*STRENGTHS, "words")},
    }


def _set_of(names: tuple[str, ...]) -> str:
    """The name of a set of expressions; of one that has no name, the set with the next more."""
    larger = [name for name, members in SETS.items() if set(names) <= set(members)]
    return min(larger, key=lambda name: len(SETS[name]), default=max(SETS, key=lambda name: len(SETS[name])))


def edit_of(values: Mapping) -> EditOptions:
    """The change of `values` by the names of fields of EditOptions; `locks` may be a list, or a text with commas.

    What cannot be is for `checks` to say.
    """
    given = {name: value for name, value in values.items() if value is not None}
    locks = given.pop("locks", ())
    names = locks.split(",") if isinstance(locks, str) else locks
    return EditOptions(**given, locks=tuple(name.strip().lower() for name in names if name.strip()))
