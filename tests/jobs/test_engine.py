"""Workers as processes: one that is ready beforehand, and none that stays a zombie."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from idto3d.config import EditOptions
from idto3d.jobs.desk import Desk
from idto3d.jobs.engine import LocalEngine
from idto3d.jobs.lock import owner_of
from idto3d.jobs.run_folder import LOCK


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


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
    until(lambda: state_of(spare.pid) == "")


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
    until(lambda: first.poll() is not None)
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
    until(lambda: state_of(worker.pid) == "")
