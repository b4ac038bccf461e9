import json
import os
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from idto3d.config import HeadOptions, RenderOptions
from idto3d.errors import UserError
from idto3d.files import sha256_of
from idto3d.jobs.desk import JobView
from idto3d.jobs.event_log import Progress
from idto3d.jobs.history.version import Version
from idto3d.jobs.privacy.traces import Traces
from idto3d.jobs.record import JobError, PhotoRecord
from idto3d.ui import views
from idto3d.ui.actions import Actions, face_of, webp
from idto3d.ui.cards.heads import shelf
from idto3d.ui.cards.taken import taken
from idto3d.ui.cards.verdicts import unasked
from idto3d.ui.cards.versions import strip
from idto3d.ui.door.routes import fetches
from idto3d.ui.heads.archive import asset_files, write_zip
from idto3d.ui.heads.request import Request, check, options_of
from idto3d.ui.shelf import Shelf
from idto3d.ui.wired.frame import current
from idto3d.words.prompts import one_line

PHOTO = (Path("anna.png"),)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request((), consent=True), "nothing to make a head from"),
        (Request((), consent=True, prompt="  "), "nothing to make a head from"),
        (Request(PHOTO, consent=False), "need a yes"),
        (Request(PHOTO, consent=True, prompt="x" * 301), "301 characters"),
    ],
)
def test_a_request_is_refused_with_what_is_wrong_and_what_to_do(request_, said):
    with pytest.raises(UserError, match=said) as refused:
        check(request_)
    assert refused.value.remedy.endswith(".")


@pytest.mark.parametrize(
    "wrong", [{"preset": "best"}, {"expressions": "wink"}, {"expressions": ""}, {"seed": -1}, {"seed": 2**40}]
)
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(UserError):
        options_of(replace(Request(PHOTO, consent=True), **wrong))


def test_a_server_of_a_device_that_cannot_be_starts_no_job(tmp_path):
    class Desk:
        def reap(self):
            pytest.fail("it went on")

    with pytest.raises(UserError, match="'tpu' is no value of device"):
        Actions(Desk(), Shelf(tmp_path), base={"device": "tpu"}).start(Request(PHOTO, consent=True))


def test_a_job_that_cannot_be_deleted_is_told_and_the_others_go(tmp_path):
    class Desk:
        left, root = {"a", "b"}, tmp_path

        def watch(self, job_id, lends=True):
            return None

        def delete(self, job_id):
            if job_id == "a":
                raise UserError("A process still works on it.", "Try again in a moment.")
            self.left = self.left - {job_id}
            return Traces(tmp_path, (("photo", 3), ("head", 1)), 9, 0.0)

    desk = Desk()
    kept, why, gone = Actions(desk, Shelf(tmp_path)).delete_all(["a", "b"])
    assert gone == "Deleted: 3 photos, the head; nothing is left."
    assert kept == ["a"] and "still works" in why.what and desk.left == {"a"}
    assert Actions(desk, Shelf(tmp_path)).delete_all([]) == ([], None, "There was nothing to delete.")


def test_what_was_handed_out_and_uploaded_goes_also_where_the_run_cannot_be_removed_whole(tmp_path):
    class Desk:
        root = tmp_path / "runs"

        def delete(self, job_id):
            (self.root / job_id / "job.json").unlink()
            raise UserError("Not all of it could be deleted.", "Make it writable and delete it again.")

    job_id, shelf = "a" * 22, Shelf(tmp_path / "page")
    (head := Desk.root / job_id / "head.glb").parent.mkdir(parents=True)
    head.write_bytes(b"a head")
    (upload := shelf.folder / "0123" / "anna.png").parent.mkdir(parents=True)
    upload.write_bytes(b"a face")
    (head.parent / "job.json").write_text(json.dumps({"photos": [{"sha256": sha256_of(upload)}]}))
    handed = shelf.glb(job_id, head)
    kept, why, _ = Actions(Desk(), shelf).delete_all([job_id])
    assert kept == [job_id] and why and not handed.exists() and not upload.exists()


def test_a_request_becomes_the_options_of_its_preset():
    options = options_of(Request(PHOTO, True, " with\nred\u202e hair ", "hat", "standard", "1", 7))
    assert (options.preset, options.prompt, options.negative_prompt) == ("standard", "with red hair", "hat")
    assert (options.expressions, options.seed, options.shape.resolution) == (("neutral",), 7, 112)
    assert one_line("a\x00b\x1b[0m") == "a b [0m"
    assert not options.subject.keep  # the page makes nothing of a stranger's embedding


