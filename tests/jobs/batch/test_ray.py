"""A batch on a Ray cluster of this machine alone, and that ray reports nothing to anybody."""

import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from idto3d.errors import UserError
from idto3d.jobs.batch.run import Conductor
from idto3d.jobs.batch.standing import places
from idto3d.jobs.batch.table import read_table
from idto3d.jobs.desk import Desk
from idto3d.jobs.lock import owner_of
from idto3d.jobs.record import CANCELLED, DONE, is_active
from idto3d.jobs.run_folder import LOCK

ROOT = Path(__file__).parents[3]
needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed")


def asked(code, **environment):
    """What Python code prints in a process of its own, for a user who wants ray's reports."""
    given = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "1", **environment}
    return subprocess.run([sys.executable, "-c", code], env=given, capture_output=True, text=True, check=True).stdout


def test_reports_are_off_before_ray_is_imported(tmp_path):
    (tmp_path / "ray.py").write_text("import os; print(os.environ['RAY_USAGE_STATS_ENABLED'])")
    path = os.pathsep.join((str(tmp_path), str(ROOT)))
    code = "from idto3d.jobs.batch.ray_engine import silent_ray; silent_ray()"
    assert asked(code, PYTHONPATH=path).strip() == "0"


def test_without_ray_it_is_said_how_to_get_it(monkeypatch):
    from idto3d.jobs.batch.ray_engine import RayEngine

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match="requirements-ray.txt"):
        RayEngine("127.0.0.1:1")


@needs_ray
def test_ray_itself_says_that_its_reports_are_off():
    code = """
from idto3d.jobs.batch.ray_engine import silent_ray
silent_ray()
from ray._common.usage import usage_lib
print(usage_lib.usage_stats_enabled())
"""
    assert asked(code).strip() == "False"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """The address of a cluster of one machine with two places, and a file of what its start said."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    said = tmp_path_factory.mktemp("ray") / "said.txt"
    words = ["start", "--head", "--block", "--include-dashboard", "false", "--num-cpus", "2"]
    words += ["--node-ip-address", "127.0.0.1", "--port", str(port), "--object-store-memory", "80000000"]
    code = f"import sys; from ray.scripts.scripts import main; sys.argv = ['ray', *{words!r}]; main()"
    with open(said, "w") as file:
        quiet = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0"}  # as docs/hosting.md says
        start = [sys.executable, "-c", code]
        head = subprocess.Popen(start, stdout=file, stderr=file, env=quiet, start_new_session=True)
    try:
        yield f"127.0.0.1:{port}", said
    finally:
        os.killpg(head.pid, signal.SIGTERM)
        try:
            head.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(head.pid, signal.SIGKILL)
            head.wait(5)


@pytest.fixture
def engine(cluster):
    from idto3d.jobs.batch.ray_engine import RayEngine

    before = signal.getsignal(signal.SIGTERM)
    engine = connected(RayEngine, cluster[0])
    yield engine
    engine.close()
    signal.signal(signal.SIGTERM, before)


def connected(kind, address, tries=30):
    """An engine on the cluster, which takes seconds to start."""
    for _ in range(tries):
        try:
            return kind(address, "fake_pipeline")
        except UserError as fault:
            reason = fault
            time.sleep(1)
    raise reason


def crowd(folder, *prompts, steps="4"):
    table = folder / "people.csv"
    table.write_text("\n".join(["name,prompt", *(f"p{row},{prompt}" for row, prompt in enumerate(prompts))]))
    return places(read_table(table, "", [f"shape.steps={steps}", "material.steps=4"]), folder / "out")


@needs_ray
def test_heads_are_made_by_a_cluster_that_reports_nothing(cluster, engine, tmp_path):
    wanted = crowd(tmp_path, "young", "refuse", "old")
    assert engine.room() == 2
    Conductor(wanted, engine).go_on(lambda _place: None)
    assert [place.job().status for place in wanted] == [DONE, "failed", DONE]
    assert "Usage stats collection is disabled." in cluster[1].read_text()
    assert engine._ray.get(engine._ray.remote(reports).remote()) is False


def reports():
    """Whether a worker of the cluster would report."""
    from ray._common.usage import usage_lib

    return usage_lib.usage_stats_enabled()


@needs_ray
def test_a_lost_worker_of_a_cluster_is_followed_by_another_and_a_stopped_one_by_none(engine, tmp_path):
    lost, stopped = wanted = crowd(tmp_path, "slow checkpoint", "stall", steps="30")
    conductor = Conductor(wanted, engine)
    conductor.step()
    deadline = time.monotonic() + 60
    while len(list((lost.folder / "checkpoints").glob("*.json"))) < 2 or not (stopped.folder / "checkpoints").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    first = owner_of(lost.folder / LOCK)
    os.kill(first, signal.SIGKILL)
    while owner_of(lost.folder / LOCK) in (None, first):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert engine.working(lost.folder) and is_active(lost.job())
    while engine.working(lost.folder):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    asked = time.monotonic()
    conductor.cancel()
    assert time.monotonic() - asked < 2.5
    assert (lost.job().status, stopped.job().status) == (DONE, CANCELLED)
    assert "Continued after step" in (lost.folder / "events.jsonl").read_text()
    assert owner_of(stopped.folder / LOCK) is None


@needs_ray
def test_a_desk_hands_its_jobs_to_a_cluster(engine, tmp_path, options):
    desk = Desk(tmp_path / "runs", engine=engine)
    job_id = desk.start([], options("young"))
    deadline = time.monotonic() + 60
    while (view := desk.watch(job_id)).active:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert view.status == DONE and view.glb is not None
    desk.delete(job_id)
