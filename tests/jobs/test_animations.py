"""Animations at the desk: real workers, refused, cancelled and deleted, and no clip that stays."""

import os
import time

import pytest
from waiting import over, watched

from idto3d.config import AnimateOptions
from idto3d.errors import UserError
from idto3d.files import sha256_of
from idto3d.jobs import record
from idto3d.jobs.animations.clip import STRAY_SECONDS, hand_in
from idto3d.jobs.animations.store import animation, animations, drop
from idto3d.jobs.limits import Limits
from idto3d.jobs.privacy.traces import traces
from idto3d.jobs.record import read_job


@pytest.fixture
def head(desk, options):
    """The id of a finished head."""
    job_id = desk.start([], options("young"), "anna")
    watched(desk, job_id, over)
    return job_id


@pytest.fixture
def clip(tmp_path):
    """Makes a clip of some bytes."""

    def made(content=b"anna herself"):
        path = tmp_path / "anna.mp4"
        path.write_bytes(content)
        return path

    return made


def no_clip_is_left(folder, content=b"anna herself"):
    return not (folder / record.CLIP).exists() and not [
        path for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()
    ]


def test_a_head_is_animated_and_stays_as_it_was(desk, head, clip):
    folder = desk.folder(head)
    before = sha256_of(folder / "head.glb")
    desk.animate(head, clip(), AnimateOptions(strength=2.0), "hello", "anna")
    view = watched(desk, head, over)
    assert (view.status, view.error, view.kind) == ("done", None, record.GENERATE)
    assert sha256_of(view.glb) == before and "no face was seen" in view.progress.notices[-1]
    (one,) = animations(folder)
    assert (one.id, one.name, one.options.strength) == ("a001", "hello", 2.0)
    assert one.glb.read_bytes() == b"glTFanna" and one.film.read_bytes() == b"a film \x14"
    assert no_clip_is_left(folder) and clip().is_file()
    assert dict(traces(folder).kinds)["animation"] == 1
    drop(folder, "a001")
    assert animations(folder) == ()
    with pytest.raises(UserError, match="no animation 'a001'"):
        animation(folder, "a001")


def test_an_animation_that_a_shell_made_is_listed_and_deleted_like_any_other(tmp_path):
    for name, glb in (("a smile", b"glTF"), ("hello_2", b"glTF"), (".coming", b"glTF"), ("begun", b"")):
        place = tmp_path / "animations" / name
        place.mkdir(parents=True)
        if glb:
            (place / "clip.glb").write_bytes(glb)
    (gone := tmp_path / "animations" / "gone").mkdir()
    (gone / "clip.glb").symlink_to("nowhere")  # as where it is deleted at this moment
    (one,) = animations(tmp_path)
    assert (one.id, one.name, one.film) == ("hello_2", "hello_2", None) and record.age(one.created) < 60
    drop(tmp_path, "hello_2")
    assert animations(tmp_path) == ()


@pytest.mark.parametrize("content", [b"refuse anna herself", b"stall anna herself"], ids=["refused", "cancelled"])
def test_a_clip_goes_however_the_work_ends_and_no_animation_is_half_there(desk, head, clip, content):
    folder = desk.folder(head)
    desk.animate(head, clip(content), AnimateOptions(), "hello", "anna")
    if b"stall" in content:
        watched(desk, head, lambda view: view.progress.stage == "clip" and view.progress.step == 2)
        assert (folder / read_job(folder).clip.path).read_bytes() == content
        desk.cancel(head)
    view = watched(desk, head, over)
    assert view.status == "done" and view.glb and no_clip_is_left(folder)
    assert animations(folder) == () and not list((folder / "animations").iterdir())
    if b"refuse" in content:
        assert view.error.what == "No face was found in the clip."


def test_a_clip_of_a_worker_that_died_goes_when_somebody_looks(desk, head, clip):
    folder = desk.folder(head)
    hand_in(folder, clip(), "hello", AnimateOptions())
    desk.watch(head)
    assert (folder / record.CLIP).is_dir()  # it may be that of a job that is just being handed in
    os.utime(folder / record.CLIP, (0, time.time() - STRAY_SECONDS - 1))
    desk.watch(head)
    assert no_clip_is_left(folder)


def test_clips_that_are_too_much_are_refused_before_they_are_copied(desk, head, clip, tmp_path):
    folder, how = desk.folder(head), AnimateOptions()
    desk.limits = Limits(clip_megabytes=1e-6, animations=0)
    with pytest.raises(UserError, match="The clip 'anna.mp4' has 0 MB"):
        desk.animate(head, clip(), how, "hello")
    desk.limits = Limits()
    with pytest.raises(UserError, match="strength cannot be 9"):
        desk.animate(head, clip(), AnimateOptions(strength=9.0), "hello")
    text = tmp_path / "anna.txt"
    text.write_bytes(b"anna herself")
    with pytest.raises(UserError, match="no clip that can be read"):
        desk.animate(head, text, how, "hello")
    desk.limits = Limits(animations=0)
    with pytest.raises(UserError, match="may have 0 animations"):
        desk.animate(head, clip(), how, "hello")
    assert no_clip_is_left(folder) and read_job(folder).status == record.DONE


def test_of_two_who_animate_at_once_the_second_is_refused_and_the_clip_of_the_first_stays(
    desk, head, clip, monkeypatch
):
    folder, queue = desk.folder(head), desk._queue

    def second(folder_, job):
        monkeypatch.setattr(desk, "_queue", queue)
        with monkeypatch.context() as late:
            late.setattr(desk, "_queue", refused)
            with pytest.raises(UserError, match="at work already"):
                desk.animate(head, clip(b"stall berta"), AnimateOptions(), "other", "berta")
        assert (folder / job.clip.path).read_bytes() == b"anna herself"
        queue(folder_, job)

    def refused(folder_, job):
        assert (folder / job.clip.path).read_bytes() == b"stall berta"
        raise UserError("This job is at work already.", "Watch it, or cancel it.")

    monkeypatch.setattr(desk, "_queue", second)
    desk.animate(head, clip(), AnimateOptions(), "hello", "anna")
    watched(desk, head, over)
    assert [one.name for one in animations(folder)] == ["hello"] and no_clip_is_left(folder, b"berta")
