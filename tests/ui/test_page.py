"""The page and its API, served for real over the toy pipeline."""

import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from idto3d.jobs.privacy.ages import DOUBT, Ages
from idto3d.ui import server
from idto3d.ui.door.access import Access
from idto3d.ui.server import make_page, open_page

STABLE = ("generate", "edit", "render", "versions", "status", "cancel", "resume", "delete", "result")
STABLE += ("candidates", "sketch", "animate", "animations", "animation")
ENDPOINTS = sorted(f"/{name}" for name in (*STABLE, "watch", "download"))


@pytest.fixture
def client(address, tmp_path):
    return Client(address, verbose=False, download_files=str(tmp_path / "got"))


def generate(client, photo, prompt="", consent=True):
    return client.predict([handle_file(str(photo))], consent, prompt, "", "draft", "3", 5, api_name="/generate")


def over(client, job_id):
    view = client.predict(job_id, api_name="/watch")
    return view if view["status"] not in ("queued", "running") else None


def test_a_head_is_made_drawn_downloaded_and_deleted_over_the_api(client, page, photo, until):
    assert sorted(client.view_api(return_format="dict")["named_endpoints"]) == ENDPOINTS
    job_id = generate(client, photo, "young")
    view = until(lambda: over(client, job_id))
    assert view["status"] == "done" and view["likeness"] == 0.71 and view["error"] is None
    assert str(page[1].desk.root) not in json.dumps(view)
    picture = client.predict(job_id, "clay", "", 0, 30, 0, 64, {"smile": 1.0}, api_name="/render")
    assert Path(picture).read_bytes()[:4] == b"\x89PNG"
    glb, archive = client.predict(job_id, api_name="/download")
    assert Path(glb).read_bytes()[:4] == b"glTF" and Path(archive).read_bytes()[:2] == b"PK"
    content = photo.read_bytes()
    assert client.predict(job_id, api_name="/delete").startswith("Deleted: ")
    left = [path for root in (page[1].desk.root, page[1].shelf.folder) for path in root.rglob("*") if path.is_file()]
    assert not [path for path in left if content in path.read_bytes()]
    assert not list(page[1].shelf.folder.glob("heads/*")) and page[1].desk.ids() == []
    assert not list(page[1].shelf.folder.rglob("*.png")) and not list(page[1].shelf.folder.rglob("*.glb"))
    with pytest.raises(Exception, match="no longer exists"):
        client.predict(job_id, api_name="/watch")


def test_a_head_is_changed_undone_and_handed_out_over_the_api(client, page, photo, until):
    job_id = generate(client, photo, "young")
    until(lambda: over(client, job_id))
    assert client.predict(job_id, "green hair", locks="eyes, nose", api_name="/edit")["status"] in ("queued", "running")
    view = until(lambda: over(client, job_id))
    assert [(one["id"], one["name"], one["current"]) for one in view["versions"]] == [
        ("v000", "young", False),
        ("v001", "green hair", True),
    ]
    assert view["versions"][1]["edit"]["locks"] == ["eyes", "nose"] and "mask" not in view["versions"][1]["edit"]
    changed = Path(client.predict(job_id, api_name="/result")[0]).read_bytes()
    versions = client.predict(job_id, "undo", api_name="/versions")
    assert [one["current"] for one in versions] == [True, False]
    assert Path(client.predict(job_id, api_name="/result")[0]).read_bytes() != changed
    with pytest.raises(Exception, match="nothing to undo"):
        client.predict(job_id, "undo", api_name="/versions")
    with pytest.raises(Exception, match="no value of keep"):
        client.predict(job_id, "green hair", keep="hair", api_name="/edit")


def test_a_face_is_chosen_over_the_api_and_the_head_is_made_of_it(client, page, until):
    faces = client.predict("young", seed=7, api_name="/candidates")
    assert [one["coefficients"] for one in faces] == [[float(i), 7.0, -1.0] for i in range(9)]
    assert all(one["picture"].startswith("data:image/webp;base64,") for one in faces)
    alike = client.predict("young", like=[faces[4]["coefficients"]], count=3, api_name="/candidates")
    assert [one["coefficients"] for one in alike] == [[float(i), 0.0, 4.0] for i in range(3)]
    chosen = alike[1]["coefficients"]
    job_id = client.predict([], False, "young", chosen=chosen, api_name="/generate")
    until(lambda: over(client, job_id))
    assert page[1].look(job_id).options.choice.chosen == (1.0, 0.0, 4.0)
    for wrong, said in ((["a"], "no face of ours"), ([1e9], "no face of ours"), ({"a": 1}, "no face of ours")):
        with pytest.raises(Exception, match=said):
            client.predict([], False, "young", chosen=wrong, api_name="/generate")
    for words, said in (
        ("", "Nothing is said"),
        ("refuse", "Nothing is known of such"),
        ("break", "could not be looked at"),
    ):
        with pytest.raises(Exception, match=said):
            client.predict(words, api_name="/candidates")


