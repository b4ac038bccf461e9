"""Glasses put on a head, exchanged for others, and taken off again."""

from collections.abc import Sequence
from dataclasses import replace

from idto3d.head.glasses.part import (
    LARGENESSES,
    NAME,
    THICKNESSES,
    Build,
    build_of,
    frame_colour,
    frame_material,
    glasses_for,
)
from idto3d.head.parts import Part
from idto3d.stages.edit.hair import with_part
from idto3d.stages.edit.remembered import telling
from idto3d.stages.edit.work import Work
from idto3d.stages.hair import scalp_skin
from idto3d.words.looks.eyewear import Frames
from idto3d.words.paints import paint_of

PAINTED = "There are no glasses to take off: those that photos show are painted on the skin, and stay."
USUAL = Frames()


def bespectacled(work: Work) -> Work:
    """The head with glasses as the request asks, or without; the same where it asks for neither."""
    wanted, frames = work.request.glasses, work.request.frames
    worn = next((part for part in work.head.head.parts if part.name == NAME), None)
    if wanted is None or not work.options.strength:
        return work
    if wanted == (worn is not None) and not (wanted and frames):
        return telling(work, "The head wears glasses already." if worn else PAINTED)
    if work.options.keep == "geometry":
        return telling(work, "Glasses are neither put on nor taken off, because geometry is to be kept.")
    return replace(work, head=with_part(work.head, NAME, _put_on(work, frames or USUAL, worn) if wanted else None))


def _put_on(work: Work, frames: Frames, worn: Part | None):
    """The glasses as a part and what they are made of; of those that are `worn` what is not named stays."""
    old = Build() if worn is None else build_of(worn)
    rgb = None if worn is None else frame_colour(work.head.painted[NAME], old)
    build = Build(
        frames.form or old.form,
        old.dark if frames.dark is None else frames.dark,
        _stepped(frames.thick, old.thick, frames.thicker, THICKNESSES),
        _stepped(frames.size, old.larger, frames.larger, LARGENESSES),
    )
    if frames.colour:
        rgb = paint_of(frames.colour).rgb_on("drawing")
    head = work.head.head
    part = glasses_for(scalp_skin(head, work.template), len(head.expressions), build)
    return part, frame_material(build, rgb)


def _stepped(said: float, old: float, steps: int, known: Sequence[float]) -> float:
    """What is said of thickness or size, 1 being nothing, else so many steps from the `old` one along what is known."""
    scale = sorted(known)
    return scale[min(max(scale.index(old) + steps, 0), len(scale) - 1)] if said == 1.0 else said
