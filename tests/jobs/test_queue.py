import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from waiting import over, watched

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.jobs.desk import Desk
from idto3d.jobs.engine import LocalEngine
from idto3d.jobs.limits import LOCAL
from idto3d.jobs.lock import owner_of
from idto3d.jobs.queue.line import Waiting, in_turn
from idto3d.jobs.queue.shares import Shares
from idto3d.jobs.record import new_job, read_job, write_job
from idto3d.jobs.run_folder import CHECKPOINTS, LOCK


class Bench:
    """An engine of which the test says what goes on: `begun` jobs are at work until they are taken off it."""

    def __init__(self, most=1):
        self.most, self.begun, self.ever = most, [], []

    def room(self):
        return self.most - len(self.begun)

    def asked(self, folder):
        """It does not matter to these for whom it is."""

    def forget(self, folder):
        """What is over is not kept."""

    def begin(self, folder):
        self.begun.append(folder)
        self.ever.append(folder.name)

    def working(self, folder):
        return folder in self.begun

    def stop(self, folder):
        self.begun = [other for other in self.begun if other != folder]


@pytest.fixture
def bench():
    return Bench()


@pytest.fixture
def desk_of(tmp_path):
    """Makes a desk within changed limits."""
    made = []

    def make(engine=None, **changes):
        made.append(Desk(tmp_path / "runs", "fake_pipeline", replace(LOCAL, **changes), engine))
        return made[-1]

    yield make
    for job_id in made[0].ids() if made else ():
        made[0].delete(job_id)


def test_the_oldest_is_first_but_one_of_each_before_the_second_of_any():
    asked = [Waiting(name, name[0], since) for since, name in enumerate(("a1", "a2", "a3", "b1", "c1", "b2"))]
    assert in_turn(asked, {}) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert in_turn(asked, {"a": 5.0}) == ["b1", "c1", "a1", "b2", "a2", "a3"]
    assert in_turn(asked, {"a": 5.0, "b": 7.0, "c": 6.0}) == ["a1", "c1", "b1", "a2", "b2", "a3"]


def step(desk, bench, done):
    """Let what is at work end, and the next be begun."""
    for folder in bench.begun if done else ():
        write_job(folder, replace(read_job(folder), status="done"))
    bench.begun = []
    desk.dispatcher.step()


def test_visitors_take_turns_and_say_how_many_come_before(desk_of, bench, options):
    desk = desk_of(bench)
    first, second = (desk.start([], options(), "anna") for _ in range(2))
    other = desk.start([], options(), "ben")
    desk.dispatcher.step()
    assert bench.ever == [first]
    assert [desk.watch(job_id).position for job_id in (first, other, second)] == [0, 1, 2]
    step(desk, bench, done=True)
    step(desk, bench, done=True)
    assert bench.ever == [first, other, second]


def test_a_worker_that_ends_before_it_begins_is_not_begun_again(desk_of, bench, options):
    desk = desk_of(bench)
    job_id = desk.start([], options())
    desk.dispatcher.step()
    step(desk, bench, done=False)
    view = desk.watch(job_id)
    assert (view.status, bench.ever) == ("failed", [job_id]) and "stopped before" in view.error.what and view.resumable
    desk.resume(job_id)
    desk.dispatcher.step()
    assert bench.ever == [job_id, job_id]


def test_a_worker_that_ends_before_it_begins_an_edit_leaves_the_head_and_says_so(desk_of, bench, options):
    desk = desk_of(bench)
    job_id = desk.start([], options())
    folder = desk.folder(job_id)
    for name in ("head.safetensors", "head.glb"):
        (folder / name).write_bytes(b"a toy")
    desk.dispatcher.step()
    step(desk, bench, done=True)
    desk.edit(job_id, EditOptions(prompt="older"))
    desk.dispatcher.step()
    step(desk, bench, done=False)
    view = desk.watch(job_id)
    assert (view.status, bench.ever) == ("done", [job_id, job_id]) and "stopped before" in view.error.what
    assert view.error.remedy == "The head is as it was. Ask for the change again later."


def test_jobs_that_wait_are_no_processes_and_are_begun_after_a_restart(desk_of, bench, photo, options):
    bench.most = 0
    desk = desk_of(bench)
    jobs = [desk.start([photo], options(), f"visitor {number}") for number in range(3)]
    assert bench.ever == [] and {desk.watch(job_id).status for job_id in jobs} == {"queued"}
    page = desk_of()
    page.dispatch()
    assert [watched(page, job_id, over).status for job_id in jobs] == ["done"] * 3


def test_a_worker_of_an_earlier_page_is_waited_for(desk_of, photo, options):
    first = desk_of()
    slow = first.start([photo], options("slow"))
    watched(first, slow, lambda view: view.status == "running")
    page = desk_of()
    fast = page.start([photo], options())
    page.dispatcher.step()
    assert page.watch(fast).position == 1 and not page.engine.working(page.folder(fast))
    watched(page, fast, over)
    assert read_job(page.folder(slow)).ended <= read_job(page.folder(fast)).started


def test_workers_of_two_desks_take_turns(desk_of, photo, options):
    first, second = desk_of(), desk_of()
    jobs = first.start([photo], options("slow")), second.start([photo], options("slow"))
    for job_id in jobs:
        assert watched(first, job_id, over).status == "done"
    one, two = sorted((read_job(first.folder(job_id)) for job_id in jobs), key=lambda job: job.started)
    assert one.ended <= two.started


