import random

from benchmarks.gates import abuse
from benchmarks.gates.gate import tried
from benchmarks.gates.hostile import hostile


def test_a_few_dozen_hostile_requests_change_nothing_for_a_visitor():
    found = tried(abuse.GATE, 40, 7)
    assert found["tries"] == 40 and found["failed"] == 0, found["failures"]
    assert found["figures"]["visits"] >= 2


def test_requests_are_of_every_kind_and_come_again_with_the_seed():
    drawn = [hostile(random.Random(number), {0: 1, 1: 7}) for number in range(200)]
    assert drawn == [hostile(random.Random(number), {0: 1, 1: 7}) for number in range(200)]
    assert len({wire.kind for wire in drawn}) == 11
