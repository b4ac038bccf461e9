"""Generate, cancel, resume, and looking how it stands."""

import gradio as gr

from idto3d.errors import UserError
from idto3d.ui import actions, lanes, views
from idto3d.ui.actions import Actions
from idto3d.ui.cards.faces import plainly
from idto3d.ui.heads.request import Request, request_of
from idto3d.ui.page import Page
from idto3d.ui.visitor import visitor_of
from idto3d.ui.wired.choosing import without_choice, without_clip
from idto3d.ui.wired.frame import (
    HIDDEN,
    LOOK_UP,
    REMEMBERED,
    current,
    filled_form,
    form,
    frame,
    known,
    left,
    outputs,
)


def wire_making(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    """Connect what makes heads."""
    _wire_start(page, does)
    _wire_steering(page, does)
    _wire_watching(page, does, blocks)
    page.inputs.dice.click(actions.any_seed, None, page.inputs.seed, **HIDDEN)


def _wire_start(page: Page, does: Actions) -> None:
    start, memory, asked = page.start, page.memory, page.inputs.asked()
    told = [memory.jobs, memory.opened, memory.edits, start.message, start.question, *left(page)]
    told += [*without_choice(page), *outputs(page)]
    nine = page.inputs.nine

    def begin(values, sender: gr.Request):
        try:
            request = request_of(page.inputs.request(values))
            job_id = does.start(request, visitor_of(sender), tuple(values[memory.edits]))
        except UserError as error:
            return {start.message: views.refusal(error), start.question: gr.update(visible=False)}
        jobs = [*known(values[memory.jobs]), job_id][-REMEMBERED:]
        fresh = {memory.jobs: jobs, memory.opened: job_id, memory.edits: (), memory.boxed: job_id}
        quiet = {start.message: _of_choice(request, values[nine.words]), start.question: gr.update(visible=False)}
        of_others = without_choice(page) if request.photos else without_clip(page)  # a chosen face can be made again
        return fresh | quiet | left(page) | of_others | frame(page, does, jobs, job_id)

    def press(values, sender: gr.Request):
        shown = current(values[memory.jobs], values[memory.opened])
        prompt, photos = values[page.inputs.prompt] or "", values[page.inputs.photos]
        if not photos and does.reads_like_a_change(shown, prompt):
            return {start.question: gr.update(visible=True), start.message: ""}
        return begin(values, sender)

    values = {memory.jobs, memory.opened, memory.edits, nine.words, *asked.values()}
    for button, does_it in ((start.generate, press), (start.anew, begin)):
        pressed = button.click(does_it, values, told, **HIDDEN, **lanes.MAKE)
        pressed.then(None, js=LOOK_UP, **HIDDEN)


def _of_choice(request: Request, words: str) -> str:
    """What is to be said of a face that was chosen for other words than those of `request`."""
    other = request.chosen and plainly(str(words)) != plainly(request.prompt)
    return views.notice(f"The face is the one that was chosen for “{words}”.") if other else ""


def _wire_steering(page: Page, does: Actions) -> None:
    memory, stage = page.memory, page.stage

    def steer(verb):
        def act(jobs, opened):
            try:
                verb(current(jobs, opened))
            except UserError as error:
                return {page.start.message: views.refusal(error)} | frame(page, does, jobs, opened)
            return {page.start.message: ""} | frame(page, does, jobs, opened)

        return act

    for button, verb in ((stage.cancel, does.desk.cancel), (stage.resume, does.desk.resume)):
        given, told = [memory.jobs, memory.opened], [page.start.message, *outputs(page)]
        button.click(steer(verb), given, told, **HIDDEN, **lanes.STEER)


def _wire_watching(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    memory = page.memory

    def look(jobs, opened, seen, boxed):
        return frame(page, does, jobs, opened, seen, boxed)

    def arrive(jobs, opened, seen, boxed):
        return filled_form(page, does, current(jobs, opened)) | look(jobs, opened, seen, boxed)

    given = [memory.jobs, memory.opened, memory.seen, memory.boxed]
    memory.timer.tick(look, given, outputs(page), **HIDDEN, **lanes.WATCH)
    # A look that was under way while the visitor went on shows what they left, and may stop the timer: look once more.
    memory.seen.change(look, given, outputs(page), **HIDDEN, **lanes.WATCH)
    blocks.load(arrive, given, [*form(page), *outputs(page)], **HIDDEN, **lanes.WATCH)
