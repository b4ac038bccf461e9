"""The template of the embedded bundle, and heads drawn from it."""

import pytest
import torch

from idto3d.bundle.layout import TEMPLATE_FILE
from idto3d.config import EMBEDDED
from idto3d.head.template_file import load_template


@pytest.fixture(scope="session")
def ict():
    """The template head."""
    return load_template(EMBEDDED / TEMPLATE_FILE)


@pytest.fixture(scope="session")
def people(ict):
    """[4, V, 3] metres: random adults, a baby and an old man; the same ones each time."""
    coefficients = 0.8 * torch.randn(4, len(ict.identity), generator=torch.Generator().manual_seed(3))
    coefficients[:, -len(ict.words) :] = 0
    coefficients[2, _mode(ict, "baby")] = 1
    coefficients[3, _mode(ict, "old")] = 1
    coefficients[3, _mode(ict, "female")] = -0.5
    return ict.shape(coefficients)


def _mode(ict, word):
    return len(ict.identity) - len(ict.words) + ict.words.index(word)