def test_a_visitor_has_a_share_of_the_queue_and_is_told_what_to_do(desk_of, bench, options):
    desk = desk_of(bench, visitor_jobs=2, total_jobs=3)
    for _ in range(2):
        desk.start([], options(), "192.0.2.7")
    with pytest.raises(UserError, match="You have 2 jobs waiting or at work already.") as refused:
        desk.start([], options(), "192.0.2.7")
    assert refused.value.remedy == "Wait until one is done, or cancel one."
    third = desk.start([], options(), "192.0.2.8")
    with pytest.raises(UserError, match="3 jobs are waiting already"):
        desk.start([], options(), "192.0.2.9")
    desk.cancel(third)
    with pytest.raises(UserError, match="You have 2 jobs"):
        desk.start([], options(), "192.0.2.7")
    desk.start([], options(), "192.0.2.9")


def test_a_resumed_job_needs_a_share_too(desk_of, bench, options):
    desk = desk_of(bench, visitor_jobs=1)
    job_id = desk.start([], options(), "anna")
    desk.cancel(job_id)
    desk.start([], options(), "anna")
    with pytest.raises(UserError, match="You have 1 job waiting"):
        desk.resume(job_id)


def test_a_visitor_has_so_many_jobs_an_hour(desk_of, bench, options):
    desk = desk_of(bench, visitor_jobs_an_hour=2)
    for _ in range(2):
        desk.delete(desk.start([], options(), "anna"))
    with pytest.raises(UserError, match="2 jobs within an hour. Try again in 60 minutes."):
        desk.start([], options(), "anna")
    desk.start([], options(), "ben")


def test_a_place_that_was_not_taken_is_free_again():
    shares = Shares(replace(LOCAL, visitor_jobs_an_hour=1, visitor_jobs=1))
    with pytest.raises(ZeroDivisionError), shares.place("anna", list):
        _ = 1 / 0
    with shares.place("anna", list), pytest.raises(UserError, match="You have 1 job"), shares.place("anna", list):
        pass


def test_jobs_handed_in_at_once_do_not_pass_the_share_of_their_visitor(desk_of, bench, options, monkeypatch):
    desk = desk_of(bench, visitor_jobs=1)
    looked = desk.records.active

    def looks_long():
        found = looked()
        time.sleep(0.3)
        return found

    def hand_in(number):
        time.sleep(0.1 * number)
        with suppress(UserError):
            return desk.start([], options(), "anna")

    monkeypatch.setattr(desk.records, "active", looks_long)
    with ThreadPoolExecutor(2) as hands:
        assert len([job_id for job_id in hands.map(hand_in, range(2)) if job_id]) == 1


def test_a_worker_that_is_counted_out_while_it_is_stopped_is_stopped(tmp_path):
    engine, did = LocalEngine(), []

    class Worker:
        def poll(self):
            engine._workers = {}  # as `room` does in another thread when it has just ended

        def kill(self):
            did.append("killed")

        def wait(self):
            did.append("waited")

    engine._workers = {tmp_path: Worker()}
    engine.stop(tmp_path)
    assert did == ["killed", "waited"]


def test_nothing_of_a_visitor_is_written_down(desk_of, bench, options):
    desk = desk_of(bench)
    job_id, other = desk.start([], options(), "192.0.2.7"), desk.start([], options(), "192.0.2.8")
    assert "192.0.2" not in (desk.folder(job_id) / "job.json").read_text()
    names = [read_job(desk.folder(each)).visitor for each in (job_id, other)]
    assert len(set(names)) == 2 and Shares(LOCAL).name("192.0.2.7") not in names


def test_a_record_of_before_has_no_visitor_and_no_limit(tmp_path, options):
    write_job(tmp_path, new_job([], options()))
    data = json.loads((tmp_path / "job.json").read_text())
    for name in ("visitor", "most_seconds", "machine"):
        del data[name]
    (tmp_path / "job.json").write_text(json.dumps(data))
    assert read_job(tmp_path).visitor == ""


@pytest.mark.parametrize("prompt", ["stall", "slow slow"])
def test_a_job_that_works_too_long_is_stopped_and_says_so_and_goes_on(desk_of, photo, options, prompt):
    desk = desk_of(job_seconds=0.3)
    view = watched(desk, job_id := desk.start([photo], options(prompt)), over)
    assert view.status == "failed" and view.resumable and not view.error.traceback
    assert view.error.what == "The job was stopped after 0.005 minutes of work, the longest it may take."
    desk.dispatcher.step()
    watched(desk, job_id, lambda view: owner_of(view.folder / LOCK) is None)
    (view.folder / CHECKPOINTS).mkdir(exist_ok=True)
    (view.folder / CHECKPOINTS / "stood").touch()  # on a busy machine it was stopped before it stood still
    desk.limits = LOCAL
    desk.resume(job_id)
    assert watched(desk, job_id, over).status == "done"


def test_a_worker_elsewhere_is_cancelled_by_a_mark(desk_of, photo, options, monkeypatch):
    desk = desk_of()
    job_id = desk.start([photo], options("slow"))
    view = watched(desk, job_id, lambda view: view.progress.stage == "shape")
    pid = owner_of(view.folder / LOCK)
    write_job(view.folder, replace(read_job(view.folder), machine="elsewhere"))
    killed = []
    monkeypatch.setattr(os, "kill", lambda *signal: killed.append(signal))
    begun = time.monotonic()
    desk.cancel(job_id)
    assert time.monotonic() - begun < 1.5 and pid not in {one[0] for one in killed}  # a waiting worker may have ended
    assert pid
    assert desk.watch(job_id).status == "cancelled" and desk.watch(job_id).resumable


def test_threads_that_write_one_record_at_once_do_not_meet(tmp_path, options):
    job = new_job([], options())
    with ThreadPoolExecutor(8) as hands:
        for written in [hands.submit(write_job, tmp_path, job) for _ in range(200)]:
            written.result()
    assert [path.name for path in tmp_path.iterdir()] == ["job.json"]
