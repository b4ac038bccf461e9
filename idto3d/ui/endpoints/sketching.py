"""Drawings that are laid on a head, over the API."""

import gradio as gr

from idto3d.config import EditOptions
from idto3d.ui import lanes
from idto3d.ui.actions import Actions
from idto3d.ui.endpoints.called import by_name, refused
from idto3d.ui.heads.forms import edit_of
from idto3d.ui.heads.said import view_as_json

TYPES = (".png", ".webp")  # with how opaque each pixel is
CAMERA = ("space", "azimuth_deg", "elevation_deg")  # of what a drawing lies on


def add_sketch(does: Actions) -> None:
    """Add `sketch`."""

    def sketch(values, visitor):
        """Lay a drawing on the skin of a finished head where it is opaque, as the words of `prompt` say what it is.

        It lies on the skin's texture (`space` uv) or on a view (view, from `azimuth_deg` and `elevation_deg`). At the
        `strength` 0 it stays exactly as drawn. The change is a version of its own; returns how the job stands.
        """
        job_id, camera = values.pop("job_id"), {f"mask_{name}": values.pop(name) for name in CAMERA}
        does.change(job_id, edit_of(values | camera), visitor)
        return view_as_json(does.desk.watch(job_id), does.revisions.listed(job_id))

    default = EditOptions()
    inputs = {
        "job_id": gr.Textbox(label="job_id"),
        "sketch": gr.File(label="sketch", type="filepath", file_types=list(TYPES)),
        "prompt": gr.Textbox("", label="prompt"),
        "strength": gr.Number(default.strength, label="strength"),
        "space": gr.Textbox(default.mask_space, label="space"),
        "azimuth_deg": gr.Number(0.0, label="azimuth_deg"),
        "elevation_deg": gr.Number(0.0, label="elevation_deg"),
        "seed": gr.Number(default.seed, precision=0, label="seed"),
        "name": gr.Textbox(default.name, label="name"),
    }
    answer, function = gr.JSON(label="status"), refused(by_name(sketch, inputs, needed=2))
    gr.Button().click(function, list(inputs.values()), answer, api_name="sketch", **lanes.MAKE)
