"""What a gate says: its tries, its failures, and an exit code that a failure changes."""

import json

import pytest


def odd(count, seed, folder):
    """A gate's tries of which every odd number fails."""
    from benchmarks.gates.gate import Outcome

    assert list(folder.iterdir()) == []
    failures = tuple(f"{number} is odd" for number in range(seed, seed + count) if number % 2)
    return Outcome(count, failures, (("slowest_seconds", 0.5),))


@pytest.fixture
def gate():
    from benchmarks.gates.gate import Gate

    return Gate("even", "No number is odd.", 4, odd)


def test_failures_are_counted_and_change_the_exit_code(gate, capsys):
    from benchmarks.gates.gate import command

    assert command(gate, []) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["tries"], told["failed"], told["failures"]) == (4, 2, ["1 is odd", "3 is odd"])
    assert told["figures"] == {"slowest_seconds": 0.5} and told["threads"] > 0
    assert command(gate, ["--count", "1", "--seed", "2"]) == 0


def test_all_are_run_by_a_share_of_their_tries_and_kept(gate, monkeypatch, tmp_path, capsys):
    from benchmarks.gates import __main__ as runner

    monkeypatch.setattr(runner, "gates", lambda: {"even": gate})
    assert runner.main(["--share", "0.25", "--out", str(tmp_path / "gates.json")]) == 0
    kept = json.loads((tmp_path / "gates.json").read_text())
    assert kept == json.loads(capsys.readouterr().out) and kept["gates"][0]["tries"] == 1
    assert runner.main(["even", "--share", "0.5"]) == 1
