from benchmarks.gates import cancel


def test_cancels_at_random_moments_stop_the_job(tmp_path):
    outcome = cancel.run(4, 0, tmp_path)
    assert outcome.tries == 4 and not outcome.failures and dict(outcome.figures)["p99_seconds"] < 2.0


def test_the_gate_sees_a_job_that_goes_on_and_a_cancel_that_takes_long(tmp_path, monkeypatch):
    monkeypatch.setattr(cancel, "KINDS", ("steps=1 pause=0.01",))
    monkeypatch.setattr(cancel, "LATEST", 0.0)
    monkeypatch.setattr(cancel, "P99_SECONDS", 0.0)
    for verb in ("cancel", "delete"):
        monkeypatch.setattr(cancel.Desk, verb, lambda desk, job_id: None)
    left, slow = cancel.run(1, 0, tmp_path).failures
    assert "left it" in left and "99 of 100" in slow
