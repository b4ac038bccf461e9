"""Five edits deep, undone, redone and branched; what an edit that does not end well leaves; old heads."""

import json
import os
from dataclasses import replace
from functools import partial

import pytest

from idto3d import moves
from idto3d.config import ExportOptions
from idto3d.errors import UserError
from idto3d.events import Finished, Preview
from idto3d.files import sha256_of
from idto3d.jobs import record
from idto3d.jobs.event_log import read_progress
from idto3d.jobs.history.changes import drop, listed, redo, rename, steps, switch, tree_lines, undo
from idto3d.jobs.history.state import VERSIONS, folder_of, read_state, write_state
from idto3d.jobs.history.store import versions
from idto3d.jobs.history.version import Steps
from idto3d.jobs.privacy.traces import erase, traces
from idto3d.jobs.produce import produce
from idto3d.jobs.record import read_job
from idto3d.jobs.run_folder import claim, perform, reopen
from idto3d.ui.heads.archive import asset_files

REQUESTS = ("green hair", "blue eyes", "older", "freckles", "glasses")


def hashes(folder):
    return {one.id: one.sha256 for one in versions(folder)}


def test_five_edits_deep_undone_redone_and_branched_the_hashes_agree(head, edit, whole):
    made = sha256_of(head / "head.glb")
    assert versions(head) == () and not (head / VERSIONS).exists()
    edit(head, *REQUESTS)
    found = whole(head)
    assert [(one.parent, one.name) for one in found.values()] == [
        ("", "young"),
        *zip(("v000", "v001", "v002", "v003", "v004"), REQUESTS, strict=True),
    ]
    deep = hashes(head)
    assert deep["v000"] == made and len(set(deep.values())) == 6 and found["v005"].current
    assert [undo(head).id for _ in range(5)] == ["v004", "v003", "v002", "v001", "v000"]
    assert sha256_of(head / "head.glb") == made and not (head / "textures" / "glasses_albedo.png").exists()
    with pytest.raises(UserError, match="nothing to undo"):
        undo(head)
    assert [redo(head).id for _ in range(5)] == ["v001", "v002", "v003", "v004", "v005"]
    assert (head / "textures" / "glasses_albedo.png").exists() and hashes(head) == deep
    with pytest.raises(UserError, match="nothing to redo"):
        redo(head)
    switch(head, "v002")
    edit(head, "red lipstick")
    branch = whole(head)
    assert branch["v006"].parent == "v002" and branch["v006"].current
    assert {name: digest for name, digest in hashes(head).items() if name != "v006"} == deep
    undo(head)
    assert redo(head).id == "v006"  # left last, though v003 is a child of v002 too
    switch(head, "v004")
    switch(head, "v001")
    assert [redo(head).id, redo(head).id] == ["v002", "v003"]  # the way to where one was last
    assert whole(head)["v003"].current and read_job(head).status == record.DONE


def test_nothing_leads_on_from_a_version_that_is_not_in_place_yet(head, edit):
    edit(head, "green hair")
    state = read_state(head)
    write_state(head, replace(state, goal="v002", coming=True))
    assert steps(head) == Steps(False, False)


def test_what_is_edited_is_the_version_that_is_shown(head, edit, whole):
    edit(head, "green hair", "blue eyes")
    undo(head)
    edit(head, "older")
    saved = (folder_of(head, "v003") / "head.safetensors").read_bytes()
    assert saved.endswith(b"\ngreen hair\nolder")
    whole(head)


def test_versions_share_their_files_with_the_run_folder_where_they_can(head, edit, whole, monkeypatch):
    edit(head, "green hair")
    assert (head / "head.glb").samefile(folder_of(head, "v001") / "head.glb")

    def refused(*_):
        raise OSError("no links here")

    monkeypatch.setattr(moves.os, "link", refused)
    edit(head, "older")
    undo(head)
    whole(head)
    assert not (head / "head.glb").samefile(folder_of(head, "v001") / "head.glb")


def test_names_are_given_and_a_deleted_version_leaves_its_children_to_its_parent(head, edit, whole):
    edit(head, "green hair", "blue eyes", "older")
    switch(head, "v001")
    edit(head, "bald")
    assert rename(head, "v002", "  the\nblue one ").name == "the blue one"
    for wrong in ("", "  ", "x" * 81):
        with pytest.raises(UserError, match="no name for a version"):
            rename(head, "v002", wrong)
    for wanted, why in (("v000", "as it was made"), ("v004", "that is shown"), ("v099", "no version 'v099'")):
        with pytest.raises(UserError, match=why):
            drop(head, wanted)
    drop(head, "v001")
    found = whole(head)
    assert {name: one.parent for name, one in found.items()} == {
        "v000": "",
        "v002": "v000",
        "v003": "v002",
        "v004": "v000",
    }
    assert undo(head).id == "v000" and redo(head).id == "v004"
    drop(head, "v004") if not whole(head)["v004"].current else switch(head, "v003")
    edit(head, "ginger")
    assert "v005" in whole(head)  # no id comes twice


