"""Workers as processes: one that is ready beforehand, and none that stays a zombie."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from waiting import until

from idto3d.config import EditOptions
from idto3d.jobs import engine as engines
from idto3d.jobs import worker
from idto3d.jobs.desk import Desk
from idto3d.jobs.engine import LocalEngine, _hang_up, _told
from idto3d.jobs.lock import owner_of
from idto3d.jobs.run_folder import LOCK
from idto3d.jobs.standby.line import Errand


def state_of(pid):
    """R, S, Z and so on; "" where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


@pytest.fixture
def engine():
    engine = LocalEngine(1, "fake_pipeline")
    yield engine
    engine.cool()


@pytest.fixture
def desk(tmp_path, engine):
    desk = Desk(tmp_path / "runs", engine=engine)
    yield desk
    for job_id in desk.ids():
        desk.delete(job_id)


@pytest.fixture
def head(desk, engine, options):
    job_id = desk.start([], options("young"))
    until(lambda: not desk.watch(job_id).active and engine.room() == 1)
    return job_id


def test_the_next_job_is_that_of_the_worker_that_waits(desk, engine, head):
    desk.warm()
    spare = engine._spare
    desk.warm()
    assert engine._spare is spare and engine.room() == 1
    desk.edit(head, EditOptions(prompt="slow green hair"))
    folder = desk.folder(head)
    until(lambda: owner_of(folder / LOCK) == spare.pid)
    assert os.getsid(spare.pid) == spare.pid and engine._spare is None
    desk.warm()
    assert engine._spare is None  # which would take cores from the one at work
    until(lambda: not desk.watch(head).active)
    assert desk.versions(head)[-1].name == "slow green hair"
    until(lambda: engine._spare is spare and engine.room() == 1)  # and waits again


def test_a_worker_stays_after_an_edit_and_draws_what_is_missing_until_it_is_told_another(desk, engine, head):
    for prompt in ("green hair", "refuse", "older"):
        desk.edit(head, EditOptions(prompt=prompt))
        until(lambda: not desk.watch(head).active)
        worker = until(lambda: engine._spare)
        until(lambda: engine.room() == 1)
    folder = desk.folder(head)
    for place in (folder, *(folder / "versions" / one.id for one in desk.versions(head))):
        until(lambda place=place: (place / "renders" / "back.png").is_file())
    desk.undo(head)
    engine.cool()
    until(lambda: state_of(worker.pid) == "")
    assert "refused" in (folder / "worker.log").read_text() and len(desk.versions(head)) == 3


def has_back(desk, job_id):
    """Whether the head, and each of its versions, has the picture that toys draw later."""
    folder = desk.folder(job_id)
    places = (folder, *(folder / "versions" / one.id for one in desk.versions(job_id)))
    return all((place / "renders" / "back.png").is_file() for place in places)


@pytest.mark.parametrize("meanwhile", ["an edit", "a head", "the end of the page"])
def test_pictures_of_a_head_are_drawn_though_something_else_comes_first(desk, engine, head, options, meanwhile):
    other = desk.start([], options("young"))
    until(lambda: not desk.watch(other).active and engine.room() == 1)
    desk.edit(head, EditOptions(prompt="unhurried older"))
    until(lambda: not desk.watch(head).active and engine.room() == 1)
    worker = engine._spare
    if meanwhile == "an edit":
        desk.edit(other, EditOptions(prompt="older"))
        until(lambda: not desk.watch(other).active and has_back(desk, other))
    elif meanwhile == "a head":
        begun = desk.start([], options("young"))
        until(lambda: not desk.watch(begun).active and engine.room() == 1)  # and nobody waits for pictures
    else:
        _hang_up(worker)
    assert not has_back(desk, head)
    until(lambda: has_back(desk, head), 20)


