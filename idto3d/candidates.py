"""Heads that words could mean, as pictures to choose from, before one of them is made.

Only template, prior and scorer of the weights are needed: seconds, and no guidance.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from idto3d.bundle.entries import FILE
from idto3d.bundle.find import LocatedBundle, fetch, find_bundle
from idto3d.bundle.info import BundleInfo
from idto3d.bundle.layout import PRIOR_FILE, SCORER_FILE, TEMPLATE_FILE
from idto3d.checks import checked
from idto3d.config import EMBEDDED, HeadOptions
from idto3d.device import choose_device
from idto3d.errors import UserError
from idto3d.events import Candidate, CandidatesFound, Event, HairChoice, HairFound, Notice, StageStarted, StepDone
from idto3d.guidance.scorer.clay import clay_of
from idto3d.guidance.scorer.scorer import Scorer
from idto3d.head.prior import HeadPrior
from idto3d.head.start import Start, start_of
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.stages.choice.choose import Scored, chosen, scored
from idto3d.stages.choice.hair import grown_hair, hair_picture, in_colour, ranked_hair, said_by
from idto3d.stages.choice.pick import pick
from idto3d.stages.choice.picture import picture_of, portrait_of
from idto3d.stages.models import choosing, start_prior
from idto3d.stages.notices import unknown_words

STAGE, HAIR_STAGE = "candidates", "hair"
SIZE = 256  # pixels of a candidate's picture
MOST = 64  # that are shown at once


@dataclass(frozen=True, eq=False)
class Chooser:
    """What choosing takes."""

    template: Template
    prior: HeadPrior
    scorer: Scorer
    info: BundleInfo


def propose(options: HeadOptions, like: Sequence[Sequence[float]] = (), count: int = 9) -> Iterator[Event]:
    """`count` heads for the prompt of `options`, the best first, that differ from each other.

    like: coefficients of candidates that they shall resemble. The last event is CandidatesFound; its candidates'
    coefficients are for `choice.chosen`; those before it have the first of these. The same options and `like` give the
    same. Raises UserError.
    """
    checked(options)
    _expect(options, count)
    chooser = yield from _load(options)
    start = start_of(None, options, chooser.prior)
    like = [chosen(replace(options.choice, chosen=tuple(one)), len(chooser.template.identity)).tolist() for one in like]
    yield from _unheard(options, chooser)
    yield StageStarted(STAGE, count + 1)
    expected = chooser.prior.expected_coefficients(start.coefficients).cpu().numpy()
    found = scored(expected, start, chooser.template, chooser.scorer, options, like)
    yield StepDone(STAGE, 1, count + 1)
    shown = yield from _shown(found, chooser.template, start, options.prompt, count)
    yield CandidatesFound(tuple(shown))


def _unheard(options: HeadOptions, chooser: Chooser) -> Iterator[Event]:
    yield from unknown_words(options, chooser.info, alone=True)
    if not chooser.scorer.hears(options.prompt):
        yield Notice("The scorer hears nothing of a face in the prompt: these are drawn at random.")


def _expect(options: HeadOptions, count: int) -> None:
    if not options.prompt.strip():
        raise UserError("Candidates are chosen by words, and there are none.", "Write a prompt.")
    if not 1 <= count <= MOST:
        raise UserError(f"{count} candidates cannot be shown.", f"Ask for 1 to {MOST}.")
    if options.choice.candidates < count:
        what = f"choice.candidates={options.choice.candidates} is fewer than the {count} that are to be shown."
        raise UserError(what, "Set it higher.")


def _load(options: HeadOptions) -> Generator[Event, None, Chooser]:
    device = choose_device(options.device)
    located = yield from find_bundle(options.weights)
    folder = yield from _fetched(located)
    files: LocatedBundle = replace(located, folder=folder)
    own = folder / TEMPLATE_FILE
    template = load_template(own if own.is_file() else EMBEDDED / TEMPLATE_FILE, device)
    free = replace(options, choice=replace(options.choice, chosen=(), candidates=max(1, options.choice.candidates)))
    scorer = yield from choosing(free, files, template)
    if scorer is None:
        raise UserError("These weights have no scorer that could choose.", "Name one by choice.scorer.")
    return Chooser(template, start_prior(options, files, device), scorer, files.info)


def _fetched(located: LocatedBundle) -> Generator[Event, None, Path]:
    """The folder with what choosing takes of a bundle, as far as it has that; fetched where it is not here."""
    files = {} if located.origin is None else located.origin.files
    wanted = {name: files[name] for name in (FILE, TEMPLATE_FILE, PRIOR_FILE, SCORER_FILE) if name in files}
    if len(wanted) < 2:
        return located.folder
    return (yield from fetch(replace(located.origin, files=wanted)))


def _shown(
    found: Scored, template: Template, start: Start, prompt: str, count: int
) -> Generator[Event, None, list[Candidate]]:
    """Those to be shown, drawn one by one."""
    weights = np.sqrt((found.clay.modes**2).mean(1))
    shown = []
    for number in pick(found.coefficients, found.scores, weights, count):
        one = found.coefficients[number]
        picture = picture_of(portrait_of(template, found.clay, one, start, prompt), SIZE)
        shown.append(Candidate(tuple(map(float, one)), float(found.scores[number]), picture))
        yield StepDone(STAGE, len(shown) + 1, count + 1)
        yield CandidatesFound(tuple(shown))
    return shown


def hair_choices(options: HeadOptions, styles: int = 10, colours: int = 10) -> Iterator[Event]:
    """So many hair styles and colours for the prompt of `options`, the best first, as pictures.

    What words name comes first. The head is the one that `choice.chosen` says, else the one that words let expect. The
    last event is HairFound. Raises UserError.
    """
    checked(options)
    chooser = yield from _load(options)
    template, start = chooser.template, start_of(None, options, chooser.prior)
    by_style, by_colour = ranked_hair(chooser.scorer, options.prompt, said_by(start))
    wanted, dyes = list(by_style)[:styles], list(by_colour)[:colours]
    yield StageStarted(HAIR_STAGE, len(wanted) + 1)
    expected = chooser.prior.expected_coefficients(start.coefficients)
    one = chosen(options.choice, len(expected)) if options.choice.chosen else expected
    portrait = portrait_of(
        template, clay_of(template), one.cpu().numpy(), start, options.prompt, bool(options.choice.chosen)
    )
    shown, best = [], None
    for step, style in enumerate(wanted, 1):
        hair = grown_hair(template, portrait, style, dyes[0], options.seed)
        best = best or hair
        picture = hair_picture(portrait, hair, None if hair is None else hair.albedo, SIZE)
        shown.append(HairChoice(style, by_style[style], picture))
        yield StepDone(HAIR_STAGE, step, len(wanted) + 1)
    tinted = [HairChoice(dye, by_colour[dye], hair_picture(portrait, best, in_colour(best, dye), SIZE)) for dye in dyes]
    yield StepDone(HAIR_STAGE, len(wanted) + 1, len(wanted) + 1)
    yield HairFound(tuple(shown), tuple(tinted))
