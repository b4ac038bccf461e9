"""Faces for words: asked for, chosen, and kept over a reload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import gradio as gr
from gradio.components import Component

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


@dataclass(frozen=True, eq=False)
class Asking:
    """What asks for faces on a page; `values` are those of `given`."""

    page: Page
    does: Actions

    @property
    def given(self) -> set[Component]:
        """The widgets whose values are asked with."""
        nine, memory = self.page.inputs.nine, self.page.memory
        return {*self.page.inputs.asked().values(), nine.found, nine.words, memory.jobs, memory.opened}

    def show(self, values, sender: gr.Request):
        """Faces for the words."""
        yield from self._answered(self._request(values), (), values, sender)

    def others(self, values, sender: gr.Request):
        """Others than those there are."""
        yield from self._answered(self._request(values, seed=self._next_seed(values)), (), values, sender)

    def like(self, values, sender: gr.Request):
        """Others like the one that is chosen."""
        like = [chosen_of(values[self.page.inputs.chosen])]
        yield from self._answered(self._request(values, seed=self._next_seed(values)), like, values, sender)

    def arrive(self, values, sender: gr.Request):
        """Those that a page had when it was left, and what it waited for."""
        inputs, memory = self.page.inputs, self.page.memory
        before = found_of(values[inputs.nine.found])
        empty = not current(values[memory.jobs], values[memory.opened])  # otherwise the words are those of a head
        words = {inputs.prompt: before.prompt} if empty and before.prompt else {}
        yield words | shown(self.page, before, chosen_of(values[inputs.chosen]), str(values[inputs.nine.words]))
        if before.waits:  # the page was left while it was looked for
            request = self._request(values, prompt=before.prompt, seed=before.seed)
            yield from self._answered(request, before.like, values, sender)

    def _request(self, values: Mapping, **other) -> Request:
        free = self.page.inputs.request(values) | {"photos": (), "chosen": ()}
        return replace(request_of(free), **other)

    def _next_seed(self, values: Mapping) -> int:
        return (found_of(values[self.page.inputs.nine.found]).seed + 1) % LARGEST_SEED

    def _answered(self, request: Request, like: Sequence, values: Mapping, sender: gr.Request):
        """The widgets first while it is waited for, then with faces as they come, or as they were before."""
        page, nine = self.page, self.page.inputs.nine
        waits = Found(request.prompt, request.seed, tuple(map(tuple, like)))
        yield ({nine.found: waits.plain()} if request.prompt.strip() else {}) | shown(page, waits, ())
        try:
            for found in self.does.choosing.found(request, like, visitor_of(sender)):
                yield shown(page, found, ())
        except Superseded:
            yield self._as_before(values, views.notice(SUPERSEDED))
        except UserError as error:
            yield self._as_before(values, views.refusal(error))
        else:
            yield {nine.found: found.plain(), page.inputs.chosen: [], nine.words: ""} | shown(page, found, ())

    def _as_before(self, values: Mapping, why: str) -> dict:
        """What was there before it was asked, with what is to be said of that."""
        nine = self.page.inputs.nine
        before, row = found_of(values[nine.found]), chosen_of(values[self.page.inputs.chosen])
        kept, words = Found() if before.waits else before, str(values[nine.words])
        told = {nine.found: kept.plain()} | shown(self.page, kept, row, words)
        return told | {nine.faces: why + faces(kept, row, words)}


def _wire_asking(page: Page, does: Actions, blocks: gr.Blocks) -> None:
    nine, asking = page.inputs.nine, Asking(page, does)
    told = [nine.found, nine.words, page.inputs.chosen, page.inputs.prompt, *outputs(page)]
    for button, verb in ((nine.show, asking.show), (nine.others, asking.others), (nine.like, asking.like)):
        button.click(verb, asking.given, told, **HIDDEN, **lanes.CHOOSE)
    blocks.load(asking.arrive, asking.given, told, **HIDDEN, **lanes.CHOOSE)


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
