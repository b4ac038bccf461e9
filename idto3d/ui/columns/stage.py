"""The middle of the page: the viewer in which a head forms and then lives, and how its making stands."""

from dataclasses import dataclass

import gradio as gr

from idto3d.ui import views
from idto3d.ui.viewer.component import viewer_component


@dataclass(frozen=True)
class Stage:
    """The viewer, what is said below it, and what stops and continues the work."""

    viewer: gr.HTML
    status: gr.HTML
    details: gr.HTML
    cancel: gr.Button
    resume: gr.Button


def stage() -> Stage:
    """Lay out the stage."""
    viewer = viewer_component()
    with gr.Row(elem_id="standing"):
        status = gr.HTML(views.status(None), elem_id="status")
        cancel = gr.Button("Cancel", size="sm", visible=False, scale=0, min_width=90, elem_id="cancel")
        resume = gr.Button(
            "Resume", variant="primary", size="sm", visible=False, scale=0, min_width=90, elem_id="resume"
        )
    details = gr.HTML("", elem_id="details")
    return Stage(viewer, status, details, cancel, resume)
