"""A finished head of words with small textures, and what an edit of it works with."""

from dataclasses import dataclass

import pytest
import torch

from idto3d.config import EMBEDDED, EditOptions, ExportOptions, HeadOptions
from idto3d.events import exhausted
from idto3d.fields.material_field import MaterialField
from idto3d.geometry.tet_grid import BOX_HIGH, BOX_LOW
from idto3d.head.prior import HeadPrior
from idto3d.head.prior_file import load_prior
from idto3d.head.start import start_of
from idto3d.head.template_file import load_template
from idto3d.head.template_model import Template
from idto3d.stages.dressing import painted
from idto3d.stages.edit.allowed import allowed_of
from idto3d.stages.edit.work import Work
from idto3d.stages.fit import fit_head
from idto3d.stages.saved import FinishedHead

TEMPLATE_FILE, PRIOR_FILE = "template.safetensors", "head_prior.safetensors"
PROMPT = "man with short brown hair and a beard"


@dataclass(frozen=True, eq=False)
class Ground:
    """What a head of words is fitted with: of the weights' models those that draw no pictures."""

    template: Template
    prior: HeadPrior
    scorer: None = None  # nothing is chosen


@pytest.fixture(scope="session")
def ground():
    """The embedded weights' template and head prior."""
    return Ground(load_template(EMBEDDED / TEMPLATE_FILE), load_prior(EMBEDDED / PRIOR_FILE, "cpu"))


@pytest.fixture(scope="session")
def finished(ground, worked_out_once):
    """A head as words say it, before any guidance."""
    return worked_out_once("finished", lambda: of_words(ground))


def of_words(ground):
    """The head of PROMPT, fitted and painted."""
    options = HeadOptions(
        device="cpu",
        prompt=PROMPT,
        expressions=("neutral", "smile"),
        preview_size=64,
        export=ExportOptions(texture_size=256),
    )
    start = start_of(None, options, ground.prior)
    fitted = exhausted(fit_head(None, start, ground, options))
    random = torch.Generator().manual_seed(0)
    field = MaterialField(options.expressions, options.material, (BOX_LOW, BOX_HIGH), generator=random)
    rest = fitted.rest
    head = rest.head.first(len(options.expressions))  # edits work on each of 64 as on these two
    about = (head, rest.coefficients, {}, ground.prior, field, options, "embedded", ("CC0",))
    return FinishedHead(start, *about, painted(fitted.wear))


@pytest.fixture
def work(ground, finished):
    """work(request, **options): the head in the midst of that edit."""

    def begun(request, **options):
        chosen = EditOptions(prompt="as in the test", **options)
        allowed = allowed_of(finished, chosen, ground.template)
        return Work(finished, finished, request, chosen, ground.template, ground.prior, allowed)

    return begun
