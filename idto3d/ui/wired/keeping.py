"""The shelf of a visitor's heads, the form filled again from one, and deleting them."""

from collections.abc import Mapping
from pathlib import Path

import gradio as gr
from gradio.components import Component

from idto3d.errors import UserError
from idto3d.ui import lanes, views
from idto3d.ui.actions import Actions
from idto3d.ui.cards.films import FORGET
from idto3d.ui.columns.picker import picked
from idto3d.ui.heads.again import again
from idto3d.ui.page import Page
from idto3d.ui.wired.choosing import without_choice
from idto3d.ui.wired.frame import HIDDEN, NEW, current, filled, filled_form, form, frame, known, left, outputs
from idto3d.words.corrections import CORRECTED


def wire_keeping(page: Page, does: Actions) -> None:
    """Connect the shelf and what ends it."""
    _wire_shelf(page, does)
    _wire_again(page, does)
    _wire_uploads(page)
    _wire_delete(page, does)


def _wire_shelf(page: Page, does: Actions) -> None:
    memory = page.memory

    def open_one(jobs, boxed, before, prompt, event: gr.EventData):
        pick = picked(event)
        opened = pick if pick == NEW or pick in known(jobs) else ""
        emptied = {
            memory.opened: opened,
            memory.other: "",
            memory.edits: (),
            page.history.compare: gr.update(value="", visible=False),
        } | left(page)
        quiet = {page.start.message: "", page.edit.message: ""}
        if opened == NEW:
            quiet |= without_choice(page) | _fresh(page, does.form_of(current(jobs, before)), prompt)
        return (
            emptied
            | quiet
            | filled_form(page, does, current(jobs, opened))
            | frame(page, does, jobs, opened, boxed=boxed)
        )

    told = [page.start.message, page.edit.message, memory.opened, memory.other, memory.edits, page.history.compare]
    told = list(dict.fromkeys([*told, *form(page), *without_choice(page), *left(page), *outputs(page)]))
    given = [memory.jobs, memory.boxed, memory.opened, page.inputs.prompt]
    page.heads.shelf.select(open_one, given, told, **HIDDEN, **lanes.WATCH)


def _fresh(page: Page, before: Mapping[str, object], prompt: str) -> dict[Component, object]:
    """The form without what was said of the person before; words that were written since stay."""
    said = {} if prompt != before.get("prompt", "") else {"prompt": "", "negative_prompt": ""}
    return filled(page, said | dict.fromkeys(CORRECTED, ""))


def _wire_again(page: Page, does: Actions) -> None:
    message, edits = page.start.message, page.memory.edits

    def read(upload):
        try:
            found = again(Path(upload), does.photos.chosen)
        except UserError as error:
            return {message: views.refusal(error), edits: ()}
        return filled(page, found.form) | {message: views.notice(found.said), edits: found.edits}

    recipe = page.take.recipe
    recipe.upload(read, recipe, [message, edits, *form(page)], **HIDDEN, **lanes.MAKE)


def _wire_uploads(page: Page) -> None:
    """Know what was uploaded, so that it can be deleted: what is in a box may be gone, which no call may name."""
    photos, clip, uploads = page.inputs.photos, page.animate.clip, page.memory.uploads

    def hold_photos(held, given):
        return held | {"photos": [path for path, _caption in given or ()]}

    def hold_clip(held, given):
        return held | {"clip": [given] if given else []}

    for box, hold in ((photos, hold_photos), (clip, hold_clip)):
        box.change(hold, [uploads, box], uploads, **HIDDEN, **lanes.STEER)


def _wire_delete(page: Page, does: Actions) -> None:
    heads, memory = page.heads, page.memory

    def forget(jobs, uploads):  # not called delete: that name belongs to the public endpoint
        kept, error, gone = does.delete_all(known(jobs), [path for paths in uploads.values() for path in paths])
        message = views.refusal(error) if error else gone
        emptied = {memory.jobs: kept, memory.opened: "", page.inputs.photos: None, page.inputs.consent: False}
        emptied |= {memory.other: "", memory.lights: {}, memory.edits: (), memory.uploads: {}}
        emptied |= left(page) | without_choice(page)
        told = {page.start.message: message, heads.confirm: gr.update(visible=False)}
        return emptied | told | frame(page, does, kept, "")

    emptied = [memory.jobs, memory.opened, page.inputs.photos, page.inputs.consent, page.start.message, heads.confirm]
    emptied += [memory.other, memory.lights, memory.edits, memory.uploads, *left(page), *without_choice(page)]
    heads.delete.click(lambda: gr.update(visible=True), None, heads.confirm, **HIDDEN)
    heads.keep.click(lambda: gr.update(visible=False), None, heads.confirm, **HIDDEN)
    heads.really.click(forget, [memory.jobs, memory.uploads], [*emptied, *outputs(page)], **HIDDEN, **lanes.STEER)
    heads.really.click(None, js=FORGET, **HIDDEN)
