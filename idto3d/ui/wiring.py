"""What the widgets of the page do. The page owns no job: it hands one in, and a timer looks how it stands."""

import gradio as gr

from idto3d.ui.actions import Actions
from idto3d.ui.page import Page
from idto3d.ui.wired.animating import wire_animating
from idto3d.ui.wired.changing import wire_changing
from idto3d.ui.wired.choosing import wire_choosing
from idto3d.ui.wired.keeping import wire_keeping
from idto3d.ui.wired.making import wire_making
from idto3d.ui.wired.photos import wire_photos
from idto3d.ui.wired.viewing import wire_viewing


def wire(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    """Connect the widgets of `page` with what `does` can do."""
    wire_photos(page, does, blocks)
    wire_choosing(page, does, blocks)
    wire_making(page, does, blocks)
    wire_viewing(page, does)
    wire_changing(page, does)
    wire_animating(page, does)
    wire_keeping(page, does)
