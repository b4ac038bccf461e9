from benchmarks.gates.soak import LEAST, Sample, judged, soaked


def test_a_short_soak_counts_its_cycles_and_what_is_taken_up(tmp_path):
    outcome = soaked(2.0, 0, tmp_path)
    figures = dict(outcome.figures)
    assert outcome.tries >= 1 and figures["memory_mb"] > 50 and figures["descriptors"] > 5


def grown(**by):
    steady = {"memory_mb": 300.0, "descriptors": 40.0, "disk_kb": 10.0}
    return [
        Sample(60.0 * minute, **{name: value + by.get(name, 0.0) * minute / 20 for name, value in steady.items()})
        for minute in range(20)
    ]


def test_what_stays_is_let_pass_and_each_kind_of_growth_is_seen():
    assert judged(grown())[0] == ()
    for name, least in LEAST.items():
        (failure,) = judged(grown(**{name: 10 * least}))[0]
        assert failure.startswith(name)
