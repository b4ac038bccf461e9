"""The door before a page that is served for real, with lowered limits."""

import errno
import http.client
import json
import os
import socket
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from gradio_client import Client, handle_file

from idto3d.errors import UserError
from idto3d.jobs.limits import PUBLIC
from idto3d.ui.door.access import Access
from idto3d.ui.door.body import Patience

LIMITS = replace(
    PUBLIC,
    photos=4,
    photo_megabytes=0.1,
    clip_megabytes=0.1,
    visitor_megabytes=0.6,
    total_megabytes=2.0,
    free_megabytes=0.0,
    visitor_jobs=9,
)
PATIENCE = Patience(pause=1.0, whole=3.0)
EDGE = b"edge"
FORM = {"Content-Type": "multipart/form-data; boundary=edge"}


class Served:
    """A page and what may be sent to it."""

    def __init__(self, address, does):
        self.place, self.does = urlsplit(address).netloc, does

    def ask(self, method, path, body=None, **headers):
        """Status and text of one answer."""
        line = http.client.HTTPConnection(self.place, timeout=30)
        line.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = line.getresponse()
        return answer.status, answer.read().decode(errors="replace")

    def upload(self, *contents, names=None, **headers):
        """Status and text of the answer to an upload of files."""
        return self.ask("POST", "/gradio_api/upload", form(*contents, names=names), **(FORM | headers))

    def call(self, name, *values):
        """Status and text of the answer to a call."""
        body = json.dumps({"data": values}).encode()
        return self.ask("POST", f"/gradio_api/call/{name}", body, Content_Type="application/json")

    def files(self):
        """What lies in the folder of uploads."""
        return [path for path in self.does.shelf.folder.rglob("*") if path.is_file()]


def form(*contents, names=None):
    """Files as parts of a form."""
    names = names or [f"{number}.png" for number in range(len(contents))]
    part = b'--edge\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n%s\r\n'
    return b"".join(part % (name.encode(), text) for name, text in zip(names, contents, strict=True)) + b"--edge--\r\n"


@pytest.fixture
def served(tmp_path, fake):
    """Serves pages with the limits that are asked for."""
    from idto3d.ui.server import make_page, open_page

    pages = []

    def serve(**limits):
        lowered = replace(LIMITS, **limits)
        blocks, does = make_page(tmp_path / f"runs{len(pages)}", {}, "fake_pipeline", fake.render_view, lowered)
        pages.append((blocks, does))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        return Served(open_page(blocks, does, Access(limits=lowered), port, False, PATIENCE), does)

    yield serve
    for blocks, does in pages:
        for job_id in does.desk.ids():
            does.desk.delete(job_id)
        blocks.close(verbose=False)


def test_a_flood_of_uploads_is_stopped_while_it_streams_and_leaves_nothing(served):
    page = served()
    assert page.upload(*[b"x"] * 5)[0] == 413  # 80 files were taken
    assert page.upload(b"x" * 500_000)[0] == 413
    assert page.upload(b"x" * 150_000)[0] in (400, 413)  # one file too large, all of them not
    endless = (form(b"x" * 90_000) for _ in range(1000))  # sent in chunks, without a length
    assert page.ask("POST", "/gradio_api/upload", endless, **FORM)[0] == 413
    assert page.files() == []
    status, said = page.upload(b"one", b"two")
    assert status == 200 and sorted(Path(path).read_bytes() for path in json.loads(said)) == [b"one", b"two"]


def test_one_visitor_has_a_share_which_comes_back_when_files_go(served, monkeypatch, until):
    monkeypatch.setattr("idto3d.ui.server.TIDY_SECONDS", 0.2)
    page = served()
    codes = [page.upload(*[b"%d" % number * 90_000])[0] for number in range(10)]
    assert codes[:6] == [200] * 6 and 413 in codes and set(codes) == {200, 413}
    for path in page.files():
        path.unlink()
    until(lambda: page.upload(b"x" * 90_000)[0] == 200, 20)  # the page is tidied meanwhile


def test_visitors_behind_a_proxy_of_this_machine_have_a_share_each(served):
    page = served()
    anna, bert = ({"X_Forwarded_For": f"192.0.2.{number}"} for number in (7, 8))
    for sender, expected in ((anna, 200), (anna, 413), (bert, 200)):
        assert page.upload(*[os.urandom(90_000) for _ in range(4)], **sender)[0] == expected


