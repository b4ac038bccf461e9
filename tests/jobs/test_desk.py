import os
import signal
import time

import pytest

from idto3d.errors import UserError
from idto3d.jobs.lock import owner_of
from idto3d.jobs.run_folder import LOCK


def until(desk, job_id, condition, seconds=60.0):
    """Watch a job until `condition(view)` holds."""
    deadline = time.monotonic() + seconds
    while not condition(view := desk.watch(job_id)):
        assert time.monotonic() < deadline, (view, (view.folder / "worker.log").read_text())
        time.sleep(0.05)
    return view


def over(view):
    return not view.active


def test_a_job_runs_in_its_own_process_and_the_photos_are_gone_afterwards(desk, photo, options):
    job_id = desk.start([photo], options("young"))
    assert len(job_id) == 22
    view = until(desk, job_id, over)
    assert (view.status, view.error) == ("done", None)
    assert view.glb.read_bytes()[:4] == b"glTF"
    assert set(view.previews) == {"normal", "relit"} and len(view.crops) == 1
    assert view.progress.likeness == 0.71 and view.photos[0].name == "anna.png"
    until(desk, job_id, lambda view: not (view.folder / "photos").exists())  # the worker's last act, after "done"
    assert photo.exists()


def test_a_refused_job_keeps_its_record_only_and_cannot_be_resumed(desk, photo, options):
    job_id = desk.start([photo], options("refuse"))
    view = until(desk, job_id, over)
    assert view.status == "failed" and view.error.what.startswith("No face") and not view.resumable
    until(desk, job_id, lambda view: owner_of(view.folder / LOCK) is None)
    assert os.listdir(view.folder) == ["job.json"]
    with pytest.raises(UserError, match="cannot be continued"):
        desk.resume(job_id)


def test_a_fault_is_shown_and_logged(desk, photo, options):
    view = until(desk, desk.start([photo], options("break")), over)
    assert view.status == "failed" and "a toy broke" in view.error.traceback and view.resumable


def test_a_cancelled_job_can_be_resumed_to_its_end(desk, photo, options):
    job_id = desk.start([photo], options("slow checkpoint"))
    until(desk, job_id, lambda view: view.progress.stage == "shape" and view.progress.step >= 2)
    desk.cancel(job_id)
    cancelled = desk.watch(job_id)
    assert cancelled.status == "cancelled" and cancelled.resumable
    desk.resume(job_id)
    view = until(desk, job_id, over)
    assert view.status == "done"
    assert any("Continued after step" in notice for notice in view.progress.notices)


def test_a_step_that_does_not_end_is_interrupted(desk, photo, options):
    job_id = desk.start([photo], options("stall"))
    until(desk, job_id, lambda view: view.progress.step == 2 and view.progress.stage == "shape")
    desk.cancel(job_id)
    assert desk.watch(job_id).status == "cancelled"
    assert owner_of(desk.folder(job_id) / LOCK) is None


def test_a_killed_job_says_so_and_resumes_after_its_last_checkpoint(desk, photo, options):
    job_id = desk.start([photo], options("slow checkpoint"))
    view = until(desk, job_id, lambda view: view.progress.stage == "shape" and view.progress.step >= 3)
    os.kill(owner_of(view.folder / LOCK), signal.SIGKILL)
    killed = until(desk, job_id, over)
    assert killed.status == "failed" and "stopped before" in killed.error.what and killed.resumable
    desk.resume(job_id)
    view = until(desk, job_id, over)
    assert view.status == "done"
    continued = next(int(text.split()[-1][:-1]) for text in view.progress.notices if "Continued" in text)
    assert continued >= 3


def test_jobs_wait_for_each_other_and_a_waiting_one_can_be_cancelled(desk, photo, options):
    first = desk.start([photo], options("stall"))
    until(desk, first, lambda view: view.status == "running")
    second = desk.start([photo], options())
    third = desk.start([photo], options())
    assert until(desk, third, lambda view: view.position == 2).status == "queued"
    desk.cancel(second)
    assert desk.watch(second).status == "cancelled"
    assert until(desk, third, lambda view: view.position == 1).status == "queued"
    desk.cancel(first)
    assert until(desk, third, over).status == "done"


def test_a_full_queue_is_refused(desk, photo, options):
    desk.most = 1
    desk.start([photo], options("stall"))
    with pytest.raises(UserError, match="waiting already"):
        desk.start([photo], options())


def test_another_desk_of_the_same_root_finds_the_job(desk, photo, options):
    job_id = desk.start([photo], options())
    other = type(desk)(desk.root)
    assert until(other, job_id, over).status == "done"


@pytest.mark.parametrize("job_id", ["", "..", "../x", "a" * 22, "/etc/passwd", "x\0y"])
def test_an_id_that_names_no_job_is_refused(desk, job_id):
    for door in (desk.watch, desk.cancel, desk.resume):
        with pytest.raises(UserError, match="no longer exists"):
            door(job_id)
    desk.delete(job_id)


def test_deleting_stops_the_job_and_leaves_no_byte(desk, photo, options):
    job_id = desk.start([photo], options("stall"))
    until(desk, job_id, lambda view: view.progress.step >= 1)
    folder = desk.folder(job_id)
    assert (folder / "photos" / "01" / "anna.png").exists()
    desk.delete(job_id)
    assert not folder.exists()
    assert {path.name for path in desk.root.iterdir()} <= {".turn"}


def test_old_jobs_are_reaped_and_working_ones_are_not(desk, photo, options):
    old = desk.start([photo], options())
    until(desk, old, over)
    busy = desk.start([photo], options("stall"))
    assert desk.reap(older_than_seconds=3600.0) == []
    assert desk.reap(older_than_seconds=0.0) == [old]
    assert desk.ids() == [busy]


def test_too_many_photos_are_refused(desk, photo, options):
    with pytest.raises(UserError, match="21 photos"):
        desk.start([photo] * 21, options())
