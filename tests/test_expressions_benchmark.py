"""The benchmark of expressions: what it tells apart, and that it never learns from the head it judges."""

from pathlib import Path

import numpy as np
import pytest

from idto3d.errors import UserError
from idto3d.words.expressions import NAMES


@pytest.fixture(autouse=True)
def at_hand(monkeypatch):
    """The benchmarks can be imported; they are no part of the package."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))


@pytest.fixture
def weights():
    """Of five heads that show each expression as the others do, up to a little noise."""
    random = np.random.default_rng(0)
    return random.uniform(0, 1, (1, len(NAMES), 51)) + random.normal(0, 0.02, (5, len(NAMES), 51))


def test_clear_expressions_are_told_and_one_shown_as_another_is_counted_as_such(weights):
    from benchmarks.expressions import report, told

    assert report(told(weights)) == {
        "heads": 5,
        "right": 1.0,
        "by_expression": dict.fromkeys(NAMES, 1.0),
        "mistakes": {},
    }
    weights[3, NAMES.index("smile")] = weights[2, NAMES.index("grin")]
    weights[4, NAMES.index("squeeze")] = np.nan
    found = report(told(weights))
    assert found["mistakes"] == {"smile -> grin": 1, "squeeze -> no face": 1}
    assert found["right"] == pytest.approx(1 - 2 / (5 * len(NAMES))) and found["by_expression"]["smile"] == 0.8


def test_a_head_is_judged_by_the_others_alone(weights):
    from benchmarks.expressions import told

    weights[0] = weights[0, ::-1]  # it shows every expression as another one: its own pictures must not vouch for it
    assert told(weights)[0].tolist() == list(range(len(NAMES)))[::-1]


def test_too_few_heads_are_refused(tmp_path):
    from benchmarks.expressions import finished_heads

    with pytest.raises(UserError, match="There are 0 finished heads"):
        finished_heads(tmp_path)
