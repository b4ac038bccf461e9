import json
import os
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from idto3d.errors import UserError
from idto3d.events import Finished
from idto3d.jobs import record
from idto3d.jobs.event_log import read_progress
from idto3d.jobs.privacy.traces import erase
from idto3d.jobs.produce import WORK, produce
from idto3d.jobs.record import read_job, write_job
from idto3d.jobs.run_folder import HEAD, begin, check_new, claim, perform, reopen, take_up

TOY = partial(produce, pipeline="fake_pipeline")
FACES = 500


def run(folder, photos, options):
    lock, job = begin(folder, photos, options)
    with lock:
        return list(perform(folder, job, TOY))


def test_a_finished_run_tells_its_story_in_its_folder(tmp_path, photo, options, fake):
    folder = tmp_path / "run"
    events = run(folder, [photo], options("young checkpoint"))
    assert isinstance(events[-1], Finished)
    job = read_job(folder)
    assert (job.status, job.error, job.options) == (record.DONE, None, options("young checkpoint"))
    assert job.photos[0].name == "anna.png" and len(job.photos[0].sha256) == 64
    assert json.loads((folder / "job.json").read_text())["versions"]["numpy"]
    progress = read_progress(folder)
    assert (progress.glb, progress.likeness, progress.step) == ("head.glb", 0.71, 2)
    assert progress.stages_done == ("subject", "shape", "material", "asset")
    assert not (folder / "checkpoints").exists()
    assert {path.name for path in (folder / "renders").iterdir()} == {"preview_normal.png", "preview_relit.png"}


def test_the_folder_is_private_and_tells_which_photo_was_used(tmp_path, photo, options, fake):
    folder = tmp_path / "run"
    empty = photo.rename(photo.with_name("nobody.png"))
    photo.write_bytes(empty.read_bytes())
    run(folder, [empty, photo, photo], options())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert read_progress(folder).photo_crops == ("", "subject/crop_01.png", "subject/crop_02.png")


def test_a_refusal_leaves_nothing_but_its_record_and_another_try_may_follow(tmp_path, photo, options, fake):
    folder = tmp_path / "run"
    with pytest.raises(UserError, match="No face"):
        run(folder, [photo], options("refuse"))
    assert os.listdir(folder) == ["job.json"]
    job = read_job(folder)
    assert job.refused and job.error.what == "No face was found in any photo."
    run(folder, [photo], options())
    assert read_job(folder).status == record.DONE


def test_a_run_that_is_refused_at_its_end_keeps_no_saved_head(tmp_path, photo, options, fake):
    few = replace(options(), export=replace(options().export, faces=fake.REFUSED))
    with pytest.raises(UserError, match="no faces"):
        run(tmp_path / "run", [photo], few)
    assert os.listdir(tmp_path / "run") == ["job.json"]


def test_a_new_run_inherits_nothing_of_a_refused_one(tmp_path, photo, options, fake):
    folder = tmp_path / "run"
    with pytest.raises(UserError, match="too full"):
        run(folder, [photo], options("checkpoint full"))
    assert list(folder.glob("checkpoints/*"))
    for name in ("head.safetensors", "head.glb"):
        (folder / name).write_text("another person")
    lock, job = begin(folder, [photo], options("checkpoint"))
    with lock:
        perform(folder, job, TOY)
        assert sorted(path.name for path in folder.iterdir()) == [".lock", "job.json"]
    lock, job = take_up(folder)
    with lock:
        events = list(perform(folder, job, TOY, resume=True))
    assert not any("Continued" in str(event) for event in events)


def test_a_stage_in_which_a_run_stopped_is_not_done_when_it_goes_on(tmp_path, photo, options, fake):
    folder = tmp_path / "run"
    with pytest.raises(UserError, match="too full"):
        run(folder, [photo], options("checkpoint full"))
    with (folder / "events.jsonl").open("a") as log:
        log.write('{"time": 3.0, "event": "Step')  # torn by a crash
    lock, job = take_up(folder)
    stands = []
    with lock:
        for _ in perform(folder, job, TOY, resume=True):
            progress = read_progress(folder)
            stands.append((progress.stage, progress.stages_done))
    assert {done for stage, done in stands if stage == "subject"} == {()}
    assert {done for stage, done in stands if stage == "shape"} == {("subject",)}
    assert stands[-1][1] == ("subject", "shape", "material", "asset")


