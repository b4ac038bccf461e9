"""Animations over the API."""

from pathlib import Path

import gradio as gr

from idto3d.config import AnimateOptions
from idto3d.jobs.animations.clip import ENDINGS
from idto3d.ui import lanes
from idto3d.ui.actions import Actions
from idto3d.ui.endpoints.called import by_name, refused
from idto3d.ui.heads.said import animation_as_json, view_as_json


def add_animating(does: Actions) -> None:
    """Add `animate`, `animations` and `animation`."""
    _add_animate(does)
    _add_list(does)
    _add_files(does)


def _add_animate(does: Actions) -> None:
    def animate(values, visitor):
        """Animate a finished head by a clip of a face; `consent`: it is you, or you have the person's permission.

        `strength`: factor on every expression; `smoothing`: 0 as each frame is read, 1 very smooth. The clip is
        deleted when the job ends. Returns how the job stands.
        """
        job_id, clip, consent = values.pop("job_id"), values.pop("clip"), values.pop("consent")
        does.animations.start(job_id, Path(clip) if clip else None, bool(consent), values, visitor)
        return view_as_json(does.desk.watch(job_id), does.revisions.listed(job_id))

    default = AnimateOptions()
    inputs = {
        "job_id": gr.Textbox(label="job_id"),
        "clip": gr.File(label="clip", type="filepath", file_types=list(ENDINGS)),
        "consent": gr.Checkbox(label="consent"),
        "strength": gr.Number(default.strength, label="strength"),
        "smoothing": gr.Number(default.smoothing, label="smoothing"),
        "name": gr.Textbox("", label="name"),
    }
    answer, function = gr.JSON(label="status"), refused(by_name(animate, inputs, needed=3))
    gr.Button().click(function, list(inputs.values()), answer, api_name="animate", **lanes.MAKE)


def _add_list(does: Actions) -> None:
    def animations(job_id: str, drop: str = "") -> list[dict]:
        """The animations of a head, oldest first; with `drop`, the one of that id is deleted first."""
        if drop:
            does.animations.drop(job_id, drop)
        return [animation_as_json(one) for one in does.animations.listed(job_id)]

    gr.api(refused(animations), api_name="animations", **lanes.STEER)


def _add_files(does: Actions) -> None:
    def animation(job_id, animation_id):
        """The GLB of an animation, and its film where there is one."""
        return [None if path is None else str(path) for path in does.animations.files(job_id, animation_id)]

    asked = [gr.Textbox(label="job_id"), gr.Textbox(label="animation_id")]
    given = [gr.File(label="glb"), gr.File(label="film")]
    gr.Button().click(refused(animation), asked, given, api_name="animation", **lanes.HAND_OUT)
