"""The last step of an edit: both guidances are asked about what it changed, in the words of the head as edited.

They start from the head as it is, have a say where the edit has changed something and nowhere else, and are held near
it, so that weak weights refine and do not wash out.
"""

from collections.abc import Generator
from dataclasses import replace

import torch

from idto3d.events import Event, Notice, Preview, StageStarted, StepDone
from idto3d.stages.edit.guidance.colour import canvas_of, glazed
from idto3d.stages.edit.guidance.guide import STAGE, Guides, wish_of
from idto3d.stages.edit.guidance.masks import changed_texels, moved_vertices
from idto3d.stages.edit.guidance.shape import refined
from idto3d.stages.edit.work import Work
from idto3d.stages.material import relit_picture
from idto3d.stages.saved import FinishedHead

Steps = Generator[Event, None, FinishedHead]


def guided(work: Work, load: Guides | None) -> Generator[Event, None, Work]:
    """Refine what `work` has changed so far by `options.steps` of each guidance whose domain has changed.

    load: gives the weights when they are needed, see `guidance.guide.load_guide`; None, like no steps, leaves the work
    as it is and loads nothing. Reports steps, and at the end a picture. Raises UserError where weights are damaged.
    """
    options = work.options
    moved = None if options.keep == "geometry" else moved_vertices(work)
    shares = {} if options.keep == "texture" else changed_texels(work)
    total = options.steps * ((moved is not None) + bool(shares))
    if load is None or not total or not options.strength:
        return work
    guide = yield from load(work.before)
    wish, generator = wish_of(work.head, guide), torch.Generator().manual_seed(options.seed)
    yield StageStarted(STAGE, total)
    head, done = work.head, 0
    if moved is not None:
        far = options.strength * moved
        steps = refined(wish, head, far, work.template, options.steps, generator)
        head, done = (yield from _counted(steps, 0, total)), options.steps
    if shares:
        thick = {name: options.strength * share for name, share in shares.items()}
        head = yield from _counted(glazed(wish, head, thick, options.steps, generator), done, total)
    yield Preview(STAGE, "relit", relit_picture(canvas_of(head), None, head.options.preview_size))
    return replace(work, head=head)


def _counted(steps: Steps, done: int, total: int) -> Steps:
    """The steps of a domain as those of the edit, of which `done` of `total` came before; what they return."""
    try:
        while True:
            event = next(steps)
            if isinstance(event, StepDone):
                yield StepDone(STAGE, done + event.step, total, event.losses)
            elif isinstance(event, Notice):
                yield event
    except StopIteration as end:
        return end.value
    finally:
        steps.close()
