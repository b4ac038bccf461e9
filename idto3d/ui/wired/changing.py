"""Changes by words, and the versions they make."""

from functools import partial

import gradio as gr

from idto3d.errors import UserError
from idto3d.jobs.clerk.office import Superseded
from idto3d.ui import lanes, views
from idto3d.ui.actions import Actions
from idto3d.ui.cards import hair as hair_card
from idto3d.ui.columns.change import EXAMPLES
from idto3d.ui.columns.picker import picked
from idto3d.ui.heads.forms import edit_of
from idto3d.ui.heads.painted import SKETCH
from idto3d.ui.page import Page
from idto3d.ui.visitor import visitor_of
from idto3d.ui.wired.frame import HIDDEN, LOOK_UP, current, frame, outputs, unpainted

LIMITED = ("strength", "keep", "locks")  # fields of EditOptions that have a widget


def wire_changing(page: Page, does: Actions) -> None:
    """Connect the edit box, hair as pictures, and the strip of versions."""
    _wire_hair(page, does)
    _wire_edit(page, does)
    _wire_versions(page, does)


def _wire_edit(page: Page, does: Actions) -> None:
    edit, memory, start = page.edit, page.memory, page.start

    def change(prompt, values, sender):
        shown = current(values[memory.jobs], values[memory.opened])
        options = edit_of({"prompt": prompt} | {name: values[getattr(edit, name)] for name in LIMITED})
        try:
            does.change(shown, options, visitor_of(sender), values[memory.mask])
        except UserError as error:
            return {edit.message: views.refusal(error), start.question: gr.update(visible=False)}
        told = {edit.message: "", start.question: gr.update(visible=False)}
        told |= (
            unpainted(page) if values[memory.mask] and values[memory.mask].kind == SKETCH else {}
        )  # it is laid on once
        return told | frame(page, does, values[memory.jobs], values[memory.opened])

    def asked_below(values, sender: gr.Request):
        return change(values[edit.prompt], values, sender)

    def asked_above(values, sender: gr.Request):
        return change(values[page.inputs.prompt], values, sender)

    def asked_by_picture(values, sender: gr.Request, event: gr.EventData):
        return change(picked(event), values, sender)

    limits = {*(getattr(edit, name) for name in LIMITED), memory.mask, memory.jobs, memory.opened}
    told = [edit.message, start.question, *unpainted(page), *outputs(page)]
    pressed = [edit.apply.click, edit.prompt.submit]
    below = gr.on(pressed, asked_below, limits | {edit.prompt}, told, **HIDDEN, **lanes.MAKE)
    above = start.change.click(asked_above, limits | {page.inputs.prompt}, told, **HIDDEN, **lanes.MAKE)
    pictured = edit.hairs.select(asked_by_picture, limits, told, **HIDDEN, **lanes.MAKE)
    for begun in (below, above, pictured):
        begun.then(None, js=LOOK_UP, **HIDDEN)
    for text, button in zip(EXAMPLES, edit.examples, strict=True):
        button.click(None, None, edit.prompt, js=f"() => {text!r}", **HIDDEN)
    edit.unmask.click(lambda: unpainted(page), None, list(unpainted(page)), **HIDDEN)


def _wire_hair(page: Page, does: Actions) -> None:
    edit, memory = page.edit, page.memory

    def look(jobs, opened, sender: gr.Request):
        view = does.look(current(jobs, opened))
        if view is None:
            return
        yield hair_card.LOOKING
        try:
            found = does.choosing.hair(view.options, visitor_of(sender))
            yield hair_card.hair(found, bool(view.photos))
        except Superseded:
            return
        except UserError as error:
            yield views.refusal(error)

    edit.hair.expand(look, [memory.jobs, memory.opened], edit.hairs, **HIDDEN, **lanes.CHOOSE)


def _wire_versions(page: Page, does: Actions) -> None:
    history, memory = page.history, page.memory
    given, told = [memory.jobs, memory.opened], [page.edit.message, memory.other, history.compare, *outputs(page)]

    def going(verb):
        def act(jobs, opened, *more):
            try:
                verb(current(jobs, opened), *more)
            except UserError as error:
                return {page.edit.message: views.refusal(error)}
            return {page.edit.message: ""} | frame(page, does, jobs, opened)

        return act

    def press(jobs, opened, event: gr.EventData):
        verb, _, version = picked(event).partition(" ")
        if verb == "compare":
            return {memory.other: version, history.compare: gr.update(value="split", visible=True)}
        return going({"show": does.revisions.go, "drop": does.drop}.get(verb, _nothing))(jobs, opened, version)

    history.strip.select(press, given, told, **HIDDEN, **lanes.STEER)
    for button, where in ((history.undo, "undo"), (history.redo, "redo")):
        button.click(going(partial(_walk, does, where)), given, told, **HIDDEN, **lanes.STEER)
    history.rename.click(going(does.revisions.rename), [*given, history.name], told, **HIDDEN, **lanes.STEER)


def _walk(does: Actions, where: str, job_id: str) -> None:
    """Go where a button leads."""
    does.revisions.go(job_id, where)


def _nothing(_job_id: str, _version: str) -> None:
    """What a button does that is not ours."""
