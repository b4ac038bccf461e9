"""Photos are looked at by another process: one after the other, in turn, bounded, and forgotten."""

import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from idto3d.config import SubjectOptions
from idto3d.errors import UserError
from idto3d.jobs.clerk.clerk import Work
from idto3d.jobs.intake import process
from idto3d.jobs.intake.intake import Intake
from idto3d.jobs.limits import LOCAL
from idto3d.subject.verdict.facts import Look, Seen

TOYS = Work("toy_looks", "looker")


@pytest.fixture(autouse=True)
def toys(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    yield
    sys.modules.pop("toy_looks", None)


@pytest.fixture
def intake():
    intake = Intake(replace(LOCAL, look_seconds=1.0), TOYS)
    yield intake
    intake.rest(0.0)


@pytest.fixture
def photo(tmp_path):
    """photo(name, text) is a file whose text says what the toy does."""

    def write(name, text="300"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def asked(folder):
    """Processes and names of the photos that were looked at, in order."""
    return [line.split() for line in (folder / "asked").read_text().splitlines()]


def is_alive(pid):
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True


def test_verdicts_come_one_by_one_and_advice_last(intake, photo):
    told = list(intake.verdicts([photo("a.jpg"), photo("b.jpg", "60")]))
    assert [(len(one.photos), one.waiting) for one in told] == [(0, ("a.jpg", "b.jpg")), (1, ("b.jpg",)), (2, ())]
    assert [bool(one.advice) for one in told] == [False, False, True]
    first, second = told[-1].photos
    assert (first.state, first.crop, first.thumbnail) == ("ok", b"crop", b"whole")
    assert second.state == "doubtful" and "60 pixels" in second.what


def test_a_photo_that_breaks_what_looks_at_it_hinders_no_other(intake, photo, tmp_path):
    names = ("refuses", "breaks", "dies", "slow")
    *_, last = intake.verdicts([*(photo(f"{name}.jpg", name) for name in names), photo("good.jpg")])
    assert [one.state for one in last.photos] == ["refused"] * 4 + ["ok"]
    assert [one.what for one in last.photos[:4]] == [
        "It is no photo.",
        "This photo could not be looked at.",
        "This photo could not be looked at.",
        "The photo took longer than 1 seconds.",
    ]
    pids = [pid for pid, _ in asked(tmp_path)]
    assert pids[0] == pids[1] == pids[2] != pids[3] != pids[4] and not is_alive(pids[3])


def test_too_many_photos_are_refused(intake, photo):
    with pytest.raises(UserError, match="21 photos are more than the 20"):
        next(intake.verdicts([photo("a.jpg")] * 21))


def test_a_page_that_asks_anew_ends_what_it_asked_before_and_no_other_s(intake, photo):
    older = intake.verdicts([photo("a.jpg"), photo("b.jpg")], "somebody", "first page")
    other = intake.verdicts([photo("a.jpg")], "somebody", "second page")
    next(older), next(other)
    *_, newest = intake.verdicts([photo("c.jpg")], "somebody", "first page")
    assert list(older) == [] and len(newest.photos) == 1
    assert len(next(other).photos) == 1


def test_who_asks_again_at_once_waits_for_the_older_look_and_is_not_refused(photo, tmp_path):
    intake = Intake(replace(LOCAL, look_seconds=9.0, visitor_looks=1), TOYS)
    older = threading.Thread(target=lambda: list(intake.verdicts([photo("slow.jpg", "slow")], "somebody", "page")))
    older.start()
    deadline = time.monotonic() + 30
    while not (tmp_path / "asked").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    *_, last = intake.verdicts([photo("a.jpg")], "somebody", "page")
    older.join(30)
    intake.rest(0.0)
    assert [one.state for one in last.photos] == ["ok"]


def test_visitors_take_turns(intake, photo, tmp_path):
    def ask(visitor):
        list(intake.verdicts([photo(f"{visitor}{number}.jpg") for number in range(3)], visitor))

    intake.open()
    threads = [threading.Thread(target=ask, args=(visitor,)) for visitor in "xy"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    order = [name[0] for _, name in asked(tmp_path)]
    assert sorted(order) == list("xxxyyy") and order not in (list("xxxyyy"), list("yyyxxx"))


def test_all_that_was_seen_goes_with_the_process(intake, photo, tmp_path):
    list(intake.verdicts([photo("a.jpg")]))
    ((pid, _),) = asked(tmp_path)
    intake.rest(60.0)
    assert is_alive(pid)
    intake.forget()
    assert not is_alive(pid)
    list(intake.verdicts([photo("a.jpg")]))
    intake.rest(0.0)
    assert not is_alive(asked(tmp_path)[-1][0])


def test_who_waits_when_all_is_forgotten_is_looked_at_all_the_same(photo):
    intake, told = Intake(replace(LOCAL, look_seconds=9.0), TOYS), []
    thread = threading.Thread(target=lambda: told.extend(intake.verdicts([photo("slow.jpg", "slow")])))
    thread.start()
    deadline = time.monotonic() + 30
    while not (slow := photo("slow.jpg", "slow").parent / "asked").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    intake.forget()
    thread.join(30)
    intake.rest(0.0)
    assert told[-1].photos[0].state == "ok" and len(asked(slow.parent)) == 2


def test_a_photo_is_looked_at_once_and_the_oldest_are_forgotten(monkeypatch, tmp_path):
    looked = []
    monkeypatch.setattr(
        process, "look_at", lambda path, options, eyes: looked.append(path.name) or Seen(Look(path.name))
    )
    monkeypatch.setattr(process, "REMEMBERED", 2)
    looking, options = process.Looking(None), SubjectOptions()
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_text(name)
    for name in ("a.jpg", "a.jpg", "b.jpg", "c.jpg", "b.jpg", "a.jpg"):
        assert looking.see(tmp_path / name, options).look.name == name
    assert looked == ["a.jpg", "b.jpg", "c.jpg", "a.jpg"]
    (tmp_path / "a.jpg").write_text("another")
    looking.see(tmp_path / "a.jpg", options)
    assert looked[-1] == "a.jpg" and len(looked) == 5


def test_the_process_of_ours_looks_at_a_real_photo(astronaut):
    intake = Intake()
    *_, last = intake.verdicts([astronaut])
    intake.rest(0.0)
    (seen,) = last.photos
    assert seen.state == "doubtful" and "87 pixels" in seen.what and seen.crop.startswith(b"\x89PNG")
    assert {one.attribute for one in last.suggestions} == {"hair_style", "hair_colour", "beard", "skin"}


def test_no_file_is_left_by_a_look(astronaut, monkeypatch, tmp_path):
    eyes = type("Eyes", (), {})()
    before = sorted(astronaut.parent.iterdir())
    monkeypatch.setattr(process, "look_at", lambda path, options, eyes: Seen(Look(path.name), b"x", b"y"))
    said, pictures = process.Looking(eyes).answer({"photo": str(astronaut), "options": {"max_megabytes": 30.0}})
    assert (said["crop"], pictures) == (1, b"xy") and sorted(astronaut.parent.iterdir()) == before