def test_the_zip_holds_the_asset_and_nothing_about_the_person(tmp_path, fake):
    for name in ("photos/01/anna.png", "subject/crop_01.png", "checkpoints/1.json", "job.json", "worker.log"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("private")
    for name in (".lock", "head.safetensors", "head.of.another.safetensors", "headshot.png", "versions/1/head.glb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("private")
    for name in ("head.glb", "textures/albedo.png", "renders/front.png", "renders/preview_relit.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("asset")
    archive = write_zip(tmp_path, tmp_path / "out.zip")
    names = sorted(zipfile.ZipFile(archive).namelist())
    assert names == ["head/head.glb", "head/renders/front.png", "head/textures/albedo.png"]
    assert len(asset_files(tmp_path)) == 3


def test_what_is_handed_out_is_the_newest_export(tmp_path):
    shelf, glb = Shelf(tmp_path / "page"), tmp_path / "head.glb"
    for moment, content in enumerate(("first", "second")):
        newer = tmp_path / "part"
        newer.write_text(content)
        os.utime(newer, (4e9 + moment, 4e9 + moment))
        newer.replace(glb)
        for _ in range(2):
            archive = zipfile.ZipFile(shelf.archive("a", glb))
            assert shelf.glb("a", glb).read_text() == archive.read("head/head.glb").decode() == content


def test_the_zip_has_what_came_after_the_head_and_what_another_version_has(tmp_path):
    shelf, run = Shelf(tmp_path / "page"), tmp_path / "run"

    def served():
        with zipfile.ZipFile(shelf.archive("a", run / "head.glb")) as archive:
            return {name.removeprefix("head/"): archive.read(name) for name in archive.namelist()}

    for name in ("head.glb", "renders/front.png"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_bytes(b"first")
    assert len(served()) == 2
    for name in ("renders/back.png", "expressions/contact_sheet.png"):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_bytes(b"later")
        os.utime(run / name, (1e9, 1e9))  # as a link to a file of before has
        assert served()[name] == b"later"
    written = (tmp_path / "page").rglob("head.zip")
    (path,) = written
    inode = path.stat().st_ino
    assert len(served()) == 4 and path.stat().st_ino == inode  # and is not written anew where nothing changed
    (run / "renders" / "back.png").unlink()
    assert len(served()) == 3


def test_the_newest_drawings_of_a_job_are_kept_and_go_with_it(tmp_path, fake):
    shelf = Shelf(tmp_path)
    drawn = [shelf.picture("a", fake.ball(8)) for _ in range(10)]
    assert [path.exists() for path in drawn] == [False] * 2 + [True] * 8
    other = shelf.picture("b", fake.ball(8))
    shelf.forget("a", ())
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [other]


def a_view(tmp_path, **changes):
    return replace(JobView("a" * 22, "running", tmp_path, HeadOptions()), **changes)


def test_text_of_users_cannot_become_markup(tmp_path):
    evil = "<img src=x onerror=alert(1)>"
    progress = Progress(stage=evil, step=1, steps=2, notices=(evil,), photo_crops=("",), likeness=0.5, encoder=evil)
    view = a_view(tmp_path, progress=progress, photos=(PhotoRecord(evil, "", ""),), error=JobError(evil, evil))
    version = Version("v000", "", evil, None, "", "")
    page = views.status(view) + views.details(view) + shelf([view], "") + strip([version], lambda one: "")
    page += (
        taken(view)
        + taken(replace(view, progress=Progress()))
        + unasked([evil])
        + views.notice(evil)
        + views.box(evil, evil)
    )
    assert "<img src=x" not in page and "&lt;img" in page.lower()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "queued", "position": 2}, "2 jobs are before yours"),
        ({"status": "queued"}, "Starting"),
        ({"status": "queued", "progress": Progress(stage="asset", step=2, steps=2)}, "bar waiting"),
        ({"progress": Progress(stage="shape", step=3, steps=9, seconds_left=200.0)}, "step 3 of 9"),
        ({"progress": Progress(stage="shape", step=3, steps=9, seconds_left=200.0)}, "about 3 min left"),
        (
            {"status": "done", "progress": Progress(likeness=0.71, encoder="dlib", same_person=0.91)},
            "taken for another person <small>(likeness 0.71 by the encoder dlib; the same person from 0.91)",
        ),
        ({"status": "cancelled"}, "Press Resume"),
        ({"status": "failed", "error": JobError("It broke.", "Mend it.")}, "<b>It broke.</b><span>Mend it.</span>"),
    ],
)
def test_the_status_says_where_the_job_stands(tmp_path, changes, said):
    assert said in views.status(a_view(tmp_path, **changes))


