import pytest

from benchmarks.gates import clients, toys


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(clients, "FLOODERS", 1)
    monkeypatch.setattr(clients, "P95_SECONDS", 10.0)  # tests share the machine; the gate itself asks for one second


def test_visitors_at_once_see_nothing_of_each_other(tmp_path, small):
    outcome = clients.run(3, 0, tmp_path)
    assert outcome.tries == 3 and not outcome.failures and dict(outcome.figures)["drawings_refused"] > 0


def test_the_gate_sees_a_drawing_of_another_head(tmp_path, small, monkeypatch):
    monkeypatch.setattr(toys, "colour", lambda mark: (1, 2, 3))  # the page, in its own process, draws as ever
    (failure,) = clients.run(1, 0, tmp_path).failures
    assert "another's drawing" in failure
