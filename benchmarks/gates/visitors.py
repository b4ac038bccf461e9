"""A page over the toys in a process of its own, and visitors who talk to it over HTTP, each from an own address.

Any address of 127.0.0.0/8 is this machine on Linux, so every visitor is another one to the page.
"""

import json
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from benchmarks.gates import toys
from idto3d.config import ROOT
from idto3d.jobs.limits import Limits
from idto3d.ui.door.access import Access
from idto3d.ui.door.body import Patience
from idto3d.ui.server import make_page, open_page

STARTING = 120.0
USUAL = Patience()
UNSAID = ("", "", "", "", None, None, None, "", None, [])  # what photos suggest, strengths, weights, words and a face
VIEW = ("clay", "", 0, 0, 0)  # mode, light, its rotation, azimuth, elevation


class Refused(Exception):
    """The page answered with a sentence in place of what was asked for."""


@dataclass(frozen=True)
class Served:
    """A page that is served: at which port, by which process, and the folder of its runs, its uploads and its log."""

    port: int
    process: subprocess.Popen
    folder: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it printed."""
        return self.folder / "page.log"


class Visitor:
    """Somebody at the address 127.0.HIGH.LOW of a `number`, with a session of the page's, as browsers have one."""

    def __init__(self, page: Served, number: int):
        transport = httpx.HTTPTransport(local_address=f"127.0.{1 + number // 250}.{1 + number % 250}")
        self._http = httpx.Client(base_url=page.url, transport=transport, timeout=120.0)
        self._session = uuid.uuid4().hex

    def call(self, name: str, *values):
        """What an endpoint answers: its one value, or the list of them. Raises Refused."""
        begun = self._http.post(f"/gradio_api/call/{name}", json={"data": values, "session_hash": self._session})
        if begun.status_code != 200:
            raise Refused(f"{begun.status_code} {begun.text}")
        told = self._http.get(f"/gradio_api/call/{name}/{begun.json()['event_id']}").text
        last = [line.partition(":")[2].strip() for line in told.strip().splitlines()[-2:]]
        if last[0] != "complete":
            raise Refused(last[-1])
        data = json.loads(last[1])
        return data[0] if len(data) == 1 else data

    def generate(self, prompt: str, photos: list | None = None) -> str:
        """The id of a new job."""
        return self.call("generate", photos, True, prompt, "", "draft", "3", 0, *UNSAID)

    def render(self, job_id: str, size: int) -> bytes:
        """A drawing of a finished head, as a PNG."""
        return self.fetch(self.call("render", job_id, *VIEW, size, {}))

    def upload(self, data: bytes) -> dict:
        """A file as `generate` takes it. Raises Refused."""
        sent = self._http.post("/gradio_api/upload", files={"files": ("photo.png", data)})
        if sent.status_code != 200:
            raise Refused(f"{sent.status_code} {sent.text}")
        return {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}

    def functions(self) -> dict[int, int]:
        """How many values each function of the page takes, by its number."""
        return {one["id"]: len(one["inputs"]) for one in self._http.get("/config").json()["dependencies"]}

    def fetch(self, file: dict) -> bytes:
        """The bytes of a file that the page handed out."""
        return self._http.get(file["url"]).content

    def until_over(self, job_id: str, pause: float = 0.2) -> tuple[dict, list[float]]:
        """The view of a job that has ended, and how long each look took, seconds."""
        looks = []
        while True:
            begun = time.monotonic()
            view = self.call("watch", job_id)
            looks.append(time.monotonic() - begun)
            if view["status"] not in ("queued", "running"):
                return view, looks
            time.sleep(pause)


@contextmanager
def served(folder: Path, limits: Limits, patience: Patience = USUAL) -> Iterator[Served]:
    """A page with its runs in `folder`/runs, served until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.gates.visitors", str(port), str(folder / "runs")]
    command += [json.dumps(asdict(given)) for given in (limits, patience)]
    with open(folder / "page.log", "wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    page = Served(port, process, folder)
    try:
        _wait_for(page)
        yield page
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(page: Served) -> None:
    deadline = time.monotonic() + STARTING
    while True:
        try:
            if httpx.get(page.url).status_code == 200:
                return
        except httpx.TransportError:
            if page.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(page.log.read_text()) from None
        time.sleep(0.2)


def main(words: list[str]) -> None:
    """Serve the toys at a port, with runs in a folder, within limits and with patience given as JSON."""
    port, runs, *given = words
    limits, patience = map(json.loads, given)
    limits = Limits(**limits | {"presets": tuple(limits["presets"])})
    blocks, does = make_page(Path(runs), {}, toys.__name__, toys.render_view, limits)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    open_page(blocks, does, Access(limits=limits), int(port), patience=Patience(**patience))


if __name__ == "__main__":
    main(sys.argv[1:])