def test_an_upload_that_is_broken_off_leaves_nothing(served):
    page = served()
    with socket.create_connection(page.place.split(":")) as line:
        line.sendall(b"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n")
        line.sendall(f"Content-Type: {FORM['Content-Type']}\r\n\r\n".encode() + form(b"x" * 50_000)[:40_000])
        deadline = time.monotonic() + 10
        while not page.files():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    while page.files():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(served, monkeypatch):
    page = served(free_megabytes=1e12)
    status, said = page.upload(b"one")
    assert status == 507 and said.startswith("The disk of this server is nearly full") and page.files() == []
    page = served()

    async def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("gradio.route_utils.GradioUploadFile.write", full)
    status, said = page.upload(b"one")
    assert status == 507 and said.startswith("The disk of this server is nearly full")


def test_a_folder_or_a_strangers_file_is_no_photo(served, photo):
    page = served()
    path = json.loads(page.upload(b"one")[1])[0]
    for wrong in (str(Path(path).parent), str(page.does.shelf.folder), str(photo), "http://127.0.0.1:9/x", "\x00"):
        status, said = page.call("generate", [{"path": wrong, "meta": {"_type": "gradio.FileData"}}], *REST)
        assert status == 400 and "upload it first" in said
    right = [{"path": path, "meta": {"_type": "gradio.FileData"}}]
    assert page.call("generate", right, *REST)[0] == 200


REST = (True, "young", "", "draft", "3", 5, "", "", "", "", None, None, None, "", None, [])


def test_values_of_other_kinds_are_refused_before_the_framework_reads_them(served):
    page = served()
    for place, wrong in [
        (0, 7),
        (1, "yes"),
        (2, 7),
        (3, ["x"]),
        (4, "paper"),
        (4, "best"),
        (5, {}),
        (6, "5"),
        (6, 1e300),
    ]:
        values = [None, *REST]
        values[place] = wrong
        status, said = page.call("generate", *values)
        assert status in (400, 422) and "Traceback" not in said and said.endswith("."), wrong
    for session in ([], {}, 7, "x" * 500, "../x"):
        body = json.dumps({"data": ["x"], "session_hash": session, "fn_index": 0})
        assert page.ask("POST", "/gradio_api/queue/join", body, Content_Type="application/json")[0] == 422


def test_a_public_page_offers_no_paper_and_tells_its_quotas(served):
    page = served()
    said = page.ask("GET", "/config")[1]
    assert '"paper"' not in said and "4 photos of 0 MB each" in said


def test_only_our_own_pages_and_programs_are_answered(served, photo):
    page = served()
    assert page.ask("GET", "/", Host="evil.example")[0] == 421
    assert page.ask("GET", "/", Host=page.place)[0] == 200
    body, kind = json.dumps({"data": ["x"]}), "application/json"
    assert page.ask("POST", "/gradio_api/call/watch", body, Content_Type=kind, Origin="https://evil.example")[0] == 403
    assert page.ask("POST", "/gradio_api/call/watch", body, Content_Type="text/plain")[0] == 415
    assert page.upload(b"x", Sec_Fetch_Site="cross-site")[0] == 403
    client = Client(f"http://{page.place}/", verbose=False)
    job_id = client.predict([handle_file(str(photo))], *REST, api_name="/generate")
    assert client.predict(job_id, api_name="/delete").startswith("Deleted: ")


def test_slow_bodies_and_silent_connections_are_ended(served):
    page = served()
    for sent in (b"", b"GET / HT", b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx"):
        with socket.create_connection(page.place.split(":"), 20) as line:
            line.sendall(sent)
            said = line.recv(1000)
            assert said == b"" or b" 408 " in said


def test_what_the_page_does_not_use_is_not_here(served):
    page = served()
    for method, path, status in [
        ("POST", "/gradio_api/component_server", 404),
        ("POST", "/gradio_api/run/watch", 404),
        ("GET", "/gradio_api/proxy=http://127.0.0.1:9/", 404),
        ("GET", "/static/" + "a" * 300, 414),
        ("GET", "/gradio_api/file=%00", 404),
        ("PUT", "/", 405),
    ]:
        code, said = page.ask(method, path)
        assert code == status and said.endswith("."), path


def test_a_second_page_on_the_same_runs_does_not_start_and_harms_nothing(served):
    from idto3d.ui.server import make_page, open_page

    page = served()
    path = Path(json.loads(page.upload(b"one")[1])[0])
    blocks, does = make_page(page.does.desk.root, {}, "fake_pipeline")
    with pytest.raises(UserError, match=f"process {os.getpid()}") as refused:
        open_page(blocks, does, Access(), None)
    assert "--runs" in refused.value.remedy and path.read_bytes() == b"one"
