"""What the page does with finished heads: changes, versions, lights, the form filled again."""

import base64
import os
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from idto3d.config import EditOptions, HeadOptions, as_json
from idto3d.errors import UserError
from idto3d.export.gltf.container import packed
from idto3d.files import write_atomic
from idto3d.jobs.desk import JobView
from idto3d.jobs.event_log import Progress, png
from idto3d.jobs.history.version import Version
from idto3d.jobs.limits import LOCAL, PUBLIC
from idto3d.jobs.record import JobError, PhotoRecord
from idto3d.stages.edit.carried_mask import TEXT
from idto3d.ui import views
from idto3d.ui.actions import Actions
from idto3d.ui.cards.pictures import standing
from idto3d.ui.cards.taken import taken
from idto3d.ui.cards.versions import placed
from idto3d.ui.heads.again import again
from idto3d.ui.heads.forms import form_of
from idto3d.ui.heads.onstage import MOST_LIGHTS
from idto3d.ui.heads.painted import painted
from idto3d.ui.heads.request import Request, options_of, request_of
from idto3d.ui.heads.said import view_as_json
from idto3d.ui.heads.thumbs import cut_out
from idto3d.ui.page import layout
from idto3d.ui.photos import Photos
from idto3d.ui.shelf import Shelf
from idto3d.ui.wired.frame import arrived, arrived_job, frame, is_changing


def test_branches_of_versions_stand_in_rows_of_their_own():
    pairs = (("v000", ""), ("v001", "v000"), ("v002", "v001"), ("v003", "v001"), ("v004", "v000"))
    versions = [Version(name, parent, name, None, "", "") for name, parent in pairs]
    assert placed(versions) == {"v000": (1, 1), "v001": (1, 2), "v002": (1, 3), "v003": (2, 3), "v004": (3, 2)}


@pytest.mark.parametrize(
    ("prompt", "change"),
    [
        ("green hair", True),
        ("as a cute baby", True),
        ("older", True),
        ("a young woman with green hair", False),
        ("an old man", False),
        ("made of", False),
        ("a goatee", True),
    ],
)
def test_a_request_that_reads_like_a_change_of_the_head_shown_is_told_from_a_new_person(tmp_path, prompt, change):
    class Finished:
        def watch(self, job_id, lends=True):
            return JobView(job_id, "done", tmp_path, HeadOptions(prompt="made of"), glb=tmp_path / "head.glb")

    does = Actions(Finished(), Shelf(tmp_path))
    assert does.reads_like_a_change("a", prompt) is change


def test_the_form_is_filled_with_what_a_head_was_made_from():
    asked = Request((), True, "red hair", "hat", "standard", "6", 7, beard="goatee", lambda_id=0.5, weights="community")
    asked = replace(asked, chosen=(0.5, -1.0))
    form = form_of(options_of(asked), "community")
    assert request_of(form) == replace(asked, consent=False, words=1.0)


@pytest.mark.parametrize(
    ("limits", "named", "weights", "said"),
    [
        (LOCAL, "embedded", "", "Its weights were"),
        (LOCAL, "community", "community", "Its weights were"),
        (LOCAL, "ORG/REPO@abc", "ORG/REPO@abc", "Its weights were"),
        (LOCAL, "/gone/weights", "", "cannot be had here: those of this server are taken"),
        (PUBLIC, "ORG/REPO@abc", "", "cannot be had here: those of this server are taken"),
    ],
)
def test_a_head_is_made_again_with_the_weights_that_made_it(tmp_path, limits, named, weights, said):
    options = as_json(replace(options_of(Request(prompt="young")), weights=named))
    extras = {"options": options, "edits": [], "photos": 0, "weights": "some weights"}
    upload = write_atomic(tmp_path / "x.glb", packed({"asset": {"version": "2.0", "extras": extras}}, b""))
    found = again(upload, Photos(limits, {"weights": "embedded"}).chosen)
    assert found.form["weights"] == weights and said in found.said and not upload.exists()
    assert ("shell" in found.said) is False


def test_changes_of_a_head_are_named_as_its_versions_are(tmp_path):
    edits = [as_json(EditOptions(sketch=f"{TEXT}AA")), as_json(EditOptions("older"))]
    options = as_json(options_of(Request(prompt="young")))
    extras = {"options": options, "edits": edits, "photos": 0, "weights": "some weights"}
    upload = write_atomic(tmp_path / "x.glb", packed({"asset": {"version": "2.0", "extras": extras}}, b""))
    assert "by themselves: sketch, older." in again(upload, lambda weights: "").said


@pytest.mark.parametrize("said", [None, {}, {"png": 3}, {"png": "data:image/png;base64,x"}, {"png": "http://x/y.png"}])
def test_what_was_painted_must_be_a_picture(said):
    with pytest.raises(UserError, match="did not arrive as a picture"):
        painted(said)


