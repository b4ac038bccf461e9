"""A head in the midst of an edit, which every step takes and returns."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from idto3d.config import EditOptions
from idto3d.head.prior import HeadPrior
from idto3d.head.template_model import Template
from idto3d.stages.edit.drawn.drawing import Drawing
from idto3d.stages.saved import FinishedHead
from idto3d.words.edits import EditRequest


@dataclass(frozen=True, eq=False)
class Allowed:
    """Where a head may change, 0..1; without locks and masks that is everywhere.

    texels: [S, S] float32 by material, of its textures' size; a material that is not there may change as a whole.
    vertices: [V] float32 by part, likewise.
    """

    texels: dict[str, np.ndarray]
    vertices: dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Work:
    """What an edit has made of a head so far: `before` is what it began with, `head` what it is now.

    `told` are sentences for the user about what could not be done, `drawing` is the sketch that came with the request.
    """

    before: FinishedHead
    head: FinishedHead
    request: EditRequest
    options: EditOptions
    template: Template
    prior: HeadPrior
    allowed: Allowed
    told: tuple[str, ...] = ()
    drawing: Drawing | None = None