def test_of_two_workers_that_are_free_one_stays(tmp_path, options):
    engine = LocalEngine(2, "fake_pipeline")
    desk = Desk(tmp_path / "runs", engine=engine)
    heads = [desk.start([], options("young")) for _ in range(2)]
    until(lambda: not any(desk.watch(one).active for one in heads) and engine.room() == 2)
    for one in heads:
        desk.edit(one, EditOptions(prompt="slow older"))
    workers = until(lambda: list(engine._workers.values()) if engine.room() == 0 else [])
    until(lambda: not any(desk.watch(one).active for one in heads) and engine.room() == 2)
    until(lambda: sorted(state_of(worker.pid) == "" for worker in workers) == [False, True])
    assert engine._spare in workers
    engine.cool()


def test_a_worker_that_waited_is_cancelled_like_any_other_and_logs_to_its_folder(desk, engine, head):
    desk.warm()
    desk.edit(head, EditOptions(prompt="stall"))
    until(lambda: (desk.watch(head).progress.stage, desk.watch(head).progress.step) == ("edit", 2))
    desk.cancel(head)
    assert desk.watch(head).status == "done"
    until(lambda: engine.room() == 1)
    desk.warm()
    desk.edit(head, EditOptions(prompt="refuse"))
    until(lambda: "refused: This changes nothing" in (desk.folder(head) / "worker.log").read_text())


def test_a_worker_that_waits_in_vain_ends_and_one_that_died_is_replaced(desk, engine, head):
    desk.warm()
    first = engine._spare
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: first.poll() is not None and first.stdin.closed)
    assert not _told(first, desk.folder(head))
    desk.edit(head, EditOptions(prompt="older"))
    until(lambda: not desk.watch(head).active)
    assert desk.watch(head).error is None and len(desk.versions(head)) == 2
    until(lambda: engine.room() == 1)
    engine.idle = 0.2
    desk.warm()
    second = engine._spare
    until(lambda: state_of(second.pid) == "")
    assert engine._spare is None


