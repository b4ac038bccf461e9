import pytest

from benchmarks.gates import faults
from idto3d.jobs import checkpoint, run_folder


def test_faults_are_told_and_runs_go_on(tmp_path):
    outcome = faults.run(2, 1, tmp_path)
    assert outcome.tries == 8 and not outcome.failures


@pytest.mark.parametrize(
    "module, name, stub, kind",
    [
        (run_folder, "RESERVE_BYTES", 0, "disk"),
        (run_folder, "refusal_of", lambda *_: None, "shut"),
        (checkpoint.Checkpointer, "skipped", lambda self: [], "damaged"),
    ],
)
def test_the_gate_sees_a_guard_that_is_missing(tmp_path, monkeypatch, module, name, stub, kind):
    monkeypatch.setattr(module, name, stub)
    monkeypatch.setattr(faults, "KINDS", (kind,))
    assert faults.run(3, 0, tmp_path).failures
