"""At the foot: what is taken away, the visitor's heads, and deleting them."""

from dataclasses import dataclass

import gradio as gr

from idto3d.ui.columns.picker import picker


@dataclass(frozen=True)
class Take:
    """Downloads of the head that is shown, and a GLB of ours from which it is made again."""

    group: gr.Row
    glb: gr.DownloadButton
    archive: gr.DownloadButton
    recipe: gr.UploadButton


@dataclass(frozen=True)
class Heads:
    """The visitor's heads, and the end of them."""

    shelf: gr.HTML
    delete: gr.Button
    confirm: gr.Column
    really: gr.Button
    keep: gr.Button


def take() -> Take:
    """Lay out the downloads."""
    with gr.Row(visible=False, elem_id="downloads") as group:
        glb = gr.DownloadButton("Download GLB", variant="primary", min_width=130, elem_id="glb")
        archive = gr.DownloadButton("Everything as ZIP", min_width=130, elem_id="zip")
    return Take(group, glb, archive, _again())


def _again() -> gr.UploadButton:
    return gr.UploadButton("Make a head again from its GLB", file_types=[".glb"], size="sm", elem_id="again")


def heads() -> Heads:
    """Lay out the shelf."""
    shelf = picker("", "shelf")
    delete = gr.Button("Delete my data", size="sm", visible=False, elem_id="delete")
    with gr.Column(visible=False, elem_id="confirm") as confirm:
        gr.HTML("<p>This removes the photos, the heads and everything made from them, for good.</p>")
        with gr.Row():
            really = gr.Button("Delete everything", variant="stop", size="sm", elem_id="really")
            keep = gr.Button("Keep it", size="sm")
    return Heads(shelf, delete, confirm, really, keep)
