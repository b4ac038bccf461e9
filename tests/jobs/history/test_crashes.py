"""A process that ends anywhere in an edit, a switch or an export: the folder heals, and nothing is lost."""

import shutil
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from idto3d.config import ExportOptions
from idto3d.errors import UserError
from idto3d.jobs import record
from idto3d.jobs.history.changes import drop, history, switch
from idto3d.jobs.history.rest import completed
from idto3d.jobs.history.state import folder_of
from idto3d.jobs.history.store import versions
from idto3d.jobs.privacy.traces import erase
from idto3d.jobs.produce import produce
from idto3d.jobs.record import read_job
from idto3d.jobs.run_folder import perform, reopen

BACK = Path("renders") / "back.png"


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


def test_pictures_that_come_later_may_end_anywhere(head, edit, fake, whole, kept, deaths):
    edit(head, "green hair", "older")
    before, seen = kept(head), set()
    for copy in deaths(head, lambda folder: list(completed(folder, fake.remaining_pictures))):
        healed(copy, whole)
        found = {name: (folder_of(copy, name) / BACK).is_file() for name in ("v000", "v001", "v002")}
        seen.add(tuple(found.values()))
        assert (copy / BACK).is_file() == found["v002"]
        assert {name: one for name, one in kept(copy).items() if name != str(BACK)} == before
    assert seen == {(False, False, False), (False, False, True), (False, True, True), (True, True, True)}


def test_pictures_of_a_version_that_went_meanwhile_go_with_it(head, edit, fake, whole):
    edit(head, "green hair", "older")
    drawing = completed(head, fake.remaining_pictures)
    for _ in range(4):  # those of v002 are down, those of v001 in hand
        next(drawing)
    drop(head, "v001")
    list(drawing)
    assert set(whole(head)) == {"v000", "v002"} and (folder_of(head, "v000") / BACK).is_file()


@pytest.mark.parametrize("seconds", [0.0, 0.002, 0.01, 0.05])
def test_a_head_that_is_deleted_while_pictures_are_put_down_leaves_nothing(head, edit, seconds):
    edit(head, "green hair")

    def pictures(_place):
        yield from ((Path("renders") / f"{number}.png", b"a face") for number in range(20))

    def draw():
        with suppress(OSError, UserError):  # as the folder goes
            list(completed(head, pictures))

    hand = threading.Thread(target=draw)
    hand.start()
    time.sleep(seconds)
    erase(head)
    hand.join()
    assert not head.exists()


@pytest.mark.parametrize("name", ["state.json", "v000"])
def test_a_copy_of_a_run_folder_has_its_history(head, edit, whole, tmp_path, name):
    edit(head, "green hair")
    shutil.copytree(head, tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / "versions" / name).exists()
    switch(tmp_path / "elsewhere", "v000")
    assert whole(tmp_path / "elsewhere")["v000"].current and versions(head)[1].current
