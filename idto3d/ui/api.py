"""The page's API. Names and fields are stable: /generate /watch /cancel /resume /delete /render /download."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from inspect import Parameter, Signature

import gradio as gr

from idto3d.config import MODES, RenderOptions
from idto3d.errors import UserError
from idto3d.jobs.privacy.traces import deleted
from idto3d.ui import lanes
from idto3d.ui.actions import Actions, Request, request_of, view_as_json, view_of
from idto3d.ui.visitor import visitor_of


def refused(function: Callable) -> Callable:
    """`function`, whose UserErrors reach the caller as plain sentences."""

    @wraps(function)
    def answer(*values):
        try:
            return function(*values)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


def by_name(function: Callable[[Mapping, str], object], names: Iterable[str]) -> Callable:
    """`function` of a mapping of `names` to values and of who asks, as Gradio calls it: by position.

    The parameters are `names` and `sender`, the request, which Gradio adds.
    """
    names = tuple(names)

    @wraps(function)
    def by_position(*values):
        *values, sender = values
        return function(dict(zip(names, values, strict=True)), visitor_of(sender))

    parameters = (*names, "sender")
    by_position.__signature__ = Signature([Parameter(name, Parameter.POSITIONAL_OR_KEYWORD) for name in parameters])
    by_position.__annotations__ = {"sender": gr.Request}
    return by_position


def add_api(does: Actions) -> None:
    """Add the endpoints to the Blocks being built."""
    _add_steering(does)
    with gr.Group(visible=False):
        _add_generate(does)
        _add_render(does)
        _add_download(does)


def _add_steering(does: Actions) -> None:
    def watch(job_id: str) -> dict:
        """How a job stands: status, stage, step, seconds left, likeness, notices, error."""
        return view_as_json(does.desk.watch(job_id))

    def cancel(job_id: str) -> dict:
        """Stop a job; it can be resumed."""
        does.desk.cancel(job_id)
        return watch(job_id)

    def resume(job_id: str) -> dict:
        """Continue a cancelled or broken job from its last checkpoint."""
        does.desk.resume(job_id)
        return watch(job_id)

    def delete(job_id: str) -> str:
        """Remove a job and everything made from its photos; returns what that was, in a sentence."""
        return deleted([does.delete(job_id)])

    for function in (watch, cancel, resume, delete):
        gr.api(refused(function), api_name=function.__name__, **(lanes.WATCH if function is watch else lanes.STEER))


def _add_generate(does: Actions) -> None:
    def generate(values, visitor):
        """Start a job; returns its id. `consent`: this is you, or you have the person's permission."""
        return does.start(request_of(values), visitor)

    default = Request()
    inputs = {
        "photos": gr.File(label="photos", file_count="multiple", type="filepath"),
        "consent": gr.Checkbox(label="consent"),
        "prompt": gr.Textbox(default.prompt, label="prompt"),
        "negative_prompt": gr.Textbox(default.negative_prompt, label="negative_prompt"),
        "preset": gr.Radio(list(does.limits.presets), value=default.preset, label="preset"),
        "expressions": gr.Textbox(default.expressions, label="expressions"),
        "seed": gr.Number(default.seed, precision=0, label="seed"),
    }
    function = refused(by_name(generate, inputs))
    gr.Button().click(function, list(inputs.values()), gr.Textbox(label="job_id"), api_name="generate", **lanes.MAKE)


def _add_render(does: Actions) -> None:
    def render(values, visitor):
        """Draw the head of a finished job; `expressions` maps names to weights 0..1."""
        job_id = values.pop("job_id")
        return does.shelf.picture(job_id, does.draw(job_id, view_of(values), visitor))  # Gradio's own would stay

    default = RenderOptions()
    inputs = {
        "job_id": gr.Textbox(label="job_id"),
        "mode": gr.Radio(list(MODES), value=default.mode, label="mode"),
        "light": gr.Textbox(default.light, label="light"),
        "light_rotation_deg": gr.Number(default.light_rotation_deg, label="light_rotation_deg"),
        "azimuth_deg": gr.Number(default.azimuth_deg, label="azimuth_deg"),
        "elevation_deg": gr.Number(default.elevation_deg, label="elevation_deg"),
        "size": gr.Number(default.size, precision=0, label="size"),
        "expressions": gr.JSON({}, label="expressions"),
    }
    picture, function = gr.Image(label="picture", format="png"), refused(by_name(render, inputs))
    gr.Button().click(function, list(inputs.values()), picture, api_name="render", **lanes.DRAW)


def _add_download(does: Actions) -> None:
    def download(job_id):
        """The GLB and the ZIP of a finished job."""
        return [str(path) for path in does.files(job_id)]

    outputs = [gr.File(label="glb"), gr.File(label="zip")]
    gr.Button().click(refused(download), gr.Textbox(label="job_id"), outputs, api_name="download", **lanes.HAND_OUT)
