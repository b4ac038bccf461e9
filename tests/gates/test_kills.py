from benchmarks.gates import kills
from idto3d.jobs import checkpoint


def test_killed_runs_go_on_to_the_same_bytes(tmp_path):
    outcome = kills.run(5, 0, tmp_path)
    assert outcome.tries == 5 and not outcome.failures


def test_the_gate_sees_work_that_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr(kills, "SAVING", -kills.BETWEEN)  # no step may be done again
    monkeypatch.setattr(checkpoint.Checkpointer, "due", lambda self: False)
    failures = kills.run(4, 0, tmp_path).failures
    assert failures and all("lost" in failure for failure in failures)