def test_a_worker_that_waits_ends_with_the_page(tmp_path):
    code = (
        "import time; from idto3d.jobs.engine import LocalEngine; engine = LocalEngine(1, 'fake_pipeline'); "
        "engine.warm(); print(engine._spare.pid, flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root) as page:
        spare = int(page.stdout.readline())
        assert state_of(spare)
        page.kill()
    until(lambda: state_of(spare) in ("", "Z"))  # whose parent is gone too is waited for by the system's first process


@pytest.mark.parametrize("prompt", ["young", "refuse", "stall"])
def test_the_end_of_a_worker_leaves_no_zombie_though_nobody_looks(desk, engine, options, prompt):
    job_id = desk.start([], options(prompt))
    worker = until(lambda: engine._workers.get(desk.root / job_id))
    if prompt == "stall":
        until(lambda: owner_of(desk.root / job_id / LOCK))
        os.kill(worker.pid, signal.SIGKILL)
    if prompt == "young":  # it waits for what comes after
        until(lambda: engine._spare is worker)
        desk.delete(job_id)
    until(lambda: state_of(worker.pid) == "")


def test_who_made_a_head_is_ready_for_its_edits_and_ends_after_another_head(desk, engine, head, options):
    worker = until(lambda: engine._spare)
    desk.edit(head, EditOptions(prompt="older"))
    until(lambda: not desk.watch(head).active and engine._spare is worker)
    desk.start([], options("young"))
    until(lambda: state_of(worker.pid) == "")


def test_pictures_that_a_worker_never_came_to_are_drawn_when_somebody_looks(desk, engine, head):
    desk.edit(head, EditOptions(prompt="unhurried older"))
    until(lambda: not desk.watch(head).active and engine.room() == 1)
    worker = engine._spare
    worker.kill()
    worker.wait()
    assert not has_back(desk, head)
    desk.warm(head)
    until(lambda: has_back(desk, head), 20)
    assert engine.room() == 1
    desk.edit(head, EditOptions(prompt="older"))
    until(lambda: not desk.watch(head).active and len(desk.versions(head)) == 3)


class Queue:
    """In place of a line: errands that are told one right after the other, so that there is time for no rest."""

    def __init__(self, errands):
        self.errands = list(errands)

    def next(self, meanwhile):
        next(meanwhile, None)
        meanwhile.close()
        return self.errands.pop(0) if self.errands else None

    def free(self):
        return True


@pytest.mark.parametrize(
    ("jobs", "done"),
    [
        ([("generate", 0)] * 3, 2),
        ([("edit", 0), ("edit", 1), ("generate", 0), ("edit", 0), ("export", 0), ("edit", 0)], 5),
        ([("edit", 0), ("generate", 1), ("edit", 0)], 2),
    ],
)
def test_a_worker_of_a_busy_engine_ends_when_it_is_time_and_does_what_is_left(monkeypatch, jobs, done):
    errands = [Errand(Path(f"head {number}")) for number in range(len(jobs))]
    worked, drawn = [], []

    def job(folder, *_):
        worked.append(folder)
        return jobs[len(worked) - 1]

    def rest(folder, _pipeline):
        yield
        drawn.append(folder)

    monkeypatch.setattr(worker, "Line", lambda: Queue(errands[1:]))
    monkeypatch.setattr(worker, "_logged_job", job)
    monkeypatch.setattr(worker, "rest", rest)
    assert worker.stay(errands[0].folder, "fake_pipeline", None) == jobs[done - 1][1]
    assert worked == [one.folder for one in errands[:done]] and set(drawn) == set(worked)


def test_who_is_told_two_things_at_once_knows_of_the_second_while_at_the_first():
    code = (
        "import sys; from idto3d.jobs.standby.line import Line, nothing; line, steps = Line(), iter(range(1000)); "
        "first = line.next(nothing()); second = line.next(None for step in steps); "
        "print(first.folder, first.only_rest, second.folder, second.only_rest, next(steps), file=sys.stderr)"
    )
    command, pipe = [sys.executable, "-c", code], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=Path(__file__).parents[2]) as reader:
        reader.stdin.write(b"\0one\ntwo\n")
        reader.stdin.flush()
        until(lambda: reader.poll() is not None)
        assert reader.stderr.read().split() == [b"one", b"True", b"two", b"False", b"1"]


def test_a_deleted_head_stays_in_no_memory_though_others_followed_it(engine, tmp_path):
    engine.warm(tmp_path / "first")
    spare = engine._spare
    engine.warm(tmp_path / "second")
    engine.forget(tmp_path / "another")
    assert engine._spare is spare
    engine.forget(tmp_path / "first")
    assert engine._spare is None
    until(lambda: state_of(spare.pid) == "" and not engine._touched)


def test_who_is_at_work_when_another_head_is_deleted_that_it_had_to_do_with_ends_after_it(
    desk, engine, head, tmp_path, monkeypatch
):
    worker, begin, begun = until(lambda: engine._spare), engine.begin, []
    monkeypatch.setattr(engine, "begin", lambda folder: begin(folder) or begun.append(folder))
    engine.warm(tmp_path / "another")
    desk.edit(head, EditOptions(prompt="older"))
    until(lambda: begun)
    engine.forget(tmp_path / "another")
    until(lambda: state_of(worker.pid) == "")
    assert len(desk.versions(head)) == 2 and has_back(desk, head)


def test_a_worker_is_told_of_missing_pictures_once(desk, engine, head, monkeypatch):
    told, tell = [], engines._told
    monkeypatch.setattr(engines, "_told", lambda *what: told.append(what[1:]) or tell(*what))
    folder = desk.folder(head)
    for _ in range(3):
        desk.warm(head)
    assert told == [(folder, engines.REST)]
    desk.edit(head, EditOptions(prompt="older"))
    until(lambda: not desk.watch(head).active and engine.room() == 1)
    desk.warm(head)
    assert told[1:] == [(folder,), (folder, engines.REST)]
