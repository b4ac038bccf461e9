import json
import os
import signal
from dataclasses import replace

import pytest
from waiting import over, watched

from idto3d.config import ExportOptions
from idto3d.errors import UserError
from idto3d.jobs import desk as desk_module
from idto3d.jobs.lock import owner_of
from idto3d.jobs.privacy.ages import Ages
from idto3d.jobs.record import new_job, read_job, write_job
from idto3d.jobs.run_folder import HEAD, LOCK, claim


def test_a_job_runs_in_its_own_process_and_the_photos_are_gone_afterwards(desk, photo, options):
    job_id = desk.start([photo], options("young"))
    assert len(job_id) == 22
    view = watched(desk, job_id, over)
    assert (view.status, view.error) == ("done", None)
    assert view.glb.read_bytes()[:4] == b"glTF"
    assert set(view.previews) == {"normal", "relit"} and view.progress.photo_crops == ("subject/crop_01.png",)
    assert view.progress.likeness == 0.71 and view.photos[0].name == "anna.png"
    watched(desk, job_id, lambda view: not (view.folder / "photos").exists())  # the worker's last act, after "done"
    assert photo.exists()


def test_a_refused_job_keeps_its_record_only_and_cannot_be_resumed(desk, photo, options):
    job_id = desk.start([photo], options("refuse"))
    view = watched(desk, job_id, over)
    assert view.status == "failed" and view.error.what.startswith("No face") and not view.resumable
    watched(desk, job_id, lambda view: owner_of(view.folder / LOCK) is None)
    assert os.listdir(view.folder) == ["job.json"]
    with pytest.raises(UserError, match="cannot be continued"):
        desk.resume(job_id)


def test_a_job_refused_after_a_checkpoint_is_resumed_as_its_message_says(desk, photo, options):
    job_id = desk.start([photo], options("checkpoint full"))
    view = watched(desk, job_id, over)
    assert view.status == "failed" and "resume" in view.error.remedy and view.resumable
    desk.resume(job_id)
    view = watched(desk, job_id, over)
    assert view.status == "done" and "Continued after step 3." in view.progress.notices


def test_a_resumed_job_that_is_refused_without_a_checkpoint_keeps_its_record_only(desk, photo, options):
    job_id = desk.start([photo], options("stall"))
    watched(desk, job_id, lambda view: view.progress.step == 2 and view.progress.stage == "shape")
    desk.cancel(job_id)
    job = read_job(desk.folder(job_id))
    write_job(desk.folder(job_id), replace(job, options=options("refuse")))
    desk.resume(job_id)
    view = watched(desk, job_id, over)
    assert not view.resumable
    watched(desk, job_id, lambda view: owner_of(view.folder / LOCK) is None)
    assert os.listdir(view.folder) == ["job.json"]


def test_a_job_of_another_version_blocks_nothing_and_can_be_deleted(desk, photo, options):
    old, older, kept = (desk.start([photo], options()) for _ in range(3))
    for job_id in (old, older, kept):
        watched(desk, job_id, over)
        watched(desk, job_id, lambda view: owner_of(view.folder / LOCK) is None)
    for job_id in (old, older):
        data = json.loads((desk.folder(job_id) / "job.json").read_text())
        data["options"]["of_another_version"] = 1
        (desk.folder(job_id) / "job.json").write_text(json.dumps(data))
    new = desk.start([photo], options())
    assert watched(desk, new, over).status == "done"
    desk.delete(old)
    assert not (desk.root / old).exists()
    assert set(desk.reap(older_than_seconds=-1.0)) == {older, kept, new} and desk.ids() == []


def test_a_job_of_another_version_that_is_worked_on_stays_and_the_others_are_reaped(desk, photo, options):
    busy, done = (desk.start([photo], options()) for _ in range(2))
    for job_id in (busy, done):
        watched(desk, job_id, over)
        watched(desk, job_id, lambda view: owner_of(view.folder / LOCK) is None)
    (desk.folder(busy) / "job.json").write_text("{}")
    with claim(desk.folder(busy)):
        with pytest.raises(UserError, match="still works"):
            desk.delete(busy)
        assert desk.reap(older_than_seconds=-1.0) == [done] and desk.ids() == [busy]


