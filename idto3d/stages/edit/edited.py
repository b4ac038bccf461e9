"""An edit from words to a head: what is asked for, where it may change, each step in its order, and the seal."""

from collections.abc import Generator
from dataclasses import replace

from idto3d.checks import check_upscaler
from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.events import Event, Notice, Preview, StageStarted, StepDone
from idto3d.head.prior import HeadPrior
from idto3d.head.start import WORDS, Start, Trait
from idto3d.head.template_model import Template
from idto3d.stages.edit.allowed import allowed_of
from idto3d.stages.edit.beard import rebearded
from idto3d.stages.edit.drawn.adorned import BEARD, BROWS, about_sketch, adorned, made_of
from idto3d.stages.edit.drawn.drawing import Drawing
from idto3d.stages.edit.drawn.sketch import sketch_of, what_is_missed
from idto3d.stages.edit.glasses import bespectacled
from idto3d.stages.edit.guided import guided
from idto3d.stages.edit.hair import restyled
from idto3d.stages.edit.paint.colours import recoloured
from idto3d.stages.edit.paint.marks import marked
from idto3d.stages.edit.paint.parted import parted, recoloured_kinds, whole
from idto3d.stages.edit.paint.place import place_of
from idto3d.stages.edit.sealed import same_head, sealed
from idto3d.stages.edit.seen.mask import mask_of
from idto3d.stages.edit.seen.shown import picture_of
from idto3d.stages.edit.shape import reshaped
from idto3d.stages.edit.who import features_wanted
from idto3d.stages.edit.work import Work
from idto3d.stages.saved import FinishedHead
from idto3d.words.asked import read_edit
from idto3d.words.changed import subject_after
from idto3d.words.edits import EditRequest
from idto3d.words.traits import SHAVEN

STAGE = "edit"
STEPS = (reshaped, restyled, rebearded, bespectacled, recoloured, marked, adorned)
UNCHANGED = "This changes nothing: what it asks for is so already, or may not change."
EXAMPLE = 'Say what shall change, for example "green hair", "older" or "freckles".'


def edited(
    before: FinishedHead, options: EditOptions, template: Template, prior: HeadPrior, guide=None
) -> Generator[Event, None, FinishedHead]:
    """The head of `before` as the words of `options` ask, which may be drawn, exported and edited in turn.

    What they do not name stays bit for bit. guide: what judges pictures of it, see `guided`; None without. Raises
    UserError where the words ask for nothing that can be done and there is no sketch, or a picture cannot be read.
    """
    check_upscaler(before.options.export.upscaler)  # before any work: the asset is written by it
    request = understood(options, before.start)
    if request.unknown:
        yield Notice(_nothing(request.unknown))
    yield StageStarted(STAGE, len(STEPS) + 1)
    drawing = _sketch(before, options, template, request)
    if drawing is not None and (missed := what_is_missed(drawing)):
        yield Notice(missed)
    request = request if drawing is None else about_sketch(request, options.strength)
    allowed = allowed_of(before, options, template)
    work = Work(before, before, request, options, template, prior, allowed, drawing=drawing)
    if options.mask and recoloured_kinds(request):
        work = parted(work, mask_of(before, options, place_of(template, len(before.painted["skin"].albedo))).share)
    work = replace(work, head=replaceable(work.head, request))
    for number, step in enumerate(STEPS):
        work = step(work)
        yield StepDone(STAGE, number + 1, len(STEPS) + 1)
    head = sealed(work)
    nothing = same_head(work.before, head)
    head = before if nothing else replace(head, start=start_after(work))
    work = replace(work, head=head)
    yield Preview(STAGE, "relit", picture_of(head, before.options.preview_size))
    for sentence in work.told or (UNCHANGED,) * nothing:
        yield Notice(sentence)
    if guide is not None and options.steps and not nothing:
        work = yield from guided(work, guide)
        work = replace(work, head=replace(sealed(work), start=head.start))
    yield StepDone(STAGE, len(STEPS) + 1, len(STEPS) + 1)
    return work.head


def replaceable(head: FinishedHead, request: EditRequest) -> FinishedHead:
    """The head in which hair and beard that a request replaces are one part each, whatever masks have parted."""
    head = whole(head, "hair") if "hair_style" in request.traits else head
    return whole(head, "beard") if "beard" in request.traits else head


def _sketch(before: FinishedHead, options: EditOptions, template: Template, request: EditRequest) -> Drawing | None:
    """The sketch of `options`, made of what the `request` says; None without. Raises UserError as `sketch_of`."""
    if not options.sketch:
        return None
    place = place_of(template, len(before.painted["skin"].albedo))
    return replace(sketch_of(before, options, place), made_of=made_of(request))


def understood(options: EditOptions, start: Start) -> EditRequest:
    """What an edit asks for of a head that has begun as `start`.

    Raises UserError where that is nothing; a sketch needs no words.
    """
    request = read_edit(options.prompt, start.words())
    if request.empty and not options.sketch:
        raise UserError(
            _nothing(request.unknown) if request.unknown else "The edit does not say what to change.", EXAMPLE
        )
    return request


def _nothing(unknown: tuple[str, ...]) -> str:
    return f"This changes nothing: {', '.join(repr(word) for word in unknown)}."


def start_after(work: Work) -> Start:
    """The start of a head that was edited: it knows the traits and the words that the edit has put in."""
    start, request = work.head.start, work.request
    said = {name: Trait(word, WORDS) for name, word in request.traits.items()}
    traits = {**start.traits, **said}
    new = {name: trait.word for name, trait in traits.items() if trait != work.before.start.traits.get(name)}
    more = [f"{colour} {bearer}" for bearer, colour in request.colours.items() if bearer != "beard"]
    more += [name for name, amount in request.marks.items() if amount > 0] + ["glasses"] * bool(request.glasses)
    features = features_wanted(work)
    more += [name for name, amount in features.items() if amount > 0]
    more += [f"{one.form} {one.kind}".strip() for one in request.drawings]
    more += [] if work.drawing is None else [said for said in _sketched(work) if said not in more]
    gone = [name for name, amount in request.marks.items() if amount < 0] + ["glasses"] * (request.glasses is False)
    gone += [name for name, amount in features.items() if amount <= 0]
    return replace(start, traits=traits, subject=subject_after(start.subject, new, more, gone))


def _sketched(work: Work) -> list[str]:
    """What a sketch shows by the words that came with it, where the request does not tell it already."""
    asked = read_edit(work.options.prompt, work.before.start.words())
    said = [" ".join(filter(None, (one.colour, one.form, one.kind))) for one in asked.drawings]
    said += [f"{asked.colours[BROWS]} {BROWS}"] if BROWS in asked.colours else []
    beard = asked.traits.get(BEARD, SHAVEN)
    return said + [beard] * (beard != SHAVEN and BEARD not in work.request.traits)
