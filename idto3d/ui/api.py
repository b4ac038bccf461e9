"""The page's API. Its names and their fields are stable.

They are candidates, generate, edit, sketch, animate, animations, animation, render, versions, status, cancel, resume,
delete and result; `watch` and `download` are older names of status and result.
"""

import gradio as gr

from idto3d.config import MODES, EditOptions, RenderOptions
from idto3d.jobs.privacy.traces import deleted
from idto3d.ui import lanes
from idto3d.ui.actions import Actions, view_of
from idto3d.ui.endpoints.animating import add_animating
from idto3d.ui.endpoints.called import by_name, refused
from idto3d.ui.endpoints.choosing import add_choosing
from idto3d.ui.endpoints.sketching import add_sketch
from idto3d.ui.heads.forms import STRENGTHS, edit_of
from idto3d.ui.heads.request import Request, request_of
from idto3d.ui.heads.said import version_as_json, view_as_json
from idto3d.words.corrections import CORRECTED

MASK_TYPES = (".png", ".jpg", ".jpeg", ".webp")


def add_api(does: Actions) -> None:
    """Add the endpoints to the Blocks being built."""
    _add_steering(does)
    _add_versions(does)
    with gr.Group(visible=False):
        add_choosing(does)
        _add_generate(does)
        _add_edit(does)
        add_sketch(does)
        add_animating(does)
        _add_render(does)
        _add_result(does)


def _add_steering(does: Actions) -> None:
    def status(job_id: str) -> dict:
        """How a job stands: status, stage, step, seconds left, likeness, notices, versions, error."""
        return view_as_json(does.desk.watch(job_id), does.revisions.listed(job_id))

    def watch(job_id: str) -> dict:
        """The same as status, by its older name."""
        return status(job_id)

    def cancel(job_id: str) -> dict:
        """Stop a job; it can be resumed. A head that was being changed stays as it was."""
        does.desk.cancel(job_id)
        return status(job_id)

    def resume(job_id: str) -> dict:
        """Continue a cancelled or broken job from its last checkpoint."""
        does.desk.resume(job_id)
        return status(job_id)

    def delete(job_id: str) -> str:
        """Remove a job and everything made from its photos; returns what that was, in a sentence."""
        return deleted([does.delete(job_id)])

    for function, lane in ((status, lanes.WATCH), (watch, lanes.WATCH)):
        gr.api(refused(function), api_name=function.__name__, **lane)
    for function in (cancel, resume, delete):
        gr.api(refused(function), api_name=function.__name__, **lanes.STEER)


def _add_versions(does: Actions) -> None:
    def versions(job_id: str, show: str = "") -> list[dict]:
        """The versions of a finished head, oldest first.

        With `show`, another one is shown first: by its id, or "undo", or "redo".
        """
        if show:
            does.revisions.go(job_id, show)
        return [version_as_json(version) for version in does.revisions.versions(job_id)]

    gr.api(refused(versions), api_name="versions", **lanes.STEER)


def _add_generate(does: Actions) -> None:
    def generate(values, visitor):
        """Start a job; returns its id. `consent`: this is you, or you have the person's permission.

        Words in hair_style, hair_colour, beard and skin count in place of what photos suggest. A strength left out is
        the weights' own; `words` is a factor on how much they heed the prompt. `chosen`: the coefficients of one of
        `candidates`, for a head of words alone.
        """
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
        **{name: gr.Textbox("", label=name) for name in CORRECTED},
        **{name: gr.Number(None, label=name) for name in STRENGTHS},
        "weights": gr.Textbox("", label="weights"),
        "words": gr.Number(None, label="words"),
        "chosen": gr.JSON([], label="chosen"),
    }
    function = refused(by_name(generate, inputs))
    gr.Button().click(function, list(inputs.values()), gr.Textbox(label="job_id"), api_name="generate", **lanes.MAKE)


def _add_edit(does: Actions) -> None:
    def edit(values, visitor):
        """Change a finished head by words, as "green hair"; the change is a version of its own when the job is done.

        `keep`: geometry or texture stays. `locks`: regions that stay, with commas: eyes, nose, mouth, skin, hair, ears.
        `mask`: a picture, white where the head may change, laid on the skin's texture (`mask_space` uv) or on a view
        (view, from `mask_azimuth_deg` and `mask_elevation_deg`). Returns how the job stands.
        """
        job_id = values.pop("job_id")
        does.change(job_id, edit_of(values), visitor)
        return view_as_json(does.desk.watch(job_id), does.revisions.listed(job_id))

    default = EditOptions()
    inputs = {
        "job_id": gr.Textbox(label="job_id"),
        "prompt": gr.Textbox(label="prompt"),
        "strength": gr.Number(default.strength, label="strength"),
        "keep": gr.Textbox(default.keep, label="keep"),
        "locks": gr.Textbox("", label="locks"),
        "mask": gr.File(label="mask", type="filepath", file_types=list(MASK_TYPES)),
        "mask_space": gr.Textbox(default.mask_space, label="mask_space"),
        "mask_azimuth_deg": gr.Number(default.mask_azimuth_deg, label="mask_azimuth_deg"),
        "mask_elevation_deg": gr.Number(default.mask_elevation_deg, label="mask_elevation_deg"),
        "seed": gr.Number(default.seed, precision=0, label="seed"),
        "name": gr.Textbox(default.name, label="name"),
    }
    answer, function = gr.JSON(label="status"), refused(by_name(edit, inputs, needed=2))
    gr.Button().click(function, list(inputs.values()), answer, api_name="edit", **lanes.MAKE)


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
    picture, function = gr.Image(label="picture", format="png"), refused(by_name(render, inputs, needed=1))
    gr.Button().click(function, list(inputs.values()), picture, api_name="render", **lanes.DRAW)


def _add_result(does: Actions) -> None:
    def result(job_id):
        """The GLB and the ZIP of a finished head, in the version that is shown."""
        return [str(does.file(job_id, whole)) for whole in (False, True)]

    outputs = [gr.File(label="glb"), gr.File(label="zip")]
    for name in ("result", "download"):  # the latter is the older name
        gr.Button().click(refused(result), gr.Textbox(label="job_id"), outputs, api_name=name, **lanes.HAND_OUT)
