"""The page: which parts there are and where they stand. What they do is in wiring.py."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from idto3d.jobs.limits import LOCAL, Limits
from idto3d.ui import views
from idto3d.ui.columns.animate import Animate, animate
from idto3d.ui.columns.ask import Inputs, Start, ask
from idto3d.ui.columns.change import Edit, History, change
from idto3d.ui.columns.stage import Stage, stage
from idto3d.ui.columns.take import Heads, Take, heads, take

USUAL = {"lambda_id": 1.0, "lambda_exp": 1.0, "words": 1.0}  # of most weights


@dataclass(frozen=True)
class Memory:
    """What the page remembers.

    jobs: ids of its jobs, newest last; opened: the one that is shown, NEW for none, empty for the newest; both lie in
    the browser. seen: what is on the page now; arrived: which version of which head the viewer has; packed: the same,
    and how much of it the ZIP has; mask: what was painted; other: the version that is compared with; lights: where
    those of the visitor are served, by name; edits: what follows the head that is made next, as a GLB said; boxed: the
    job that was begun with what the box for photos still holds; uploads: paths of what the boxes for photos and for a
    clip hold, by the name of the box.
    """

    jobs: gr.BrowserState
    opened: gr.BrowserState
    seen: gr.Textbox
    arrived: gr.State
    packed: gr.State
    mask: gr.State
    other: gr.State
    lights: gr.State
    edits: gr.State
    boxed: gr.State
    uploads: gr.State
    timer: gr.Timer


@dataclass(frozen=True)
class Page:
    """All widgets."""

    inputs: Inputs
    start: Start
    stage: Stage
    edit: Edit
    history: History
    animate: Animate
    take: Take
    heads: Heads
    memory: Memory


def layout(limits: Limits = LOCAL, usual: dict[str, float] | None = None, terms: Sequence = ()) -> Page:
    """Put all widgets that `limits` offer where they stand; to be called while the Blocks are being built.

    terms: what is to be known of weights before photos are given, as `Photos.terms`.
    """
    gr.HTML(views.header(limits.keep_seconds), elem_id="header")
    with gr.Row(elem_id="studio", equal_height=False):
        with gr.Column(scale=4, min_width=320, elem_id="ask"):
            inputs, start = ask(limits, usual or USUAL, terms)
        with gr.Column(scale=10, min_width=340, elem_id="live"):
            on_stage = stage()
            edit, history = change()
            moved = animate(limits)
            taken = take()
    shelf = heads()
    return Page(inputs, start, on_stage, edit, history, moved, taken, shelf, _memory())


def _memory() -> Memory:
    return Memory(
        gr.BrowserState([], storage_key="idto3d-jobs", secret="idto3d-jobs"),
        gr.BrowserState("", storage_key="idto3d-open", secret="idto3d-open"),
        gr.Textbox("", visible="hidden"),  # the browser's: what it shows, not what it was last sent
        gr.State(""),
        gr.State(""),
        gr.State(None),
        gr.State(""),
        gr.State({}),
        gr.State(()),
        gr.State(""),
        gr.State({}),
        gr.Timer(1.0, active=False),
    )