def test_a_head_is_animated_over_the_api_and_the_clip_is_gone(client, page, photo, until, tmp_path):
    job_id = generate(client, photo, "young")
    until(lambda: over(client, job_id))
    (clip := tmp_path / "hello.mp4").write_bytes(b"anna in person")
    with pytest.raises(Exception, match="need a yes"):
        client.predict(job_id, handle_file(str(clip)), False, api_name="/animate")
    client.predict(job_id, handle_file(str(clip)), True, strength=2.0, api_name="/animate")
    view = until(lambda: over(client, job_id))
    assert view["status"] == "done" and view["error"] is None
    (one,) = client.predict(job_id, api_name="/animations")
    assert (one["id"], one["name"], one["options"]["strength"], one["film"]) == ("a001", "hello", 2.0, True)
    glb, film = client.predict(job_id, "a001", api_name="/animation")
    assert Path(glb).read_bytes() == b"glTFanna" and Path(film).read_bytes() == b"a film \x14"
    for root in (page[1].desk.root, page[1].shelf.folder):
        assert not holding(root, clip.read_bytes())
    assert client.predict(job_id, "a001", api_name="/animations") == []
    with pytest.raises(Exception, match="no animation 'a001'"):
        client.predict(job_id, "a001", api_name="/animation")


def test_a_drawing_is_laid_on_a_head_over_the_api(client, page, photo, until, tmp_path):
    job_id = generate(client, photo, "young")
    until(lambda: over(client, job_id))
    Image.new("RGBA", (8, 8), (120, 0, 0, 200)).save(drawing := tmp_path / "mark.png")
    client.predict(job_id, handle_file(str(drawing)), "a tattoo", 0.0, "view", 30.0, api_name="/sketch")
    view = until(lambda: over(client, job_id))
    edit = view["versions"][-1]["edit"]
    assert (edit["prompt"], edit["strength"], edit["mask_space"], edit["mask_azimuth_deg"]) == (
        "a tattoo",
        0.0,
        "view",
        30.0,
    )
    assert "sketch" not in edit


def test_refusals_reach_the_caller_as_sentences(client, photo, until):
    with pytest.raises(Exception, match="need a yes"):
        generate(client, photo, consent=False)
    job_id = generate(client, photo, "refuse")
    view = until(lambda: over(client, job_id))
    assert view["status"] == "failed" and view["error"]["what"].startswith("No face")
    with pytest.raises(Exception, match="no head to draw yet"):
        client.predict(job_id, "relit", "", 0, 0, 0, 64, {}, api_name="/render")
    job_id = generate(client, photo)
    until(lambda: over(client, job_id))
    with pytest.raises(Exception, match="names with weights"):
        client.predict(job_id, "relit", "", 0, 0, 0, 64, [1], api_name="/render")
    with pytest.raises(Exception, match="smile cannot have the weight much"):
        client.predict(job_id, "relit", "", 0, 0, 0, 64, {"smile": "much"}, api_name="/render")


def test_a_job_is_cancelled_and_resumed_over_the_api(client, photo, until):
    job_id = generate(client, photo, "stall")
    until(lambda: client.predict(job_id, api_name="/watch")["step"] >= 1)
    assert client.predict(job_id, api_name="/cancel")["status"] == "cancelled"
    client.predict(job_id, api_name="/resume")
    assert until(lambda: over(client, job_id))["status"] == "done"


def holding(folder, content):
    """The files below `folder` with that content."""
    return [path for path in folder.rglob("*") if path.is_file() and path.read_bytes() == content]


def test_what_an_earlier_server_left_is_removed_before_the_page_is_served(page, photo, request):
    shelf = page[1].shelf
    (shelf.folder / "0a1b").mkdir()
    (shelf.folder / "0a1b" / "anna.png").write_bytes(photo.read_bytes())
    request.getfixturevalue("address")
    assert list(shelf.folder.iterdir()) == []


def test_uploads_go_when_the_head_is_done_and_not_before(page, photo, request, monkeypatch, until):
    monkeypatch.setattr(server, "TIDY_SECONDS", 0.1)
    client = Client(request.getfixturevalue("address"), verbose=False)
    stopped, done = photo.read_bytes(), photo.read_bytes() + b" "
    job_id = generate(client, photo, "stall")
    until(lambda: client.predict(job_id, api_name="/watch")["step"] >= 1)
    client.predict(job_id, api_name="/cancel")
    other = photo.with_name("other.png")
    other.write_bytes(done)
    generate(client, other)
    until(lambda: not holding(page[1].shelf.folder, done))
    assert holding(page[1].shelf.folder, stopped)


