"""Jobs in slices: what is between two of them, after the last one, and in further work."""

import threading
from contextvars import copy_context

import pytest
from fake_spaces import VISITOR
from sliced import AS_IT_WAS, SECONDS, Counted, over
from waiting import until

from idto3d.config import EditOptions
from idto3d.jobs import record
from idto3d.jobs.run_folder import LOCK
from idto3d.jobs.space import engine as space
from idto3d.jobs.space import slices
from idto3d.jobs.space.engine import SpaceEngine, Task
from idto3d.ui.actions import Actions
from idto3d.ui.door.sweep import Sweep
from idto3d.ui.door.uploads import Ledger
from idto3d.ui.server import tidy
from idto3d.ui.shelf import Shelf


def test_an_edit_whose_slice_is_killed_leaves_a_head_that_nothing_resumes(desk, spaces, options):
    job_id = desk.start([], options("young"))
    over(desk, job_id)
    desk.edit(job_id, EditOptions(prompt="stall"))
    until(lambda: desk.watch(job_id).progress.stage == "edit" and desk.watch(job_id).progress.step == 2)
    spaces.processes[-1].kill()
    view = over(desk, job_id)
    assert view.status == record.DONE and "stopped before" in view.error.what and view.error.remedy == AS_IT_WAS


def test_an_edit_that_takes_longer_than_a_slice_is_given_up_at_once(desk, spaces, options, monkeypatch):
    job_id = desk.start([], options("young"))
    over(desk, job_id)
    monkeypatch.setattr(slices, "Bounds", Counted)
    monkeypatch.setattr(Counted, "most", 4)
    desk.edit(job_id, EditOptions(prompt="older"))
    view = over(desk, job_id)
    assert "IDTO3D_GPU_SECONDS" in view.error.what and view.error.remedy == AS_IT_WAS and len(spaces.asked) == 2


def test_a_head_with_many_edits_goes_on_where_a_slice_stopped_among_them(desk, spaces, options, short):
    prompts = [f"{'refuse' if number % 3 == 1 else 'edit'} {number}" for number in range(12)]
    job_id = desk.start([], options("young checkpoint"), edits=tuple(EditOptions(prompt=one) for one in prompts))
    view = over(desk, job_id)
    assert view.status == record.DONE and len(spaces.asked) > 3
    made = [one for one in prompts if "edit" in one]
    assert [one.name for one in desk.versions(job_id)] == ["young checkpoint", *made]
    assert (view.folder / "head.safetensors").read_text().split("\n")[1:] == made  # each was done once
    story = (view.folder / "events.jsonl").read_text()
    assert story.count("is left out") == 4 and story.count('"stage": "shape", "steps"') == 1


def test_a_slice_of_nothing_but_refused_edits_is_followed_by_another(desk, spaces, options, short, monkeypatch):
    monkeypatch.setattr(Counted, "most", 23)
    prompts = ["refuse"] * 30 + ["older"]
    job_id = desk.start([], options("young checkpoint"), edits=tuple(EditOptions(prompt=one) for one in prompts))
    view = over(desk, job_id)
    assert view.status == record.DONE and [one.name for one in desk.versions(job_id)] == ["young checkpoint", "older"]
    assert (view.folder / "events.jsonl").read_text().count("is left out") == 30 and len(spaces.asked) > 3


def test_what_the_page_looks_at_by_itself_takes_nobodys_request_away(desk, spaces, long, short, tmp_path):
    does, anna = Actions(desk, Shelf(tmp_path / "uploads")), copy_context()
    anna.run(VISITOR.set, "anna")
    job_id = anna.run(desk.start, [], long("slow checkpoint"))
    does._uploaded[job_id] = 0.0
    until(lambda: spaces.asked)
    copy_context().run(tidy, does, Sweep(does.shelf.folder, desk.limits, Ledger(desk.limits)))
    until(lambda: len(spaces.asked) > 1)
    assert [who for _, who in spaces.asked[:2]] == ["anna", "anna"]
    folder = desk.folder(job_id)
    anna.run(does.delete, job_id)
    assert folder not in desk.engine._visitors


def test_waiting_for_a_gpu_is_no_work(tmp_path, monkeypatch, beside, options):
    clock = [50.0]

    def lent(duration):
        def wrapped(*_):
            for seconds in (100.0, 5.0, 1.0):
                clock[0] += seconds
                yield

        return lambda _work: wrapped

    monkeypatch.setattr(space.time, "monotonic", lambda: clock[0])
    engine, task = SpaceEngine(lent, beside, "fake_pipeline", SECONDS), Task(tmp_path)
    assert engine._slice(task, record.new_job([], options("young"))) is None
    assert task.worked == 6.0


def test_a_slice_says_that_it_has_begun_before_it_takes_the_job(tmp_path, options):
    record.write_job(tmp_path, record.new_job([], options("young")))
    events = slices.hold(str(tmp_path), "fake_pipeline", SECONDS, 0.0)
    next(events)
    assert not (tmp_path / LOCK).exists()
    for _ in events:
        pass
    assert record.read_job(tmp_path).status == record.DONE


@pytest.fixture
def slow_pictures(fake, monkeypatch):
    """Pictures that are not drawn before the event is set; in order, who draws."""
    drawn, drawing = threading.Event(), []

    def remaining(folder):
        drawing.append(folder)
        while not drawn.is_set():
            drawn.wait(0.02)
            yield None
        yield from ()

    monkeypatch.setattr(fake, "remaining_pictures", remaining)
    yield drawn, drawing
    drawn.set()


def test_while_pictures_are_drawn_other_jobs_begin_and_those_of_the_same_head_at_once(desk, options, slow_pictures):
    _, drawing = slow_pictures
    job_id = desk.start([], options("young"))
    over(desk, job_id)
    desk.edit(job_id, EditOptions(prompt="older"))
    over(desk, job_id)
    until(lambda: drawing)
    assert desk.engine.room() == 1 and not desk.engine.working(desk.folder(job_id))
    assert over(desk, desk.start([], options("young"))).status == record.DONE
    desk.edit(job_id, EditOptions(prompt="green hair"))
    view = over(desk, job_id)
    assert view.error is None and len(desk.versions(job_id)) == 3
    until(lambda: len(drawing) > 1)  # those of before gave way, and those of the newest version are on


def test_a_fault_of_pictures_is_logged_and_hinders_nobody(desk, options, fake, monkeypatch, caplog):
    monkeypatch.setattr(fake, "remaining_pictures", lambda _folder: 1 // 0)
    job_id = desk.start([], options("young"))
    over(desk, job_id)
    for prompt in ("older", "green hair"):
        desk.edit(job_id, EditOptions(prompt=prompt))
        assert over(desk, job_id).error is None
    until(lambda: "ZeroDivisionError" in caplog.text)
    assert len(desk.versions(job_id)) == 3
