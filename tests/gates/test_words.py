"""The gate of prompts and options, in small, and that it can fail."""

from idto3d.words import reading


def test_prompts_and_options_of_any_kind_are_read_or_refused(tmp_path):
    from benchmarks.gates.words import GATE

    outcome = GATE.run(240, 0, tmp_path)
    assert outcome.tries == 240 and outcome.failures == ()
    assert list(tmp_path.iterdir()) == []


def test_a_fault_is_told_with_its_seed(tmp_path, monkeypatch):
    from benchmarks.gates.words import GATE

    def broken(_prompt):
        raise ZeroDivisionError("it is broken")

    monkeypatch.setattr(reading, "said_traits", broken)
    assert GATE.run(3, 6, tmp_path).failures == ("read_prompt of seed 6: ZeroDivisionError: it is broken",)
