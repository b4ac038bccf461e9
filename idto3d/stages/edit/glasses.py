"""Glasses put on a head, and taken off again."""

from dataclasses import replace

from idto3d.head.glasses.part import NAME, frame_material, glasses_for
from idto3d.stages.edit.hair import with_part
from idto3d.stages.edit.remembered import telling
from idto3d.stages.edit.work import Work
from idto3d.stages.hair import scalp_skin

PAINTED = "There are no glasses to take off: those that photos show are painted on the skin, and stay."


def bespectacled(work: Work) -> Work:
    """The head with glasses or without, as the request asks; the same where it asks for neither."""
    wanted, worn = work.request.glasses, any(part.name == NAME for part in work.head.head.parts)
    if wanted is None or not work.options.strength:
        return work
    if wanted == worn:
        return telling(work, "The head wears glasses already." if worn else PAINTED)
    if work.options.keep == "geometry":
        return telling(work, "Glasses are neither put on nor taken off, because geometry is to be kept.")
    head = work.head.head
    part = glasses_for(scalp_skin(head, work.template), len(head.expressions)) if wanted else None
    worn_now = None if part is None else (part, frame_material())
    return replace(work, head=with_part(work.head, NAME, worn_now))