def test_a_photo_is_used_again_right_after_its_head_is_done(client, page, photo, until):
    for _ in range(2):
        job_id = generate(client, photo)
        assert until(lambda job_id=job_id: over(client, job_id))["status"] == "done"
    kept = upload(client.src.rstrip("/"), photo)[0]
    page[1].tidy()
    assert Path(kept).is_file()


def test_an_old_job_is_reaped_from_a_timer_and_one_of_another_version_stops_nothing(page, request, monkeypatch, until):
    monkeypatch.setattr(server, "TIDY_SECONDS", 0.1)
    desk = page[1].desk
    for job_id in ("a" * 22, "b" * 22):
        (desk.root / job_id).mkdir()
        (desk.root / job_id / "job.json").write_text('{"options": {"of_another_version": 1}}')
    os.utime(desk.root / ("a" * 22) / "job.json", (0, 0))
    desk.ages = Ages(itertools.count(0.0, DOUBT).__next__)  # an hour goes by from look to look
    request.getfixturevalue("address")
    until(lambda: desk.ids() == ["b" * 22])


def upload(address, photo):
    """Send a photo as the page does."""
    edge = b"----edge"
    head = b'--%s\r\nContent-Disposition: form-data; name="files"; filename="anna.png"\r\n\r\n' % edge
    body = head + photo.read_bytes() + b"\r\n--%s--\r\n" % edge
    headers = {"Content-Type": f"multipart/form-data; boundary={edge.decode()}"}
    with urllib.request.urlopen(urllib.request.Request(f"{address}/gradio_api/upload", body, headers)) as answer:
        return json.loads(answer.read())


def answers(address):
    try:
        return status_of(address, "/")[0] == 200
    except OSError:
        return False


def test_a_terminated_server_ends_in_order_and_leaves_no_upload(tmp_path, photo, until):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root, address = Path(__file__).parents[2], f"http://127.0.0.1:{port}"
    command = [sys.executable, str(root / "app.py"), "--port", str(port), "--runs", str(tmp_path / "runs")]
    env = {name: value for name, value in os.environ.items() if not name.startswith("GRADIO_")}
    with subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        until(lambda: answers(address) or server.poll() is not None)
        assert Path(upload(address, photo)[0]).is_file()
        with urllib.request.urlopen(f"{address}/gradio_api/heartbeat/tab"):  # as an open page holds it
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0, server.stdout.read()
    assert holding(tmp_path, photo.read_bytes()) == [photo]


def test_a_server_terminated_while_it_starts_ends_in_order_too(tmp_path, monkeypatch):
    blocks, does = make_page(tmp_path / "runs")
    upload = does.shelf.folder / "anna.png"
    upload.write_bytes(b"a photo")

    def launch(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(blocks, "launch", launch)
    assert open_page(blocks, does, Access(), None) == ""
    assert not upload.exists()


def status_of(address, path, data=None):
    request = urllib.request.Request(address.rstrip("/") + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.headers


def test_the_server_keeps_to_itself(address, page):
    code, headers = status_of(address, "/")
    assert code == 200 and "default-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert status_of(address, "/gradio_api/file=http://127.0.0.1:9/x")[0] == 404
    file = {"path": "http://127.0.0.1:9/x.png", "meta": {"_type": "gradio.FileData"}}
    run = [[file], True, "", "", "draft", "3", 5, "", "", "", "", None, None, None, "", None, []]
    run = json.dumps({"data": run}).encode()
    assert status_of(address, "/gradio_api/call/generate", run)[0] == 400
    assert status_of(address, "/gradio_api/call/watch", b'{"data": ["' + b"x" * (1 << 20) + b'"]}')[0] == 413
    secret = page[1].desk.root / "secret.txt"
    secret.write_text("secret")
    assert status_of(address, f"/gradio_api/file={secret}")[0] in (403, 404)
    assert status_of(address, "/monitoring")[0] in (403, 404)


def test_the_page_derives_its_choices_from_the_options(page):
    from idto3d.config import PRESETS, REGIONS
    from idto3d.words.expressions import SETS
    from idto3d.words.traits import ATTRIBUTES

    by_id = {part.elem_id: part for part in page[0].blocks.values() if getattr(part, "elem_id", None)}
    for name, values in (("preset", PRESETS), ("expressions", SETS), ("locks", REGIONS)):
        assert [value for _, value in by_id[name].choices] == list(values)
    for name in ("hair_style", "hair_colour", "beard", "skin"):
        assert [value for _, value in by_id[name].choices] == ["", *ATTRIBUTES[name]]