def test_each_photo_shows_whether_it_is_used(tmp_path, fake):
    from idto3d.jobs.event_log import png

    (tmp_path / "crop.png").write_bytes(png(fake.ball(8)))
    photos = tuple(PhotoRecord(name, "", "") for name in ("a.png", "b.png", "c.png"))
    progress = Progress(photo_crops=("crop.png", "", "crop.png"), notices=("'c.png' may show another person.",))
    html = views.details(a_view(tmp_path, status="done", photos=photos, progress=progress))
    assert re.findall(r'<figure class="(\w+)"', html) == ["used", "out", "doubt"]
    assert html.count("data:image/png;base64") == 2


def test_a_view_is_drawn_only_for_a_finished_head_and_a_light_of_ours(tmp_path, fake):
    class Finished:
        def watch(self, job_id):
            return a_view(tmp_path, glb=tmp_path / "head.glb" if job_id == "done" else None)

    does = Actions(Finished(), Shelf(tmp_path), fake.render_view)
    assert does.draw("done", RenderOptions(size=2048)).shape == (2048, 2048, 3)
    assert webp(does.draw("done", RenderOptions(size=32)))[8:12] == b"WEBP"
    with pytest.raises(UserError, match="no head to draw yet"):
        does.draw("busy", RenderOptions())
    with pytest.raises(UserError, match="no light named"):
        does.draw("done", RenderOptions(light="/etc/passwd.hdr"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"size": 99999}, "size cannot be"),
        ({"size": 4096}, "not drawn here"),
        ({"size": None}, "size is no number"),
        ({"azimuth_deg": float("nan")}, "azimuth_deg cannot be nan"),
        ({"elevation_deg": None}, "elevation_deg is no number"),
        ({"light_rotation_deg": float("inf")}, "light_rotation_deg cannot be inf"),
        ({"mode": "x-ray"}, "no value of mode"),
        ({"expressions": (("smile", 2.0),)}, "smile cannot have the weight 2.0"),
        ({"expressions": (("smile", float("nan")),)}, "smile cannot have the weight nan"),
        ({"expressions": (("smile", "much"),)}, "smile cannot have the weight much"),
        ({"expressions": (("smile", True),)}, "smile cannot have the weight True"),
        ({"expressions": (("wink", 1.0),)}, "no expression named 'wink'"),
    ],
)
def test_a_view_that_cannot_be_is_refused_and_not_drawn(tmp_path, wrong, said):
    class Finished:
        def watch(self, job_id):
            return a_view(tmp_path, glb=tmp_path / "head.glb")

    does = Actions(Finished(), Shelf(tmp_path), lambda folder, options: pytest.fail("it was drawn"))
    with pytest.raises(UserError, match=said):
        does.draw("done", RenderOptions(**wrong))


def test_a_face_is_a_mapping_of_names_to_weights():
    assert face_of(None) == face_of({}) == () and face_of({"smile": 0.5}) == (("smile", 0.5),)
    with pytest.raises(UserError, match="names with weights"):
        face_of([0.5])


@pytest.mark.parametrize("jobs", [None, "x", [], [3], {"a": 1}, 7])
def test_whatever_the_browser_remembers_is_no_job_unless_it_is_an_id(jobs):
    assert current(jobs) == ""


def test_addresses_of_other_servers_are_recognised():
    assert fetches("/gradio_api/file=http://other/x") and fetches("/gradio_api/file=/HTTPS://other/x")
    assert not fetches("/gradio_api/file=/tmp/page/photo.png")


def test_an_opened_head_is_shown_and_none_where_a_new_one_is_wanted():
    assert current(["a", "b"]) == "b" and current(["a", "b"], "a") == "a"
    assert current(["a", "b"], "new") == "" and current(["a", "b"], "of somebody else") == "b"
