"""Below the viewer: changing a finished head by words, and its versions."""

from dataclasses import dataclass

import gradio as gr

from idto3d.config import REGIONS, EditOptions
from idto3d.jobs.history.changes import LONGEST_NAME
from idto3d.ui import views
from idto3d.ui.cards.versions import FOLLOW
from idto3d.ui.columns.picker import picker
from idto3d.ui.heads.request import LONGEST_PROMPT

EXAMPLES = (
    "green hair",
    "short buzzcut hair",
    "a goatee",
    "freckles",
    "red lipstick",
    "blue eyes",
    "older",
    "as a cute baby",
    "glasses",
)
KEEP = (("Nothing in particular", ""), ("Its shape", "geometry"), ("Its colours", "texture"))
NO_MASK = "<p>To change only a part, paint it with the brush in the viewer; with its pencil, draw on the skin.</p>"
COMPARE = (("This one alone", ""), ("Compare with a line", "split"), ("Side by side", "side"))


@dataclass(frozen=True)
class Edit:
    """What a change is asked with; `strength`, `keep` and `locks` bear the names of fields of EditOptions."""

    group: gr.Column
    prompt: gr.Textbox
    examples: tuple[gr.Button, ...]
    strength: gr.Slider
    keep: gr.Radio
    locks: gr.CheckboxGroup
    limits: gr.Accordion
    mask: gr.HTML
    unmask: gr.Button
    apply: gr.Button
    message: gr.HTML
    hair: gr.Accordion
    hairs: gr.HTML


@dataclass(frozen=True)
class History:
    """The versions of the head that is shown, and what can be done with them."""

    group: gr.Column
    strip: gr.HTML
    undo: gr.Button
    redo: gr.Button
    compare: gr.Radio
    name: gr.Textbox
    rename: gr.Button


def change() -> tuple[Edit, History]:
    """Lay out both."""
    with gr.Column(visible=False, elem_id="history") as group:
        history = _history(group)
    with gr.Column(visible=False, elem_id="edit") as group:
        edit = _edit(group)
    return edit, history


def _edit(group: gr.Column) -> Edit:
    text = "Say what should be different; everything else stays."
    gr.HTML(views.heading("Change it", text))
    prompt, apply = _request()
    with gr.Row(elem_id="examples"):
        examples = tuple(gr.Button(text, size="sm", min_width=0, scale=0) for text in EXAMPLES)
    message = gr.HTML("", elem_id="edit_message")
    with gr.Accordion("Hair, as pictures", open=False, elem_id="hair") as hair:
        hairs = picker("", "hairs")
    with gr.Accordion("How far, and where", open=False, elem_id="limits") as limits:
        strength, keep, locks = _limits()
        mask = gr.HTML(NO_MASK, elem_id="mask")
        unmask = gr.Button("Forget what was painted", size="sm", visible=False, elem_id="unmask")
    return Edit(group, prompt, examples, strength, keep, locks, limits, mask, unmask, apply, message, hair, hairs)


def _request() -> tuple[gr.Textbox, gr.Button]:
    with gr.Row(elem_id="request"):
        prompt = gr.Textbox(
            label="What should change",
            show_label=False,
            placeholder="green hair",
            max_length=LONGEST_PROMPT,
            scale=5,
            min_width=180,
            elem_id="edit_prompt",
        )
        apply = gr.Button("Change", variant="primary", scale=0, min_width=110, elem_id="apply")
    return prompt, apply


def _limits() -> tuple[gr.Slider, gr.Radio, gr.CheckboxGroup]:
    usual, info = EditOptions(), "1 is as asked for, 0 not at all."
    strength = gr.Slider(0, 2, usual.strength, step=0.05, label="How far", info=info, elem_id="strength")
    keep = gr.Radio(list(KEEP), value=usual.keep, label="Keep", elem_id="keep")
    regions = [(region.capitalize(), region) for region in REGIONS]
    return strength, keep, gr.CheckboxGroup(regions, label="Leave alone", elem_id="locks")


def _history(group: gr.Column) -> History:
    strip = picker("", "versions", js=FOLLOW)
    with gr.Row(elem_id="steps"):
        undo, redo = (_step(title) for title in ("Undo", "Redo"))
        name = gr.Textbox(
            label="Name of this version",
            show_label=False,
            placeholder="Name this version",
            max_length=LONGEST_NAME,
            min_width=130,
            elem_id="version_name",
        )
        rename = gr.Button("Rename", size="sm", min_width=80, scale=0, elem_id="rename")
        compare = gr.Radio(list(COMPARE), value="", label="Compare", show_label=False, visible=False, elem_id="compare")
    return History(group, strip, undo, redo, compare, name, rename)


def _step(title: str) -> gr.Button:
    """A button that leads to another version, once there is one."""
    return gr.Button(title, size="sm", min_width=70, scale=0, interactive=False, elem_id=title.lower())