def test_a_fault_of_ours_is_recorded_with_its_traceback(tmp_path, photo, options, fake):
    with pytest.raises(RuntimeError):
        run(tmp_path / "run", [photo], options("break"))
    job = read_job(tmp_path / "run")
    assert job.status == record.FAILED and not job.refused
    assert "a toy broke" in job.error.what and "Traceback" in job.error.traceback


@pytest.mark.parametrize("after", range(1, 12))
def test_closing_the_run_after_any_event_cancels_it_and_frees_the_folder(tmp_path, photo, options, fake, after):
    folder = tmp_path / "run"
    lock, job = begin(folder, [photo], options())
    with lock:
        events = perform(folder, job, TOY)
        for _ in range(after):
            next(events)
        events.close()
    assert read_job(folder).status == record.CANCELLED
    again, _ = take_up(folder)
    again.release()


def test_a_missing_photo_is_refused_before_anything_is_written(tmp_path, options):
    with pytest.raises(UserError, match="cannot be read"):
        begin(tmp_path / "run", [tmp_path / "nobody.jpg"], options())
    assert not (tmp_path / "run").exists()


def test_a_folder_with_other_files_is_left_alone(tmp_path, photo, options):
    with pytest.raises(UserError, match="holds other files"):
        begin(photo.parent, [photo], options())
    with pytest.raises(UserError, match="not a run folder"):
        erase(photo.parent)
    assert photo.exists()


def exported(folder, faces):
    """What a new export with so many faces reports."""
    options = read_job(folder).options
    lock, job = reopen(folder, record.EXPORT, replace(options, export=replace(options.export, faces=faces)))
    with lock, closing(perform(folder, job, TOY)) as events:
        yield from events


def faces_of(glb):
    data = glb.read_bytes()
    return json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])["asset"]["extras"]["faces"]


def test_a_finished_head_is_exported_again_and_stays_done_with_the_new_options(tmp_path, photo, options):
    folder = tmp_path / "run"
    run(folder, [photo], options("young"))
    photo.unlink()
    events = list(exported(folder, FACES))
    assert isinstance(events[-1], Finished) and faces_of(folder / "head.glb") == FACES
    job = read_job(folder)
    assert (job.status, job.kind, job.before, job.options.export.faces) == (record.DONE, record.GENERATE, None, FACES)
    assert job.options.prompt == "young" and job.photos[0].name == "anna.png"
    progress = read_progress(folder)
    assert (progress.stage, progress.step, progress.likeness, progress.glb) == ("asset", 2, 0.71, "head.glb")
    assert progress.stages_done == ("subject", "shape", "material", "asset")


@pytest.mark.parametrize("end", ["refused", "broken", "cancelled", "killed"])
def test_an_export_that_does_not_end_well_leaves_the_head_and_its_record_as_they_were(
    tmp_path, photo, options, fake, end
):
    folder = tmp_path / "run"
    run(folder, [photo], options())
    before = {path: path.read_bytes() for path in (folder / "job.json", folder / "head.glb", folder / HEAD)}
    if end == "killed":
        lock, job = reopen(folder, record.EXPORT, read_job(folder).options)
        write_job(folder, record.begun(job))
        lock.release()
        assert read_job(folder).status == record.RUNNING
    elif end == "cancelled":
        events = exported(folder, FACES)
        next(events)
        assert (read_job(folder).status, read_job(folder).kind) == (record.RUNNING, record.EXPORT)
        events.close()
    else:
        with pytest.raises(UserError if end == "refused" else RuntimeError):
            list(exported(folder, fake.REFUSED if end == "refused" else fake.BROKEN))
    unchanged = [path for path, content in before.items() if path.read_bytes() == content]
    assert unchanged == list(before)[1 if end == "killed" else 0 :]
    list(exported(folder, FACES))
    assert read_job(folder).status == record.DONE and faces_of(folder / "head.glb") == FACES


