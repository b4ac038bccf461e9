"""What the gates' tests share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
