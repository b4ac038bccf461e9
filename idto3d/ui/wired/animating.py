"""Animations of the head that is shown: asked for, listed, deleted."""

from pathlib import Path

import gradio as gr

from idto3d.errors import UserError
from idto3d.ui import lanes, views
from idto3d.ui.actions import Actions
from idto3d.ui.cards.films import REMEMBER
from idto3d.ui.columns.picker import picked
from idto3d.ui.heads.animating import WAYS
from idto3d.ui.page import Page
from idto3d.ui.visitor import visitor_of
from idto3d.ui.wired.frame import HIDDEN, LOOK_UP, UNSAID, current, frame, listed_films, outputs


def wire_animating(page: Page, does: Actions) -> None:
    """Connect the animations."""
    _wire_start(page, does)
    _wire_films(page, does)


def _wire_start(page: Page, does: Actions) -> None:
    animate, memory = page.animate, page.memory

    def start(values, sender: gr.Request):
        jobs, opened = values[memory.jobs], values[memory.opened]
        asked = {name: values[getattr(animate, name)] for name in WAYS}
        try:
            clip = Path(values[animate.clip]) if values[animate.clip] else None
            does.animations.start(current(jobs, opened), clip, values[animate.consent], asked, visitor_of(sender))
        except UserError as error:
            return {animate.message: views.refusal(error)}
        return {animate.message: "", animate.clip: None, animate.consent: False} | frame(page, does, jobs, opened)

    given = {memory.jobs, memory.opened, animate.clip, animate.consent, *(getattr(animate, name) for name in WAYS)}
    told = [animate.message, animate.clip, animate.consent, *outputs(page)]
    remembered = animate.apply.click(None, js=REMEMBER, **HIDDEN)
    begun = remembered.then(start, given, told, **HIDDEN, **lanes.MAKE)
    begun.then(None, js=LOOK_UP, **HIDDEN)
    gr.on([animate.consent.input, animate.clip.change], None, None, animate.message, js=UNSAID, **HIDDEN)


def _wire_films(page: Page, does: Actions) -> None:
    animate, memory = page.animate, page.memory

    def press(jobs, opened, event: gr.EventData):
        verb, _, wanted = picked(event).partition(" ")
        shown = current(jobs, opened)
        if verb != "drop":
            return {}
        try:
            does.animations.drop(shown, wanted)
        except UserError as error:
            return {animate.message: views.refusal(error)}
        return {animate.message: ""} | listed_films(page, does, shown)

    told = [animate.message, animate.films]
    animate.films.select(press, [memory.jobs, memory.opened], told, **HIDDEN, **lanes.STEER)