@pytest.mark.parametrize("prompt", ["refuse", "break", "checkpoint full"])
def test_a_run_that_is_not_done_is_not_exported(tmp_path, photo, options, prompt):
    folder = tmp_path / "run"
    with pytest.raises((UserError, RuntimeError)):
        run(folder, [photo], options(prompt))
    with pytest.raises(UserError, match=r"not done \(failed\)"):
        reopen(folder, record.EXPORT, options())
    with pytest.raises(UserError, match="no run in"):
        reopen(tmp_path / "nothing", record.EXPORT, options())
    assert not (tmp_path / "nothing").exists()


def test_a_head_that_is_not_saved_or_is_worked_on_is_not_exported(tmp_path, photo, options):
    folder = tmp_path / "run"
    run(folder, [photo], options())
    with claim(folder), pytest.raises(UserError, match="Another process works"):
        reopen(folder, record.EXPORT, options())
    (folder / "head.safetensors").unlink()
    with pytest.raises(UserError, match=r"has no head\.safetensors"):
        reopen(folder, record.EXPORT, options())
    assert not (folder / ".lock").exists()


def test_there_is_work_for_every_kind_of_job():
    assert set(WORK) == set(record.KINDS)


@pytest.mark.parametrize("change", [{"schema": 1}, {"kind": "knit"}, {"status": "lost"}])
def test_a_record_of_another_version_is_refused_in_words(tmp_path, photo, options, change):
    folder = tmp_path / "run"
    begin(folder, [photo], options())[0].release()
    data = json.loads((folder / "job.json").read_text())
    (folder / "job.json").write_text(json.dumps(data | change))
    with pytest.raises(UserError, match="another version"):
        read_job(folder)


def test_a_finished_run_is_not_overwritten(tmp_path, photo, options, fake):
    run(tmp_path / "run", [photo], options())
    with pytest.raises(UserError, match="already holds a run"):
        check_new(tmp_path / "run")
    with pytest.raises(UserError, match="is done"):
        take_up(tmp_path / "run")


def test_two_processes_may_not_work_in_one_folder_and_a_dead_one_does_not_block_it(tmp_path, photo, options):
    folder = tmp_path / "run"
    begin(folder, [photo], options())[0].release()
    code = (
        "import sys, time; from pathlib import Path; from idto3d.jobs.run_folder import claim; "
        f"lock = claim(Path({str(folder)!r})); print('mine', flush=True); time.sleep(60)"
    )
    root = str(Path(__file__).parents[2])
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=root) as other:
        other.stdout.readline()
        with pytest.raises(UserError, match="Another process works"):
            take_up(folder)
        with pytest.raises(UserError, match="still works"):
            erase(folder)
        other.kill()
    take_up(folder)[0].release()


def test_resuming_with_another_photo_is_refused(tmp_path, photo, options):
    begin(tmp_path / "run", [photo], options())[0].release()
    photo.write_bytes(b"somebody else")
    with pytest.raises(UserError, match="has changed"):
        take_up(tmp_path / "run")


def test_deleting_a_run_leaves_no_file(tmp_path, photo, options, fake):
    run(tmp_path / "run", [photo], options("checkpoint"))
    assert (tmp_path / "run" / "head.safetensors").exists()
    erase(tmp_path / "run")
    assert not (tmp_path / "run").exists()
    erase(tmp_path / "run")


def test_a_torn_last_line_waits_for_its_rest(tmp_path):
    log = tmp_path / "events.jsonl"
    whole = '{"time": 1.0, "event": "StageStarted", "stage": "shape", "steps": 10}\n'
    log.write_text(whole + '{"time": 3.0, "event": "Step')
    early = read_progress(tmp_path)
    assert (early.stage, early.step) == ("shape", 0)
    with log.open("a") as file:
        file.write('Done", "stage": "shape", "step": 1, "steps": 10}\nnot json\n')
    late = read_progress(tmp_path, early)
    assert (late.step, late.seconds_left) == (1, 18.0)
    assert late == read_progress(tmp_path)


def test_time_left_of_a_resumed_stage_counts_only_what_was_done_since(tmp_path):
    lines = [{"time": 100.0, "event": "StageStarted", "stage": "shape", "steps": 100}]
    lines += [
        {"time": 110.0 + i, "event": "StepDone", "stage": "shape", "step": 51 + i, "steps": 100} for i in range(3)
    ]
    (tmp_path / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_progress(tmp_path).seconds_left == 47.0
