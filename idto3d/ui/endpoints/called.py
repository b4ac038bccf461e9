"""How a function becomes an endpoint: called by names, and refused in sentences."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, Signature

import gradio as gr

from idto3d.errors import UserError, discreet
from idto3d.ui.visitor import visitor_of


def refused(function: Callable) -> Callable:
    """`function`, whose UserErrors reach the caller as plain sentences."""

    @wraps(function)
    def answer(*values):
        try:
            return function(*values)
        except UserError as error:
            raise gr.Error(discreet(str(error)), print_exception=False) from None

    return answer


def by_name(function: Callable[[Mapping, str], object], names: Iterable[str], needed: int = 0) -> Callable:
    """`function` of a mapping of `names` to values and of who asks, as Gradio calls it: by position.

    The parameters are `names`, of which all but the first `needed` may be left out, and `sender`, the request, which
    Gradio adds.
    """
    names = tuple(names)

    @wraps(function)
    def by_position(*values):
        *values, sender = values
        return function(dict(zip(names, values, strict=True)), visitor_of(sender))

    parameters = [Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in (*names, "sender")]
    optional = [parameter.replace(default=None) for parameter in parameters[needed:]]
    by_position.__signature__ = Signature([*parameters[:needed], *optional])
    by_position.__annotations__ = {"sender": gr.Request}
    return by_position
