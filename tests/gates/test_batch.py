"""The gate of batches, with few heads and frequent kills."""

from benchmarks.gates import batch


def test_a_batch_whose_workers_are_killed_ends_with_every_head_once(tmp_path):
    outcome = batch.run(4, 0, tmp_path, between=(0.6, 0.9))
    figures = dict(outcome.figures)
    assert (outcome.tries, outcome.failures) == (4, ())
    assert figures["kills"] >= 1 and figures["begun"] >= 4 + figures["kills"] // 2


def test_the_gate_sees_a_head_that_two_made(tmp_path):
    place = batch.crowd(1, 0, tmp_path)[0]
    engine = batch.LocalEngine(1, batch.PIPELINE)
    batch.Conductor([place], engine).go_on(lambda _place: None)
    assert not batch._fault(place)
    with open(place.folder / batch.toy.STEPS, "a") as file:
        file.write("3\n")
    assert "had the steps 1 2 3 4 5 6 7 8 3" in batch._fault(place)