def test_a_fault_is_shown_and_logged(desk, photo, options):
    view = watched(desk, desk.start([photo], options("break")), over)
    assert view.status == "failed" and "a toy broke" in view.error.traceback and view.resumable


def test_a_cancelled_job_can_be_resumed_to_its_end(desk, photo, options):
    job_id = desk.start([photo], options("slow checkpoint"))
    watched(desk, job_id, lambda view: view.progress.stage == "shape" and view.progress.step >= 2)
    desk.cancel(job_id)
    cancelled = desk.watch(job_id)
    assert cancelled.status == "cancelled" and cancelled.resumable
    desk.resume(job_id)
    view = watched(desk, job_id, over)
    assert view.status == "done"
    assert any("Continued after step" in notice for notice in view.progress.notices)


def test_a_step_that_does_not_end_is_interrupted(desk, photo, options):
    job_id = desk.start([photo], options("stall"))
    watched(desk, job_id, lambda view: view.progress.step == 2 and view.progress.stage == "shape")
    desk.cancel(job_id)
    assert desk.watch(job_id).status == "cancelled"
    assert owner_of(desk.folder(job_id) / LOCK) is None


def test_a_killed_job_says_so_and_resumes_after_its_last_checkpoint(desk, photo, options):
    job_id = desk.start([photo], options("slow checkpoint"))
    view = watched(desk, job_id, lambda view: view.progress.stage == "shape" and view.progress.step >= 3)
    os.kill(owner_of(view.folder / LOCK), signal.SIGKILL)
    killed = watched(desk, job_id, over)
    assert killed.status == "failed" and "stopped before" in killed.error.what and killed.resumable
    desk.resume(job_id)
    view = watched(desk, job_id, over)
    assert view.status == "done"
    continued = next(int(text.split()[-1][:-1]) for text in view.progress.notices if "Continued" in text)
    assert continued >= 3


def faces(count):
    return replace(ExportOptions(), faces=count)


def test_the_asset_of_a_finished_job_is_made_again(desk, photo, options):
    job_id = desk.start([photo], options("young"))
    first = watched(desk, job_id, over).glb.read_bytes()
    desk.export(job_id, faces(500))
    view = watched(desk, job_id, over)
    assert (view.status, view.error, view.options) == ("done", None, replace(options("young"), export=faces(500)))
    assert view.glb.read_bytes() != first and view.progress.likeness == 0.71


def test_an_export_that_is_refused_cancelled_or_killed_leaves_the_job_done_as_before(desk, photo, options, fake):
    job_id = desk.start([photo], options())
    first = watched(desk, job_id, over)
    record = (first.folder / "job.json").read_bytes()
    desk.export(job_id, faces(fake.REFUSED))
    assert watched(desk, job_id, over).status == "done" and (first.folder / "job.json").read_bytes() == record
    for kill in (False, True):
        desk.export(job_id, faces(fake.STALLED))
        watched(desk, job_id, lambda view: view.status == "running" and view.progress.step == 1)
        with pytest.raises(UserError, match="at work already"):
            desk.export(job_id, faces(500))
        if kill:
            os.kill(owner_of(first.folder / LOCK), signal.SIGKILL)
        else:
            desk.cancel(job_id)
        view = watched(desk, job_id, over)
        assert (view.status, view.options, view.glb) == ("done", first.options, first.glb) and not view.resumable
    desk.export(job_id, faces(500))
    assert watched(desk, job_id, over).options.export == faces(500)


def test_an_export_of_what_is_not_done_or_cannot_be_is_refused(desk, photo, options):
    job_id = desk.start([photo], options("refuse"))
    watched(desk, job_id, over)
    with pytest.raises(UserError, match="not done"):
        desk.export(job_id, faces(500))
    job_id = desk.start([photo], options())
    watched(desk, job_id, over)
    with pytest.raises(UserError, match=r"export\.faces cannot be 1"):
        desk.export(job_id, faces(1))
    assert desk.watch(job_id).status == "done"


