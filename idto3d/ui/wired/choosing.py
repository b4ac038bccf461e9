"""Faces for words: asked for, chosen, and kept over a reload."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import gradio as gr

from idto3d.errors import UserError
from idto3d.jobs.clerk.office import Superseded
from idto3d.ui import lanes, views
from idto3d.ui.actions import Actions
from idto3d.ui.cards.faces import HEED, faces
from idto3d.ui.columns.picker import picked
from idto3d.ui.heads.choosing import Found, chosen_of, found_of
from idto3d.ui.heads.request import LARGEST_SEED, Request, request_of
from idto3d.ui.page import Page
from idto3d.ui.visitor import visitor_of
from idto3d.ui.wired.frame import HIDDEN, current

SUPERSEDED = "Faces were asked for elsewhere meanwhile, and this question was given up: ask again."


def wire_choosing(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    """Connect the faces."""
    _wire_asking(page, does, blocks)
    _wire_choice(page)
    nine, inputs = page.inputs.nine, page.inputs
    inputs.photos.change(_only_words, inputs.photos, nine.group, **HIDDEN, **lanes.STEER)
    inputs.prompt.focus(lambda: does.expect_words(), None, None, **HIDDEN, **lanes.STEER)


def _only_words(photos):
    """Faces are chosen where no photo shows one."""
    return gr.update(visible=not photos)


def shown(page: Page, found: Found, chosen: Sequence[float], words: str = "") -> dict:
    """The widgets of such a choice, whose face was chosen for `words`."""
    nine, there = page.inputs.nine, bool(found.faces) and found.whole
    return {
        nine.faces: faces(found, chosen, words),
        nine.row: gr.update(visible=there or bool(chosen)),
        nine.show: gr.update(visible=not there, interactive=not found.waits),
        nine.like: gr.update(interactive=bool(chosen)),
    }


def outputs(page: Page) -> list:
    """The widgets of `shown`."""
    nine = page.inputs.nine
    return [nine.faces, nine.row, nine.show, nine.like]


def without_choice(page: Page) -> dict:
    """No face is chosen or shown, no scale and no clip is left of a head: they were for one person."""
    inputs = page.inputs
    left = {inputs.chosen: [], inputs.nine.words: "", inputs.nine.found: {}, inputs.guidance_scale: None}
    return left | without_clip(page) | shown(page, Found(), ())


def without_clip(page: Page) -> dict:
    """No clip is left of a head: it was for that one."""
    return {page.animate.clip: None, page.animate.consent: False}


def _wire_asking(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    inputs, nine, memory = page.inputs, page.inputs.nine, page.memory
    chosen = inputs.chosen

    def answered(request: Request, like: Sequence, values: Mapping, sender: gr.Request):
        """The widgets first while it is waited for, then with faces as they come, or as they were before."""
        words = request.prompt
        waits = Found(words, request.seed, tuple(map(tuple, like)))
        told = {nine.found: waits.plain()} if words.strip() else {}
        yield told | shown(page, waits, ())
        try:
            for found in does.choosing.found(request, like, visitor_of(sender)):
                yield shown(page, found, ())
        except Superseded:
            yield as_before(values, views.notice(SUPERSEDED))
            return
        except UserError as error:
            yield as_before(values, views.refusal(error))
            return
        yield {nine.found: found.plain(), chosen: [], nine.words: ""} | shown(page, found, ())

    def as_before(values: Mapping, why: str) -> dict:
        """What was there before it was asked, with what is to be said of that."""
        before = found_of(values[nine.found])
        kept, row, words = Found() if before.waits else before, chosen_of(values[chosen]), str(values[nine.words])
        return {nine.found: kept.plain()} | shown(page, kept, row, words) | {nine.faces: why + faces(kept, row, words)}

    def asked(values, **other) -> Request:
        free = inputs.request(values) | {"photos": (), "chosen": ()}
        return replace(request_of(free), **other)

    def show(values, sender: gr.Request):
        yield from answered(asked(values), (), values, sender)

    def others(values, sender: gr.Request):
        before = found_of(values[nine.found])
        yield from answered(asked(values, seed=(before.seed + 1) % LARGEST_SEED), (), values, sender)

    def like(values, sender: gr.Request):
        before = found_of(values[nine.found])
        seed = (before.seed + 1) % LARGEST_SEED
        yield from answered(asked(values, seed=seed), [chosen_of(values[chosen])], values, sender)

    def arrive(values, sender: gr.Request):
        before = found_of(values[nine.found])
        empty = not current(values[memory.jobs], values[memory.opened])  # otherwise the words are those of a head
        words = {inputs.prompt: before.prompt} if empty and before.prompt else {}
        yield words | shown(page, before, chosen_of(values[chosen]), str(values[nine.words]))
        if before.waits:  # the page was left while it was looked for
            request = asked(values, prompt=before.prompt, seed=before.seed)
            yield from answered(request, before.like, values, sender)

    given = {*inputs.asked().values(), nine.found, nine.words, memory.jobs, memory.opened}
    told = [nine.found, nine.words, chosen, inputs.prompt, *outputs(page)]
    for button, verb in ((nine.show, show), (nine.others, others), (nine.like, like)):
        button.click(verb, given, told, **HIDDEN, **lanes.CHOOSE)
    blocks.load(arrive, given, told, **HIDDEN, **lanes.CHOOSE)


def _wire_choice(page: Page) -> None:
    inputs, nine = page.inputs, page.inputs.nine

    def pick(data, chosen, event: gr.EventData):
        found, number = found_of(data), picked(event)
        row = next((row for place, (_, row) in enumerate(found.faces) if str(place) == number), None)
        if row is None:
            return {}
        row = () if row == chosen_of(chosen) else row
        words = found.prompt if row else ""
        return {inputs.chosen: list(row), nine.words: words} | shown(page, found, row, words)

    def leave(data):
        return {inputs.chosen: [], nine.words: ""} | shown(page, found_of(data), ())

    def mark(data, chosen, words):
        return shown(page, found_of(data), chosen_of(chosen), str(words))

    told, kept = [inputs.chosen, nine.words, *outputs(page)], [nine.found, inputs.chosen, nine.words]
    nine.faces.select(pick, [nine.found, inputs.chosen], told, **HIDDEN, **lanes.STEER)
    nine.leave.click(leave, nine.found, told, **HIDDEN, **lanes.STEER)
    gr.on([inputs.chosen.change, nine.words.change], mark, kept, outputs(page), **HIDDEN, **lanes.STEER)
    gr.on([inputs.prompt.input, inputs.prompt.change, nine.faces.change], None, inputs.prompt, js=HEED, **HIDDEN)
