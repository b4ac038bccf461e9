"""What the words of a new head say that neither its shape nor its hair tells: painted and put on as by an edit."""

from dataclasses import replace

from idto3d.config import EditOptions
from idto3d.head.prior import HeadPrior
from idto3d.head.template_model import Template
from idto3d.stages.edit.glasses import bespectacled
from idto3d.stages.edit.paint.colours import recoloured
from idto3d.stages.edit.paint.marks import marked
from idto3d.stages.edit.work import Allowed, Work
from idto3d.stages.saved import FinishedHead
from idto3d.words.asked import read_edit

STEPS = (bespectacled, recoloured, marked)


def as_told(made: FinishedHead, template: Template, prior: HeadPrior) -> FinishedHead:
    """The head with the eyes, the make-up, the marks and the glasses of its prompt; the same where it tells of none.

    Age, hair, beard and skin are grown and painted with the head already.
    """
    request = replace(read_edit(made.options.prompt), traits={}, years=0.0, unknown=())
    if request.empty:
        return made
    asked = EditOptions(prompt=made.options.prompt, seed=made.options.seed)
    work = Work(made, made, request, asked, template, prior, Allowed({}, {}))
    for step in STEPS:
        work = step(work)
    return work.head
