from benchmarks.gates import flood


def test_a_flood_of_one_visitor_is_not_the_wait_of_another(tmp_path, monkeypatch):
    monkeypatch.setattr(flood, "WORK", "steps=10 pause=0.05")
    monkeypatch.setattr(flood, "MOST", 2.5)  # so short a wait is half made of starting processes
    outcome = flood.run(1, 0, tmp_path)
    assert not outcome.failures and dict(outcome.figures)["ratio"] > 0
