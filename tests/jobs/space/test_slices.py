"""Jobs in slices of a Space's GPU: what the stand-in of `spaces` shows of them."""

import sys
import threading
from contextvars import copy_context
from dataclasses import replace

import pytest
from fake_spaces import VISITOR, Refused
from sliced import AS_IT_WAS, SECONDS, over
from waiting import until

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.engine import LocalEngine
from idto3d.jobs.engines import engine_of
from idto3d.jobs.lock import owner_of
from idto3d.jobs.record import Paused, TimeUp
from idto3d.jobs.run_folder import LOCK
from idto3d.jobs.space import engine as space
from idto3d.jobs.space import slices
from idto3d.jobs.space.engine import SpaceEngine, on_zero_gpu, reason, slice_seconds, space_engine
from idto3d.jobs.space.slices import SAVING, Bounds
from idto3d.jobs.worker import CANCEL


def test_a_long_job_is_done_in_slices_that_go_on_where_the_last_one_stopped(desk, spaces, long, short):
    job_id = desk.start([], long("checkpoint"))
    view = over(desk, job_id)
    assert view.status == record.DONE and view.glb and len(spaces.asked) == 3
    assert {seconds for seconds, _ in spaces.asked} == {round(SECONDS)}
    log = (desk.folder(job_id) / "events.jsonl").read_text()
    shape = [line for line in log.splitlines() if '"StepDone"' in line and '"shape"' in line]
    assert len(shape) == 40  # none is done twice
    assert view.progress.stages_done[-1] == "asset" and not (desk.folder(job_id) / "checkpoints").exists()


def test_slices_are_asked_for_on_behalf_of_who_asked_or_looked_last(desk, spaces, long, short):
    anna, bo = copy_context(), copy_context()
    anna.run(VISITOR.set, "anna")
    bo.run(VISITOR.set, "bo")
    job_id = anna.run(desk.start, [], long("slow checkpoint"))
    until(lambda: spaces.asked)
    bo.run(desk.watch, job_id)
    until(lambda: len(spaces.asked) > 1)
    assert [who for _, who in spaces.asked[:2]] == ["anna", "bo"]


def test_the_process_of_a_slice_holds_the_folder_and_cancel_stops_it_between_two_events(desk, spaces, options):
    job_id = desk.start([], options("slow checkpoint"))
    folder = desk.folder(job_id)
    until(lambda: spaces.processes and owner_of(folder / LOCK) == spaces.processes[0].pid)
    until(lambda: desk.watch(job_id).progress.step >= 2)
    desk.cancel(job_id)
    view = desk.watch(job_id)
    assert view.status == record.CANCELLED and view.resumable and len(spaces.asked) == 1
    assert spaces.processes[0].exitcode in (0, None)  # it was not killed
    desk.resume(job_id)
    assert over(desk, job_id).status == record.DONE
    assert "done again" not in (folder / "events.jsonl").read_text()


def test_a_job_that_is_called_off_while_it_waits_for_a_gpu_and_asked_for_again_is_done(desk, spaces, options):
    spaces.waits = threading.Event()
    job_id = desk.start([], options("young"))
    until(lambda: spaces.asked)
    desk.cancel(job_id)
    assert desk.watch(job_id).status == record.CANCELLED
    desk.resume(job_id)
    until(lambda: desk.engine.room() == 0)
    spaces.waits.set()
    assert over(desk, job_id).status == record.DONE


def test_a_step_that_heeds_nothing_is_killed_when_the_job_is_cancelled(desk, spaces, options):
    job_id = desk.start([], options("stall"))
    until(lambda: desk.watch(job_id).progress.stage == "shape" and desk.watch(job_id).progress.step == 2)
    desk.cancel(job_id)
    assert desk.watch(job_id).status == record.CANCELLED
    until(lambda: not spaces.processes[0].is_alive())
    assert len(spaces.asked) == 1


@pytest.mark.parametrize("saving", [True, False])
def test_a_slice_that_the_space_kills_is_followed_by_another_where_something_was_saved(desk, spaces, options, saving):
    job_id = desk.start([], options("stall checkpoint" if saving else "stall"))
    until(lambda: (desk.folder(job_id) / "checkpoints" / "stood").exists())
    spaces.processes[0].kill()
    view = over(desk, job_id)
    assert len(spaces.asked) == (2 if saving else 1)
    if saving:
        assert view.status == record.DONE
    else:
        assert view.status == record.FAILED and "stopped before" in view.error.what and view.resumable


def test_a_slice_that_saves_nothing_is_not_tried_for_ever(desk, spaces, long, short):
    view = over(desk, desk.start([], long("young")))
    assert view.status == record.FAILED and "did not get to a point to keep" in view.error.what
    assert len(spaces.asked) == 1


