"""A process that ends anywhere in an edit, a switch or an export: the folder heals, and nothing is lost."""

import shutil
from dataclasses import replace
from functools import partial

import pytest

from idto3d.config import ExportOptions
from idto3d.jobs import record
from idto3d.jobs.history.changes import drop, history, switch
from idto3d.jobs.history.state import folder_of
from idto3d.jobs.history.store import versions
from idto3d.jobs.produce import produce
from idto3d.jobs.record import read_job
from idto3d.jobs.run_folder import perform, reopen


def healed(folder, whole):
    """The versions of a folder that was opened again, of which all is in order."""
    with history(folder):
        pass
    return whole(folder)


def test_an_edit_may_end_anywhere(head, edit, whole, kept, deaths):
    edit(head, "green hair", "older with glasses")
    before, outcomes = kept(head), set()
    for copy in deaths(head, lambda folder: edit(folder, "blue eyes")):
        found = healed(copy, whole)
        outcomes.add(len(found))
        assert list(found)[:3] == ["v000", "v001", "v002"]
        assert found["v002"].current == (len(found) == 3) and kept(folder_of(copy, "v002")) == before
        if copy.name.endswith("5"):
            edit(copy, "freckles")
            assert whole(copy)[f"v{len(found):03}"].current
    assert outcomes == {3, 4}


def test_the_first_edit_may_end_anywhere(head, edit, whole, kept, deaths):
    before = kept(head)
    for copy in deaths(head, lambda folder: edit(folder, "blue eyes")):
        found = healed(copy, whole)
        assert kept(folder_of(copy, "v000")) == before and found["v000"].current == (len(found) == 1)


def test_a_switch_may_end_anywhere(head, edit, whole, kept, deaths):
    edit(head, "green hair", "glasses")
    before = {name: kept(folder_of(head, name)) for name in ("v000", "v001", "v002")}
    shown = set()
    for copy in deaths(head, lambda folder: switch(folder, "v000")):
        found = healed(copy, whole)
        assert {name: kept(folder_of(copy, name)) for name in found} == before
        shown |= {one.id for one in found.values() if one.current}
    assert shown == {"v000", "v002"}


def test_an_export_may_end_anywhere(head, edit, fake, whole, kept, deaths):
    edit(head, "green hair")
    before = kept(head)

    def export(folder):
        options = replace(read_job(folder).options, export=ExportOptions(faces=777))
        lock, job = reopen(folder, record.EXPORT, options)
        with lock:
            list(perform(folder, job, partial(produce, pipeline="fake_pipeline")))

    seen = set()
    for copy in deaths(head, export):
        found = healed(copy, whole)
        assert list(found) == ["v000", "v001"] and found["v001"].current
        new = b'"faces": 777' in (copy / "head.glb").read_bytes()
        seen.add(new)
        assert new or kept(copy) == before
    assert seen == {True, False}


def test_a_deletion_may_end_anywhere(head, edit, whole, deaths):
    edit(head, "green hair", "glasses", "older")
    for copy in deaths(head, lambda folder: drop(folder, "v001")):
        found = healed(copy, whole)
        assert set(found) - {"v001"} == {"v000", "v002", "v003"}
        assert found["v002"].parent == ("v001" if "v001" in found and found["v002"].parent == "v001" else "v000")


@pytest.mark.parametrize("name", ["state.json", "v000"])
def test_a_copy_of_a_run_folder_has_its_history(head, edit, whole, tmp_path, name):
    edit(head, "green hair")
    shutil.copytree(head, tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "versions" / name).exists()
    switch(tmp_path / "elsewhere", "v000")
    assert whole(tmp_path / "elsewhere")["v000"].current and versions(head)[1].current
