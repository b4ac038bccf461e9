"""Who is asked about an edit: the weights that made the head where they are at hand, else the embedded ones."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np
import torch

from idto3d.bundle.find import fetch_weights, find_bundle, find_here
from idto3d.config import GuidanceOptions
from idto3d.device import choose_device
from idto3d.events import Event, Notice
from idto3d.guidance.loading import load_weights
from idto3d.guidance.memory import expect_memory
from idto3d.guidance.prediction import Guidance
from idto3d.stages.models import companions, plain_wish
from idto3d.stages.saved import FinishedHead
from idto3d.stages.wish import Companion, Wish

STAGE = "edit"
VIEWS = 2  # cameras of a step
UNGUIDED = "End what else uses it, or edit without guidance (steps=0)."
FALLBACK = "embedded"


@dataclass(frozen=True, eq=False)
class Guide:
    """Loaded weights. `own`: whether they are those that the head was made with, so that they know its face.

    `beside` are asked beside the guidance.
    """

    guidance: Guidance
    own: bool
    beside: tuple[Companion, ...] = ()


Guides = Callable[[FinishedHead], Generator[Event, None, Guide]]  # loads, or gives what it has loaded before


def load_guide(before: FinishedHead) -> Generator[Event, None, Guide]:
    """Load what may be asked about edits of `before`; a Notice says where that is not what made it. Raises UserError.

    Nothing is fetched. The face embedding is another encoder's to other weights, which are asked by words alone.
    """
    here = find_here(before.options.weights, before.weights)
    if here is None:
        yield Notice(f"The weights '{before.weights}' are not at hand; the edit asks the embedded ones.")
    located = here or (yield from find_bundle(FALLBACK))
    asked = before.options.guidance if here else GuidanceOptions()
    files = yield from fetch_weights(located, refine=False, beside=asked.beside)
    device = choose_device(before.options.device)
    expect_memory(files, VIEWS, device, refine=False, remedy=UNGUIDED)
    bundle = load_weights(files, device)
    guidance = Guidance(bundle, asked.lambda_id, asked.lambda_exp)
    return Guide(guidance, here is not None, companions(files, bundle, asked))


class KeptGuide:
    """A `Guides` that keeps the weights it loaded last: for a process that makes one edit after another."""

    def __init__(self) -> None:
        self._key: tuple[str, str, GuidanceOptions, str] | None = None
        self._guide: Guide | None = None

    def __call__(self, before: FinishedHead) -> Generator[Event, None, Guide]:
        """As `load_guide`."""
        options = before.options
        key = (options.weights, before.weights, options.guidance, options.device)
        if self._guide is None or key != self._key:
            self._guide = None  # two do not fit into a small memory
            self._guide = yield from load_guide(before)
            self._key = key
        return self._guide


def wish_of(head: FinishedHead, guide: Guide) -> Wish:
    """What the guide is asked for: the person that `head` starts from, in the words of that start."""
    info, embedding = guide.guidance.info, head.start.embedding
    known = guide.own and embedding is not None and len(embedding) == info.identity_encoder.dimension
    identity = embedding if known else np.zeros(info.identity_encoder.dimension, np.float32)
    asked = head.options.guidance if guide.own else GuidanceOptions()
    wish = plain_wish(head.start.subject, torch.from_numpy(identity), head.options, asked, guide.guidance)
    return replace(wish, beside=guide.beside)
