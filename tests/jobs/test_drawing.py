import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from idto3d.config import RenderOptions
from idto3d.errors import UserError
from idto3d.jobs.drawing.studio import Studio, Superseded
from idto3d.jobs.limits import LOCAL

SOON = RenderOptions(size=16)


def lasting(seconds, weight=0.0):
    return replace(SOON, azimuth_deg=seconds, expressions=(("smile", weight),))


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import toy_drawings

    yield toy_drawings
    sys.modules.pop("toy_drawings", None)


@pytest.fixture
def studio(toys):
    studio = Studio(toys.render_view, replace(LOCAL, view_seconds=1.0))
    yield studio
    studio.rest(0.0)


@pytest.fixture
def heads(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
    return tmp_path / "a", tmp_path / "b"


class Call(threading.Thread):
    """A drawing asked for beside the test."""

    def __init__(self, studio, *asked, **how):
        super().__init__(daemon=True)
        self.ask, self.error = lambda: studio.draw(*asked, **how), None
        self.start()

    def run(self):
        self.begun = time.monotonic()
        try:
            self.picture = self.ask()
        except Exception as error:
            self.error = error
        self.ended = time.monotonic()

    def over(self):
        self.join(30.0)
        return self.error


def drawing(head, seconds=30.0):
    """The process that draws a head, once it does."""
    deadline = time.monotonic() + seconds
    while not (head / "drawing").exists() or not (text := (head / "drawing").read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return int(text)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_picture_comes_from_another_process_which_is_kept(studio, heads):
    picture = studio.draw(heads[0], lasting(0.0, 1.0))
    assert picture.shape == (16, 16, 3) and picture.dtype == np.uint8 and (picture == 255).all()
    first = drawing(heads[0])
    studio.draw(heads[0], SOON)
    assert drawing(heads[0]) == first != os.getpid()


def test_refusals_and_faults_come_through_and_the_next_drawing_is_none_the_worse(studio, heads):
    with pytest.raises(UserError, match="no colour"):
        studio.draw(heads[0], replace(SOON, mode="albedo"))
    for mode in ("clay", "normal"):
        with pytest.raises(RuntimeError):
            studio.draw(heads[0], replace(SOON, mode=mode))
    assert (studio.draw(heads[0], SOON) == 0).all()


def test_a_drawing_that_takes_too_long_is_ended_with_its_process(studio, heads):
    with pytest.raises(UserError, match="longer than 1 seconds"):
        studio.draw(heads[0], lasting(60.0))
    assert not is_alive(drawing(heads[0]))
    assert (studio.draw(heads[0], SOON) == 0).all()


def test_a_head_that_is_forgotten_leaves_no_process_and_another_s_drawing_is_drawn_all_the_same(studio, heads):
    studio.draw(heads[0], SOON)
    other = Call(studio, heads[1], lasting(0.8, 1.0), "another")
    first = drawing(heads[1])
    studio.forget(heads[0])
    assert not is_alive(first)
    assert other.over() is None and (other.picture == 255).all() and drawing(heads[1]) != first


def test_drawings_of_a_head_that_is_forgotten_are_refused(studio, heads):
    now = Call(studio, heads[0], lasting(0.9), "one")
    drawing(heads[0])
    waiting = Call(studio, heads[0], SOON, "two")
    time.sleep(0.1)
    studio.forget(heads[0])
    assert "was deleted" in str(now.over()) and "was deleted" in str(waiting.over())


def test_a_visitor_s_share_is_refused_when_it_is_full_and_another_s_is_not(studio, heads):
    calls = [Call(studio, heads[0], lasting(0.6), "one")]
    drawing(heads[0])
    calls.append(Call(studio, heads[0], SOON, "one"))
    time.sleep(0.1)
    with pytest.raises(UserError, match="2 drawings wait for you already") as refused:
        studio.draw(heads[0], SOON, "one")
    assert refused.value.remedy.endswith(".")
    calls.append(Call(studio, heads[1], SOON, "two"))
    assert [call.over() for call in calls] == [None] * 3


def test_all_shares_together_are_bounded(toys, heads):
    studio = Studio(toys.render_view, replace(LOCAL, total_views=1))
    call = Call(studio, heads[0], lasting(0.5), "one")
    drawing(heads[0])
    with pytest.raises(UserError, match="Too many drawings"):
        studio.draw(heads[0], SOON, "two")
    assert call.over() is None


def test_the_newest_view_of_who_looks_on_takes_the_place_of_the_older_ones(studio, heads):
    first = Call(studio, heads[0], lasting(0.6), "one", live=True)
    drawing(heads[0])
    older = Call(studio, heads[0], SOON, "one", live=True)
    time.sleep(0.1)
    newest = Call(studio, heads[0], lasting(0.0, 1.0), "one", live=True)
    assert isinstance(older.over(), Superseded)
    assert first.over() is newest.over() is None and (newest.picture == 255).all()


def test_the_first_drawing_of_a_visitor_comes_before_the_second_of_another(studio, heads):
    calls = [Call(studio, heads[0], lasting(0.5), "one")]
    drawing(heads[0])
    for visitor in ("one", "two"):
        calls.append(Call(studio, heads[0], lasting(0.1), visitor))
        time.sleep(0.1)
    assert [call.over() for call in calls] == [None] * 3
    assert calls[0].ended < calls[2].ended < calls[1].ended


def test_a_process_that_nobody_needs_ends(studio, heads):
    studio.open()
    studio.draw(heads[0], SOON)
    studio.rest(60.0)
    assert is_alive(drawing(heads[0]))
    studio.rest(0.0)
    assert not is_alive(drawing(heads[0]))
