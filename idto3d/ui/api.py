"""The page's API. Names and fields are stable: /generate /watch /cancel /resume /delete /render /download."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path

import gradio as gr

from idto3d.config import MODES, PRESETS, RenderOptions
from idto3d.errors import UserError
from idto3d.ui.actions import Actions, Request, face_of, view_as_json


def refused(function: Callable) -> Callable:
    """`function`, whose UserErrors reach the caller as plain sentences."""

    @wraps(function)
    def told(*values):
        try:
            return function(*values)
        except UserError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return told


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
        """Remove a job and everything made from its photos."""
        does.delete(job_id)
        return "deleted"

    for function in (watch, cancel, resume, delete):
        gr.api(refused(function), api_name=function.__name__, concurrency_limit=8)


def _add_generate(does: Actions) -> None:
    def generate(photos, consent, prompt, negative_prompt, preset, expressions, seed):
        """Start a job; returns its id. `consent`: this is you, or you have the person's permission."""
        paths = tuple(map(Path, photos or ()))
        request = Request(paths, consent, prompt, negative_prompt, preset, expressions, int(seed or 0))
        return does.start(request)

    inputs = [
        gr.File(label="photos", file_count="multiple", type="filepath"),
        gr.Checkbox(label="consent"),
        gr.Textbox("", label="prompt"),
        gr.Textbox("", label="negative_prompt"),
        gr.Radio(list(PRESETS), value="draft", label="preset"),
        gr.Textbox("3", label="expressions"),
        gr.Number(0, precision=0, label="seed"),
    ]
    gr.Button().click(refused(generate), inputs, gr.Textbox(label="job_id"), api_name="generate")


def _add_render(does: Actions) -> None:
    def render(job_id, mode, light, light_rotation_deg, azimuth_deg, elevation_deg, size, expressions):
        """Draw the head of a finished job; `expressions` maps names to weights 0..1."""
        face = face_of(expressions)
        return does.draw(
            job_id, RenderOptions(mode, light or "", light_rotation_deg, face, azimuth_deg, elevation_deg, size)
        )

    default = RenderOptions()
    inputs = [
        gr.Textbox(label="job_id"),
        gr.Radio(list(MODES), value=default.mode, label="mode"),
        gr.Textbox(default.light, label="light"),
        gr.Number(default.light_rotation_deg, label="light_rotation_deg"),
        gr.Number(default.azimuth_deg, label="azimuth_deg"),
        gr.Number(default.elevation_deg, label="elevation_deg"),
        gr.Number(default.size, precision=0, label="size"),
        gr.JSON({}, label="expressions"),
    ]
    picture = gr.Image(label="picture", format="png")
    gr.Button().click(refused(render), inputs, picture, api_name="render", concurrency_limit=1, concurrency_id="draw")


def _add_download(does: Actions) -> None:
    def download(job_id):
        """The GLB and the ZIP of a finished job."""
        return [str(path) for path in does.files(job_id)]

    outputs = [gr.File(label="glb"), gr.File(label="zip")]
    gr.Button().click(refused(download), gr.Textbox(label="job_id"), outputs, api_name="download")