def test_what_was_painted_restricts_a_change(tmp_path, fake):
    url = "data:image/png;base64," + base64.b64encode(png(fake.ball(8))).decode()
    mask = painted({"png": url, "azimuth_deg": 30, "elevation_deg": 5.5})
    options = mask.options(EditOptions("green hair"), tmp_path)
    assert (options.mask_space, options.mask_azimuth_deg, options.mask_elevation_deg) == ("view", 30.0, 5.5)
    assert Path(options.mask).read_bytes() == png(fake.ball(8))


def test_what_was_painted_goes_into_the_job_and_leaves_no_file(edited, until, fake):
    does, job_id = edited
    url = "data:image/png;base64," + base64.b64encode(png(fake.ball(8))).decode()
    does.change(job_id, EditOptions("older"), mask=painted({"png": url, "azimuth_deg": 30, "elevation_deg": 5.5}))
    assert not list(does.shelf.folder.rglob("painted*"))
    until(lambda: not does.desk.watch(job_id).active)
    assert does.revisions.versions(job_id)[-1].edit.mask.startswith(TEXT)


def test_a_light_must_be_an_upload_of_ours(tmp_path):
    does, secret = Actions(None, Shelf(tmp_path / "page")), tmp_path / "secret.hdr"
    secret.write_bytes(b"x")
    for path in (str(secret), None, 3, "/etc/passwd", str(tmp_path / "page")):
        with pytest.raises(UserError, match="no .hdr or .exr file that was uploaded"):
            does.own_light("a", {}, path, "x", "")


@pytest.fixture
def edited(page, until):
    """A finished head of the page with one change: what the page does, and the head's id."""
    does = page[1]
    job_id = does.desk.start([], replace(HeadOptions(), prompt="young"), "", (EditOptions(prompt="green hair"),))
    until(lambda: not does.desk.watch(job_id).active)
    return does, job_id


def test_the_viewer_is_given_a_version_from_its_own_folder_until_it_is_deleted(edited, monkeypatch):
    does, job_id = edited
    read = []
    monkeypatch.setattr(does.studio, "head_file", lambda folder, version: read.append(version) or b"head")
    monkeypatch.setattr(does.stage, "lights", lambda own: {})
    does.on_stage(job_id, {})
    does.desk.undo(job_id)
    does.on_stage(job_id, {}, "v001", "split")
    assert [folder.name for folder in read] == ["v001", "v000"]
    assert len(list(does.shelf.place(job_id).glob("*.head"))) == 2
    does.drop(job_id, "v001")
    (left,) = does.shelf.place(job_id).glob("*.head")
    assert left.stem == does.desk.versions(job_id)[0].sha256[:16]


def test_what_is_made_for_the_viewer_of_a_head_deleted_meanwhile_is_not_laid_out(edited, monkeypatch):
    does, job_id = edited
    folder, place = does.desk.root / job_id, does.shelf.place(job_id)
    version = does.desk.versions(job_id)[0]
    monkeypatch.setattr(does.studio, "head_file", lambda *_: does.delete(job_id) and b"head")
    with pytest.raises(UserError, match="was deleted"):
        does.stage.head(job_id, folder, version)
    assert not place.exists()


def test_a_head_holds_so_many_lights_of_a_visitor_whatever_the_page_remembers(edited, monkeypatch):
    does, job_id = edited
    monkeypatch.setattr(does.studio, "light_files", lambda lights, visitor: [b"light"])
    for number in range(MOST_LIGHTS + 3):
        upload = does.shelf.folder / f"{number}" / "own.hdr"
        upload.parent.mkdir()
        upload.write_bytes(b"x")
        does.own_light(job_id, {}, str(upload), "own.hdr", "")
    assert len(list(does.shelf.place(job_id).glob("*.light"))) == MOST_LIGHTS


def test_names_of_versions_are_short_and_those_of_none_are_refused_in_words(edited, monkeypatch):
    does, job_id = edited
    with pytest.raises(UserError, match="no name for a version"):
        does.change(job_id, EditOptions("older", name="x" * 500))
    monkeypatch.setattr(does.desk, "versions", lambda job_id: ())
    with pytest.raises(UserError, match="no version ''"):
        does.revisions.rename(job_id, "mine")


def test_undo_and_redo_are_offered_where_they_lead_somewhere(edited):
    does, job_id = edited
    assert does.revisions.steps(job_id) == (True, False)
    does.revisions.go(job_id, "undo")
    assert does.revisions.steps(job_id) == (False, True)
    does.drop(job_id, "v001")
    assert does.revisions.steps(job_id) == (False, False) == does.revisions.steps("nobody")


