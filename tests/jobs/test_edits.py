"""Edits and versions at the desk: real workers, cancelled and killed."""

import os
import signal
from dataclasses import replace

import pytest
from waiting import over, watched

from idto3d.config import EditOptions
from idto3d.errors import UserError
from idto3d.jobs import record, run_folder
from idto3d.jobs.event_log import read_progress
from idto3d.jobs.history.state import folder_of
from idto3d.jobs.history.version import Steps
from idto3d.jobs.lock import owner_of
from idto3d.jobs.record import read_job
from idto3d.jobs.run_folder import LOCK


@pytest.fixture
def head(desk, options):
    """The id of a finished head."""
    job_id = desk.start([], options("young"), "anna")
    assert desk.steps(job_id) == Steps()
    watched(desk, job_id, over)
    return job_id


def edited(desk, head, prompt):
    desk.edit(head, EditOptions(prompt=prompt), "anna")
    return watched(desk, head, over)


def test_an_edit_is_a_job_whose_head_is_a_version(desk, head):
    before = desk.watch(head).glb.read_bytes()
    desk.edit(head, EditOptions(prompt="slow green hair"), "anna")
    view = watched(desk, head, lambda view: view.progress.stage == "edit" and view.progress.step)
    assert (view.kind, view.status) == ("edit", "running") and view.folder / "renders" / "preview_relit.png"
    with pytest.raises(UserError, match="at work already"):
        desk.edit(head, EditOptions(prompt="older"), "anna")
    with pytest.raises(UserError, match="at work already"):
        desk.switch(head, "v000")
    view = watched(desk, head, over)
    assert (view.status, view.error, view.kind) == ("done", None, "generate") and view.glb.read_bytes() != before
    assert [(one.id, one.current) for one in desk.versions(head)] == [("v000", False), ("v001", True)]
    assert desk.steps(head) == Steps(undo=True, redo=False)
    assert desk.undo(head).id == "v000" and desk.watch(head).glb.read_bytes() == before
    assert desk.steps(head) == Steps(undo=False, redo=True)
    assert desk.redo(head).id == "v001" and desk.switch(head, "v000").name == "young"
    assert (desk.version_folder(head, "v001") / "head.glb").is_file()
    desk.rename(head, "v001", "the green one")
    assert desk.versions(head)[1].name == "the green one"
    desk.drop(head, "v001")
    assert [one.id for one in desk.versions(head)] == ["v000"]


def test_an_edit_that_is_refused_leaves_a_head_that_is_done_and_says_why(desk, head):
    view = edited(desk, head, "refuse")
    assert view.status == "done" and view.error.what == "This changes nothing: 'refuse'." and view.glb
    assert edited(desk, head, "green hair").error is None


def test_why_an_edit_was_refused_is_written_before_the_head_counts_as_done(desk, head, monkeypatch):
    folder, told = desk.folder(head), []
    before = read_job(folder)
    job = record.further_job(before, record.EDIT, before.options, (EditOptions(prompt="nothing"),))
    monkeypatch.setattr(run_folder, "write_job", lambda _folder, job: told.append((job.status, failure(folder))))

    def refused(*_):
        raise UserError("This changes nothing.", "Say it in other words.")
        yield

    with pytest.raises(UserError, match="changes nothing"):
        list(run_folder.perform(folder, job, refused))
    assert told == [("running", None), ("done", ("This changes nothing.", "Say it in other words."))]


def failure(folder):
    return read_progress(folder).failure


@pytest.mark.parametrize("prompt", ["slow", "stall"])
def test_a_cancelled_edit_leaves_the_head_as_it_was(desk, head, prompt):
    before = desk.watch(head).glb.read_bytes()
    desk.edit(head, EditOptions(prompt=prompt), "anna")
    watched(desk, head, lambda view: (view.progress.stage, view.progress.step) == ("edit", 2))
    desk.cancel(head)
    view = desk.watch(head)
    assert (view.status, view.error) == ("done", None) and view.glb.read_bytes() == before
    assert edited(desk, head, "green hair").status == "done" and len(desk.versions(head)) == 2


def test_an_edit_that_is_killed_loses_nothing_and_says_so(desk, head):
    edited(desk, head, "green hair")
    before = desk.watch(head).glb.read_bytes()
    desk.edit(head, EditOptions(prompt="stall"), "anna")
    view = watched(desk, head, lambda view: (view.progress.stage, view.progress.step) == ("edit", 2))
    os.kill(owner_of(view.folder / LOCK), signal.SIGKILL)
    view = watched(desk, head, over)
    assert view.status == "done" and view.error.what.startswith("The work on this head stopped")
    assert view.glb.read_bytes() == before and [one.id for one in desk.versions(head)] == ["v000", "v001"]
    view = edited(desk, head, "older")
    assert view.error is None and desk.versions(head)[-1].parent == "v001"
    assert not (folder_of(view.folder, ".coming")).exists()


def test_an_edit_that_takes_too_long_is_stopped_and_says_so(desk, head):
    desk.limits = replace(desk.limits, job_seconds=0.3)
    view = edited(desk, head, "slow stall")
    assert view.status == "done" and "stopped after" in view.error.what
    assert view.error.remedy == "The head is as it was. Ask for the change again later."


