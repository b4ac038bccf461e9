"""The benchmark of animations judges right, on tracks whose likeness is known."""

import numpy as np
import pytest

from benchmarks.animate import MOVEMENTS, NEEDED, OPPOSITE, judged, known_track


@pytest.fixture(scope="module")
def track():
    return known_track(6.0)


def test_the_truth_is_its_own_equal(track):
    scores = judged(track, track.as_json())
    assert set(scores) == {*MOVEMENTS, "yaw", "pitch", "roll"}
    assert all(score["correlation"] > 0.99 and 0.95 < score["gain"] < 1.05 for score in scores.values())


def test_what_comes_late_or_weak_is_told(track):
    told = track.as_json()
    told["weights"] = (0.5 * np.roll(told["weights"], 8, axis=0)).tolist()
    scores = judged(track, told)
    assert all(scores[name]["correlation"] < 0.9 and scores[name]["gain"] < 0.6 for name in NEEDED)
    assert scores["yaw"]["correlation"] > 0.99


def test_nobody_does_what_nobody_can(track):
    for one, other in OPPOSITE:
        height = [track.weights[:, [track.names.index(name) for name in MOVEMENTS[way]]].max(1) for way in (one, other)]
        assert height[0].max() > 0.3 and (height[0] * height[1]).max() < 0.13
