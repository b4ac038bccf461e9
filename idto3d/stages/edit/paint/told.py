"""What the words of a new head say that neither its shape nor its hair tells: painted and put on as by an edit."""

from collections.abc import Mapping
from dataclasses import replace

from idto3d.config import EditOptions
from idto3d.head.prior import HeadPrior
from idto3d.head.sculpt.features import forms_for
from idto3d.head.sculpt.persons import forms_of
from idto3d.head.template_model import Template
from idto3d.stages.edit.drawn.adorned import adorned
from idto3d.stages.edit.glasses import bespectacled
from idto3d.stages.edit.paint.colours import recoloured
from idto3d.stages.edit.paint.marks import marked
from idto3d.stages.edit.shape import reshaped
from idto3d.stages.edit.who import in_code
from idto3d.stages.edit.work import Allowed, Work
from idto3d.stages.saved import FinishedHead
from idto3d.words.asked import read_edit, unreal
from idto3d.words.figures.table import MODES

STEPS = (reshaped, bespectacled, recoloured, marked, adorned)


def as_told(made: FinishedHead, template: Template, prior: HeadPrior) -> FinishedHead:
    """The head with the eyes, the make-up, the marks and the glasses of its prompt; the same where it tells of none.

    Age, hair, beard, skin and features are grown and painted with the head already; but somebody on photos has ears
    as they show them, and may ask for an elf's.
    """
    asked = read_edit(made.options.prompt)
    features = unreal(asked) if made.photos else {}
    made = made if made.photos else _knowing(made, asked.features, template)
    request = replace(asked, traits={}, years=0.0, unknown=(), features=features)
    if request.empty:
        return made
    options = EditOptions(prompt=made.options.prompt, seed=made.options.seed)
    work = Work(made, made, request, options, template, prior, Allowed({}, {}))
    for step in STEPS:
        work = step(work)
    return work.head


def _knowing(made: FinishedHead, features: Mapping[str, float], template: Template) -> FinishedHead:
    """The head that knows of the features and forms it was grown with; tetrahedra have those of the prior alone."""
    if in_code(made.options):
        grown = {name: amount for name, amount in features.items() if name in MODES}
    else:
        grown = {**features, **forms_for(template, forms_of(made.start.words()))}
    return replace(made, start=replace(made.start, features=grown)) if grown else made