def test_an_edit_that_breaks_speaks_of_no_resuming(desk, head):
    view = edited(desk, head, "break")
    assert view.status == "done" and "Something broke" in view.error.what
    assert view.error.remedy.startswith("The head is as it was. Ask for the change again") and not view.resumable


def test_edits_have_a_share_of_their_own_by_the_hour(desk, head):
    desk.shares.limits = replace(desk.limits, visitor_jobs_an_hour=1, visitor_edits_an_hour=2)
    edited(desk, head, "green hair")
    edited(desk, head, "older")
    with pytest.raises(UserError, match="2 edits within an hour"):
        desk.edit(head, EditOptions(prompt="bald"), "anna")


def test_of_two_who_edit_a_head_at_once_the_second_is_told(desk, head):
    folder, job = desk._at_rest(head)  # both found it at rest
    further = [record.further_job(job, record.EDIT, job.options, (EditOptions(prompt=one),)) for one in "ab"]
    desk._queue(folder, further[0])
    with pytest.raises(UserError, match="at work already"):
        desk._queue(folder, further[1])
    watched(desk, head, over)
    assert [one.name for one in desk.versions(head)] == ["young", "a"]


def test_a_head_may_have_so_many_versions(desk, head, options):
    desk.limits = replace(desk.limits, versions=2)
    edited(desk, head, "green hair")
    with pytest.raises(UserError, match="may have 2 versions"):
        desk.edit(head, EditOptions(prompt="older"), "anna")
    with pytest.raises(UserError, match="may have 2 versions"):
        desk.start([], options("young"), "anna", (EditOptions(prompt="older"),) * 2)
    desk.undo(head)
    desk.drop(head, "v001")
    assert edited(desk, head, "older").error is None


def test_a_head_that_is_made_again_is_edited_as_it_was(desk, options):
    asked = (EditOptions(prompt="green hair"), EditOptions(prompt="older"))
    job_id = desk.start([], options("young"), "anna", asked)
    view = watched(desk, job_id, over)
    assert view.status == "done" and [one.name for one in desk.versions(job_id)] == ["young", "green hair", "older"]
    assert read_job(view.folder).edits == asked


def test_an_edit_of_a_recipe_that_is_refused_leaves_the_others(desk, options):
    asked = [EditOptions(prompt=prompt) for prompt in ("green hair", "refuse", "older")]
    job_id = desk.start([], options("young"), "anna", tuple(asked))
    view = watched(desk, job_id, over)
    assert (view.status, view.error) == ("done", None) and view.glb
    assert "The change 'refuse' is left out. This changes nothing: 'refuse'." in view.progress.notices
    assert [(one.name, one.parent) for one in desk.versions(job_id)] == [
        ("young", ""),
        ("green hair", "v000"),
        ("older", "v001"),
    ]


def test_where_a_version_lies_is_said_without_reading_the_others(desk, head):
    edited(desk, head, "green hair")
    (desk.folder(head) / "versions" / "v000" / "version.json").write_text("damaged")
    assert desk.version_folder(head, "v001").name == "v001"
    for strange in ("v009", "../v001", ""):
        with pytest.raises(UserError, match="There is no version"):
            desk.version_folder(head, strange)


def test_a_head_whose_edits_are_stopped_goes_on_with_those_that_are_not_done(desk, options):
    asked = tuple(EditOptions(prompt=prompt) for prompt in ("refuse", "green hair", "slow slow slow"))
    job_id = desk.start([], options("young"), "anna", asked)
    watched(desk, job_id, lambda view: view.progress.stage == "edit" and (view.folder / "versions" / "v001").exists())
    desk.cancel(job_id)
    view = desk.watch(job_id)
    assert view.status == "cancelled" and view.resumable
    desk.resume(job_id)
    assert watched(desk, job_id, over).status == "done"
    assert [one.name for one in desk.versions(job_id)] == ["young", "green hair", "slow slow slow"]
    story = (desk.folder(job_id) / "events.jsonl").read_text()
    assert story.count('"stage": "shape", "steps"') == 1 and story.count("is left out") == 1
    assert not (desk.folder(job_id) / "checkpoints").exists()


def test_an_edit_without_words_or_with_a_mask_that_is_none_is_refused(desk, head, tmp_path):
    with pytest.raises(UserError, match="Nothing is asked for"):
        desk.edit(head, EditOptions())
    (tmp_path / "mask.png").write_text("no picture")
    with pytest.raises(UserError, match="not a photo"):
        desk.edit(head, EditOptions(prompt="green hair", mask=str(tmp_path / "mask.png")))
    assert desk.watch(head).status == record.DONE


def test_a_mask_is_kept_within_the_options(desk, head, photo):
    desk.edit(head, EditOptions(prompt="green hair", mask=str(photo)))
    photo.unlink()
    watched(desk, head, over)
    assert desk.versions(head)[1].edit.mask.startswith("data:image/png;base64,")
    assert '"mask": "painted"' in (desk.folder(head) / "events.jsonl").read_text()
