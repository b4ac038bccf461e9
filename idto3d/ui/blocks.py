"""The whole page: its widgets, what they do, and the API beside them."""

import gradio as gr

from idto3d.ui.actions import Actions
from idto3d.ui.api import add_api
from idto3d.ui.page import layout
from idto3d.ui.wiring import wire


def build_page(does: Actions) -> gr.Blocks:
    """The page over `does`."""
    with gr.Blocks(title="idto3d", analytics_enabled=False, fill_width=True) as blocks:
        wire(layout(does.limits, terms=does.photos.terms()), does, blocks)
        add_api(does)
    return blocks