def test_the_tree_is_told_in_lines(head, edit):
    edit(head, "green hair", "older")
    undo(head)
    edit(head, "bald")
    lines = tree_lines(listed(head))
    assert [line[:11].rstrip() for line in lines] == ["v000", "└─ v001", "   ├─ v002", "   └─ v003*"]
    assert "green hair" in lines[1] and versions(head)[3].sha256[:12] in lines[3]


@pytest.mark.parametrize("end", ["refuse", "break", "cancel"])
def test_an_edit_that_does_not_end_well_leaves_the_head_and_says_why(head, edit, edits, kept, whole, end):
    edit(head, "green hair")
    before, job = kept(head), (head / "job.json").read_bytes()
    if end == "cancel":
        events = edits(head, "slow older")
        while not isinstance(next(events), Preview):
            pass
        assert read_job(head).kind == record.EDIT and read_job(head).edits[0].prompt == "slow older"
        events.close()
    else:
        with pytest.raises(UserError if end == "refuse" else RuntimeError):
            list(edits(head, end))
    assert kept(head) == before and (head / "job.json").read_bytes() == job
    assert list(whole(head)) == ["v000", "v001"]
    failure = read_progress(head).failure
    assert (failure is None) == (end == "cancel") and (end != "refuse" or "changes nothing" in failure[0])
    events = list(edits(head, "older"))
    assert isinstance(events[-1], Finished) and sum(isinstance(event, Finished) for event in events) == 1
    assert read_progress(head).failure is None and whole(head)["v002"].current


def test_what_was_asked_is_in_the_log(head, edit):
    edit(head, "green hair")
    notes = [json.loads(line) for line in (head / "events.jsonl").read_text().splitlines() if line]
    (asked,) = [note["edits"] for note in notes if note["event"] == "Resumed"]
    assert asked[0]["prompt"] == "green hair" and asked[0]["strength"] == 1.0


def test_an_export_is_that_of_the_current_version(head, edit, whole, kept):
    edit(head, "green hair")
    others = kept(folder_of(head, "v000"))
    options = replace(read_job(head).options, export=ExportOptions(faces=777))
    lock, job = reopen(head, record.EXPORT, options)
    with lock:
        list(perform(head, job, partial(produce, pipeline="fake_pipeline")))
    found = whole(head)
    assert list(found) == ["v000", "v001"] and found["v001"].edit.prompt == "green hair"
    assert b'"faces": 777' in (head / "head.glb").read_bytes() and kept(folder_of(head, "v000")) == others


def test_versions_go_with_the_run_and_are_told_among_what_is_kept(head, edit):
    edit(head, "green hair", "older")
    held = traces(head)
    assert held.sentence().endswith("the head, 3 versions")
    one = {path.stat().st_ino: path.stat().st_size for path in head.rglob("*") if path.is_file()}
    assert held.bytes == sum(one.values())
    assert dict(erase(head).kinds)["version"] == 3 and not head.exists()


def test_only_the_shown_version_is_packed_unless_all_are_asked_for(head, edit):
    edit(head, "green hair")
    assert not [path for path in asset_files(head) if VERSIONS in path.parts]
    packed = {str(path.relative_to(head)) for path in asset_files(head, versions=True)}
    assert {"head.glb", "versions/v000/head.glb", "versions/v001/textures/skin_albedo.png"} <= packed
    assert not [name for name in packed if name.endswith((".json", ".safetensors"))]


def test_a_history_without_its_state_is_not_thrown_away(head, edit):
    edit(head, "green hair")
    os.unlink(head / VERSIONS / "state.json")
    with pytest.raises(UserError, match=r"no state\.json"):
        listed(head)
    assert (folder_of(head, "v001") / "head.glb").is_file()
    (head / VERSIONS / "state.json").write_text("[]")
    with pytest.raises(UserError, match="damaged"):
        versions(head)


def test_a_head_at_work_is_not_switched(head, edit):
    edit(head, "green hair")
    with claim(head), pytest.raises(UserError, match="Another process works"):
        undo(head)
