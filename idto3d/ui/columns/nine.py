"""Below the words: faces to choose from before a head is made of them."""

from dataclasses import dataclass

import gradio as gr

from idto3d.ui.columns.picker import picker


@dataclass(frozen=True)
class Nine:
    """What faces are asked for and chosen with.

    What the browser keeps: `found`, the faces, see `heads.choosing`; `words`, those that the chosen face was for.
    """

    group: gr.Column
    show: gr.Button
    faces: gr.HTML
    row: gr.Row
    like: gr.Button
    others: gr.Button
    leave: gr.Button
    found: gr.BrowserState
    words: gr.BrowserState


def nine() -> Nine:
    """Lay it out."""
    with gr.Column(elem_id="nine") as group:
        show = gr.Button("Show nine faces for these words", size="sm", elem_id="show_nine")
        faces = picker("", "faces")
        with gr.Row(visible=False, elem_id="nine_row") as row:
            like = gr.Button("More like this", size="sm", min_width=90, interactive=False, elem_id="more_like")
            others = gr.Button("Nine others", size="sm", min_width=80, elem_id="others")
            leave = gr.Button("Choose none", size="sm", min_width=80, elem_id="choose_none")
    found = gr.BrowserState({}, storage_key="idto3d-nine", secret="idto3d-nine")
    words = gr.BrowserState("", storage_key="idto3d-chosen-for", secret="idto3d-chosen-for")
    return Nine(group, show, faces, row, like, others, leave, found, words)