def test_a_head_that_is_changed_is_shown_meanwhile_with_the_change_over_it(edited, monkeypatch):
    does, job_id = edited
    monkeypatch.setattr(does.studio, "head_file", lambda folder, version: b"head")
    monkeypatch.setattr(does.stage, "lights", lambda own=None: {})
    at_rest = does.look(job_id)
    before = does.on_stage(job_id, {})
    does.change(job_id, EditOptions("stall"))
    view = does.look(job_id)
    assert does.has_head(view) and view.active and does.on_stage(job_id, {})["head"] == before["head"]
    assert is_changing(arrived(view)) and not is_changing(arrived(at_rest))
    assert arrived_job(arrived(view)) == job_id and standing(view)["over"] and "head" not in standing(view)
    does.desk.cancel(job_id)
    assert arrived(does.look(job_id)) == arrived(at_rest)


def test_a_change_whose_head_is_deleted_in_another_tab_meanwhile_has_no_picture(edited, monkeypatch):
    does, job_id = edited
    does.change(job_id, EditOptions("stall"))
    view = does.look(job_id)
    view = replace(view, previews={"relit": view.folder / "preview_relit.png"})
    does.delete(job_id)
    assert standing(view) == {"over": True, "picture": "", "caption": ""}
    assert standing(replace(view, kind="generate")) == {"head": "", "picture": "", "caption": ""}


@pytest.mark.parametrize(
    ("status", "state", "resumable"), [("running", "busy", False), ("cancelled", "held", True), ("done", "", False)]
)
def test_photos_of_a_head_that_is_made_stand_where_photos_are_added(tmp_path, status, state, resumable):
    photos = (PhotoRecord("<b>.png", "", ""), PhotoRecord("side.png", "", ""))
    view = JobView("a", status, tmp_path, HeadOptions(), photos=photos, resumable=resumable)
    said = taken(view)
    assert (f'"taken {state}"' in said and "side.png" in said) if state else said == ""
    assert "<b>" not in said
    looked_at = replace(view, progress=Progress(photo_crops=("", "")))
    assert ("left out" in taken(looked_at)) == bool(state) != ("left out" in views.details(looked_at))
    assert taken(replace(view, kind="edit")) == taken(replace(view, photos=())) == taken(None) == ""


def test_a_page_waits_for_the_pictures_that_follow_a_change_and_its_zip_is_told_of_them(edited, until):
    does, job_id = edited
    widgets = layout_of()
    glb, back = does.look(job_id).glb, does.look(job_id).folder / "renders" / "late.png"
    until(back.with_name("back.png").is_file)  # what the toy's worker draws
    values = frame(widgets, does, [job_id], "")
    packed, seen = values[widgets.memory.packed], values[widgets.memory.seen]
    assert values[widgets.memory.timer].active and widgets.memory.packed not in frame(widgets, does, [job_id], "", seen)
    back.write_bytes(b"a side")
    values = frame(widgets, does, [job_id], "", seen)
    assert values[widgets.memory.packed] != packed and values[widgets.memory.arrived] == packed.rpartition(" ")[0]
    sheet = glb.parent / "expressions" / "contact_sheet.png"
    sheet.parent.mkdir()
    sheet.write_bytes(b"a sheet")
    assert not frame(widgets, does, [job_id], "", seen)[widgets.memory.timer].active
    sheet.unlink()
    os.utime(glb.parent, (1e9, 1e9))  # whoever was to draw it is gone
    assert not frame(widgets, does, [job_id], "", seen)[widgets.memory.timer].active


def test_only_the_photos_that_a_head_was_begun_with_leave_the_box_with_it(edited):
    does, job_id = edited
    widgets = layout_of()
    photos, boxed = widgets.inputs.photos, widgets.memory.boxed
    begun = frame(widgets, does, [job_id], "", boxed=job_id)
    assert begun[photos] is None and begun[boxed] == ""
    just_running = f"{job_id} running generate"
    for of in ("", "b" * 22):
        assert photos not in frame(widgets, does, [job_id], "", just_running, of)


def layout_of():
    """The page's widgets, for which values are worked out."""
    with gr.Blocks():
        return layout()


def test_pictures_are_cut_out_of_their_white_ground_but_not_of_white_eyes(fake):
    image = fake.ball(64)
    image[30:34, 30:34] = 255
    clear = cut_out(image)[..., 3]
    assert clear[0, 0] == 0 and clear[32, 32] == 255 and (clear > 0).mean() < 0.9


def test_what_the_page_says_names_no_folder_of_the_server(tmp_path):
    error = JobError("'/srv/runs/a/job.json' cannot be read.", "Look into /srv/runs/log.")
    progress = Progress(notices=("The weights '/srv/weights/mine' are old.",))
    view = JobView("a", "failed", tmp_path, HeadOptions(), progress=progress, error=error)
    for said in (str(view_as_json(view, ())), views.status(view), views.details(view)):
        assert "/srv" not in said
    assert "job.json" in views.status(view) and "mine" in views.details(view)