def test_why_the_space_gives_no_gpu_is_told_and_the_job_goes_on_later(desk, spaces, options, long, short):
    why = 'You have exceeded your <a href="/">free</a> quota (60s requested vs. 20s left). Try again in 3:12:10'
    spaces.refusals = [Refused(why)]
    job_id = desk.start([], options("young"))
    view = over(desk, job_id)
    assert view.status == record.FAILED and view.resumable and not view.error.traceback
    assert view.error.what.endswith("your free quota (60s requested vs. 20s left). Try again in 3:12:10.")
    spaces.refusals = [None, Refused("No GPU was available")]
    desk.resume(job_id)
    assert over(desk, job_id).status == record.DONE
    spaces.refusals = [None, Refused("No GPU was available")]
    job_id = desk.start([], long("checkpoint"))
    view = over(desk, job_id)
    assert view.progress.step >= 10 and view.resumable
    desk.resume(job_id)
    assert over(desk, job_id).status == record.DONE


def test_edits_run_in_a_slice_and_exports_beside(desk, spaces, options):
    job_id = desk.start([], options("young"))
    over(desk, job_id)
    desk.edit(job_id, EditOptions(prompt="green hair"))
    assert over(desk, job_id).status == record.DONE and desk.versions(job_id)[-1].name == "green hair"
    until((desk.version_folder(job_id, "v001") / "renders" / "back.png").is_file)  # drawn after the slice
    asked = len(spaces.asked)
    desk.export(job_id, options().export)
    assert over(desk, job_id).error is None and len(spaces.asked) == asked == 2
    spaces.refusals = [Refused("No GPU was available")]
    desk.edit(job_id, EditOptions(prompt="older"))
    view = over(desk, job_id)
    assert view.status == record.DONE and "gives no GPU" in view.error.what and len(desk.versions(job_id)) == 2
    assert view.error.remedy == AS_IT_WAS and not view.resumable
    desk.edit(job_id, EditOptions(prompt="refuse"))
    assert "This changes nothing" in over(desk, job_id).error.what


def test_a_job_for_the_cpu_needs_no_slice(desk, spaces, options):
    view = over(desk, desk.start([], replace(options("young"), device="cpu")))
    assert view.status == record.DONE and not spaces.asked


def test_a_slice_stops_in_time_to_save_what_it_did(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(slices.time, "monotonic", lambda: now[0])
    bounds = Bounds(tmp_path, 60.0 - SAVING, 300.0)
    assert not bounds.asked
    now[0] += 60.0 - SAVING + 0.1
    assert bounds.asked and bounds.why is Paused
    now[0] += 300.0
    assert bounds.asked and bounds.why is TimeUp
    called_off = Bounds(tmp_path, 55.0, 0.0)
    (tmp_path / CANCEL).touch()
    assert called_off.asked and called_off.why is None


def test_the_time_a_job_may_take_is_that_of_all_its_slices(desk, options):
    desk.limits = replace(desk.limits, job_seconds=0.5)
    view = over(desk, desk.start([], options("slow checkpoint")))
    assert view.status == record.FAILED and "the longest it may take" in view.error.what and view.resumable


def test_elsewhere_there_are_no_slices(tmp_path, monkeypatch, spaces):
    assert isinstance(engine_of(tmp_path, "embedded", "", {"SPACE_ID": "a/b"}), LocalEngine)
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    monkeypatch.setattr(space, "PIPELINE", "fake_pipeline")
    assert isinstance(engine_of(tmp_path, "embedded", "", {"SPACES_ZERO_GPU": "true"}), SpaceEngine)
    assert not on_zero_gpu({}) and not on_zero_gpu({"SPACE_ID": "a/b"}) and on_zero_gpu({"SPACES_ZERO_GPU": "true"})


def test_on_a_space_the_package_wraps_what_needs_the_gpu_before_the_page_is_served(monkeypatch, spaces, beside):
    monkeypatch.setitem(sys.modules, "spaces", spaces)
    monkeypatch.setattr(space, "PIPELINE", "fake_pipeline")
    engine = space_engine({"SPACES_ZERO_GPU": "1", "IDTO3D_GPU_SECONDS": "90"}, "embedded", beside)
    assert engine.seconds == 90.0 and "fake_pipeline" in sys.modules and engine.beside is beside
    monkeypatch.setitem(sys.modules, "spaces", None)
    with pytest.raises(UserError, match="package spaces"):
        space_engine({"SPACES_ZERO_GPU": "1"}, "embedded", beside)


@pytest.mark.parametrize("given", ["0", "nan", "an hour", "9999", "-60"])
def test_a_length_of_slices_that_cannot_be_is_refused(given):
    with pytest.raises(UserError, match="IDTO3D_GPU_SECONDS"):
        slice_seconds({"IDTO3D_GPU_SECONDS": given})


def test_the_usual_slice_is_a_minute_and_reasons_are_short_and_plain():
    assert slice_seconds({}) == 60.0
    assert reason(Refused("")) == "Refused."
    assert len(reason(Refused("<b>no</b> " * 400))) < 300 and "<" not in reason(Refused("<b>no</b>"))
