"""What a user should know before the work begins: words that are not heard, and guesses that may be wrong."""

from collections.abc import Iterator

import torch

from idto3d.bundle.info import BundleInfo
from idto3d.config import HeadOptions
from idto3d.events import Notice
from idto3d.fields.tcnn_grid import substitute as slower_grids
from idto3d.guidance.schedules import say_high
from idto3d.head.start import EMBEDDING, PHOTOS, Start
from idto3d.render.backend import substitute as slower_drawing
from idto3d.stages.wish import Wish
from idto3d.words import prompts
from idto3d.words.asked import features_said, painted_words
from idto3d.words.captions import described
from idto3d.words.faces.heard import face_words
from idto3d.words.reading import meant


def notices(options: HeadOptions, start: Start, wish: Wish) -> Iterator[Notice]:
    """All of them, in the order in which they matter."""
    guidance = wish.guidances[0][0]
    yield from substitutes(wish.device())
    yield from unknown_words(options, guidance.info, start.embedding is None)
    if start.embedding is not None:
        yield from unused(options.prompt)
    yield from say_high(options, guidance.info)
    yield from guesses(start)
    longest = guidance.info.prompt("geometry", max(guidance.asking("geometry").views, key=len), wish.subject, "")
    lost = prompts.lost_words(guidance.cut_off(longest), wish.subject)
    if lost:
        yield Notice(f"The prompt is too long for the weights; this is not heard: {' '.join(lost)}.")


def unknown_words(options: HeadOptions, info: BundleInfo, alone: bool = False) -> Iterator[Notice]:
    """Name the words that the weights' text encoder never saw, and say where expressions are mere words.

    alone: whether words alone say who the head is; then those that choose its face are heard.
    """
    if options.prompt.strip() and not prompts.words(options.prompt):
        yield Notice("The prompt holds no word in Latin letters and is not heard. Write it in English.")
    said = info.unknown_words(meant(f"{options.prompt} {options.negative_prompt}"))
    known = painted_words(options.prompt)
    if alone and options.choice.candidates:
        known |= face_words(options.prompt)
    if unknown := [word for word in said if word not in known]:
        yield Notice(f"The weights '{info.name}' do not know: {', '.join(repr(word) for word in unknown)}.")
    if info.in_words():
        yield Notice(f"The weights '{info.name}' have no expression branch; expressions are asked for in words.")


def unused(prompt: str) -> Iterator[Notice]:
    """Name what is asked of a face beside photos, which say better what it is like."""
    if said := [f"'{one}'" for one in features_said(prompt)]:
        told = f"{', '.join(said)} {'is' if len(said) == 1 else 'are'} not used"
        yield Notice(
            f"Photos say what the face is like; {told}. Ask for {'it' if len(said) == 1 else 'them'} as a change."
        )


def guesses(start: Start) -> Iterator[Notice]:
    """Say what the photos suggest, since it goes into shape, colours and prompt, and may be wrong."""
    seen = {name: trait.word for name, trait in start.traits.items() if trait.source in (PHOTOS, EMBEDDING)}
    if seen:
        yield Notice(f"The photos suggest: {described(seen)}. Your words overrule this.")


def substitutes(device: torch.device) -> Iterator[Notice]:
    """Say what computes more slowly on `device` than it could."""
    for sentence in (slower_drawing(device), slower_grids(device)):
        if sentence is not None:
            yield Notice(sentence)
