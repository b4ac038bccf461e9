"""Questions of two visitors about faces and hair, of which each may have one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from waiting import until

from idto3d.config import HeadOptions
from idto3d.jobs.choosing.chooser import Chooser
from idto3d.jobs.choosing.process import HAIR
from idto3d.jobs.clerk import office
from idto3d.jobs.clerk.office import Superseded
from idto3d.jobs.limits import PUBLIC

LIMITS = replace(PUBLIC, visitor_choices=1)
COUNT = 3  # faces


class Process:
    """In place of the process that answers: words with `slow` are looked at for as long as its gate is shut."""

    def __init__(self, _work):
        self.gate, self.matters, self.used = threading.Event(), set(), 0.0

    def ask(self, matter, question, _seconds):
        if "slow" in question["options"]["prompt"]:
            assert self.gate.wait(10)
        if matter == HAIR:
            return {"styles": [], "colours": [], "shape": [0, 1, 1, 3], "notices": []}, b""
        seen = question.get("beyond", 0)
        said = {"coefficients": [[0.5]], "scores": [1.0], "over": seen + 1 == COUNT, "notices": []}
        return said | {"shape": [1, 1, 1, 3]}, bytes(3)

    def alive(self):
        return True

    def kill(self):
        self.gate.set()


@pytest.fixture
def chooser(monkeypatch):
    monkeypatch.setattr(office, "Clerk", Process)
    chooser = Chooser(LIMITS)
    chooser.open()
    yield chooser
    chooser._office.clear()


@pytest.fixture
def side():
    """Threads in which questions are asked that wait."""
    with ThreadPoolExecutor(4) as threads:
        yield threads


def waiting(chooser):
    return sum(not place.refused for place in chooser._office._line)


@pytest.fixture
def follow_up(chooser, side):
    """The question for my second face, which waits since another's is looked at."""
    mine = chooser.proposed(HeadOptions(prompt="young"), count=COUNT, visitor="me")
    assert len(next(mine).faces) == 1
    others = side.submit(chooser.propose, HeadOptions(prompt="slow"), (), COUNT, "you")
    until(lambda: chooser._office._now)
    yield lambda: side.submit(next, mine)
    chooser._office._clerk.gate.set()
    assert others.result(5).faces


def opened(chooser):
    chooser._office._clerk.gate.set()


def test_newer_words_take_the_place_of_faces_that_are_still_to_come(chooser, side, follow_up):
    second = follow_up()
    until(lambda: waiting(chooser) == 2)
    newer = side.submit(chooser.propose, HeadOptions(prompt="old"), (), COUNT, "me")
    with pytest.raises(Superseded):
        second.result(5)
    opened(chooser)
    assert newer.result(5).faces


def test_newer_words_take_the_place_of_faces_to_come_and_of_hair_where_only_one_may_wait(chooser, side, follow_up):
    second = follow_up()
    until(lambda: waiting(chooser) == 2)
    hair = side.submit(chooser.hair, HeadOptions(prompt="old"), "me")
    until(lambda: waiting(chooser) == 3)
    newer = side.submit(chooser.propose, HeadOptions(prompt="old"), (), COUNT, "me")
    for one in (second, hair):
        with pytest.raises(Superseded):
            one.result(5)
    opened(chooser)
    assert newer.result(5).faces


@pytest.mark.parametrize("first", ["hair", "faces"])
def test_hair_and_faces_that_are_still_to_come_wait_together(chooser, side, follow_up, first):
    second = follow_up() if first == "faces" else None
    until(lambda: waiting(chooser) == (2 if second else 1))
    hair = side.submit(chooser.hair, HeadOptions(prompt="old"), "me")
    until(lambda: waiting(chooser) == (3 if second else 2))
    second = second or follow_up()
    until(lambda: waiting(chooser) == 3)
    opened(chooser)
    assert len(second.result(5).faces) == 2 and hair.result(5).styles == ()