def test_jobs_wait_for_each_other_and_a_waiting_one_can_be_cancelled(desk, photo, options):
    first = desk.start([photo], options("stall"))
    watched(desk, first, lambda view: view.status == "running")
    second = desk.start([photo], options())
    third = desk.start([photo], options())
    assert watched(desk, third, lambda view: view.position == 2).status == "queued"
    desk.cancel(second)
    assert desk.watch(second).status == "cancelled"
    assert watched(desk, third, lambda view: view.position == 1).status == "queued"
    desk.cancel(first)
    assert watched(desk, third, over).status == "done"


def test_another_desk_of_the_same_root_finds_the_job(desk, photo, options):
    job_id = desk.start([photo], options())
    other = type(desk)(desk.root)
    assert watched(other, job_id, over).status == "done"


@pytest.mark.parametrize("job_id", ["", "..", "../x", "a" * 22, "/etc/passwd", "x\0y"])
def test_an_id_that_names_no_job_is_refused(desk, job_id):
    for door in (desk.watch, desk.cancel, desk.resume):
        with pytest.raises(UserError, match="no longer exists"):
            door(job_id)
    desk.delete(job_id)


def test_deleting_stops_the_job_and_leaves_no_byte(desk, photo, options):
    job_id = desk.start([photo], options("stall"))
    watched(desk, job_id, lambda view: view.progress.step >= 1)
    folder = desk.folder(job_id)
    assert (folder / "photos" / "01" / "anna.png").exists()
    desk.delete(job_id)
    assert not folder.exists()
    assert {path.name for path in desk.root.iterdir()} <= {".turn"}


def test_deleting_a_finished_job_takes_the_saved_head(desk, photo, options, fake):
    job_id = desk.start([photo], options())
    folder = watched(desk, job_id, over).folder
    assert (folder / HEAD).read_bytes().startswith(fake.SAVED)
    desk.delete(job_id)
    assert not folder.exists() and not list(desk.root.rglob(HEAD))


def test_old_jobs_are_reaped_with_the_saved_head_and_working_ones_are_not(desk, photo, options, fake):
    old = desk.start([photo], options())
    assert (watched(desk, old, over).folder / HEAD).read_bytes().startswith(fake.SAVED)
    busy = desk.start([photo], options("stall"))
    assert desk.reap(older_than_seconds=3600.0) == []
    assert desk.reap(older_than_seconds=0.0) == [old]
    assert desk.ids() == [busy]
    assert not [path for path in desk.root.rglob("*") if path.is_file() and fake.SAVED in path.read_bytes()]


def test_copies_of_photos_left_by_a_crash_are_reaped(desk, photo, options, monkeypatch):
    with monkeypatch.context() as crash:
        crash.setattr(desk_module.record, "new_job", lambda photos, options: 1 / 0 if photos else new_job([], options))
        crash.setattr(desk_module.shutil, "rmtree", lambda folder: None)
        with pytest.raises(ZeroDivisionError):
            desk.start([photo], options())
    assert list(desk.root.rglob("anna.png"))
    assert desk.reap(older_than_seconds=3600.0) == []
    (job_id,) = desk.ids()
    write_job(desk.folder(job_id), replace(read_job(desk.folder(job_id)), queued="2020-01-01T00:00:00.000+00:00"))
    assert desk.reap(older_than_seconds=-1.0) == [job_id] and not list(desk.root.rglob("anna.png"))


def test_a_long_job_that_was_killed_a_moment_ago_is_not_old(desk, photo, options):
    job_id = desk.start([photo], options("stall"))
    view = watched(desk, job_id, lambda view: view.progress.step >= 1)
    os.kill(owner_of(view.folder / LOCK), signal.SIGKILL)
    watched(desk, job_id, over)
    write_job(view.folder, replace(read_job(view.folder), started="2020-01-01T00:00:00.000+00:00"))
    assert desk.reap(older_than_seconds=3600.0) == [] and desk.watch(job_id).resumable
    for name in ("job.json", "events.jsonl"):
        os.utime(view.folder / name, (0, 0))
    desk.ages, now = Ages(lambda: now[0]), [0.0]  # as after a restart of the page
    assert desk.reap(older_than_seconds=3600.0) == []
    now[0] = 3600.0
    assert desk.reap(older_than_seconds=3600.0) == [job_id]


def test_too_many_photos_are_refused(desk, photo, options):
    with pytest.raises(UserError, match="21 photos"):
        desk.start([photo] * 21, options())
